"""What Zendesk tells of pushed posts: which comment, on which ticket, each has become."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import structlog
from pydantic import Field, ValidationError

from ..accounts import Account, Accounts, UnknownAccountError
from ..imports import Import, Imports
from ..marks import Marks
from ..messages import Received
from ..trust import UntrustedError
from .event_callback import Reaction, UnprovenError
from .event_messages import Event
from .forms import faults

ZendeskId = Annotated[int, Field(ge=0, lt=2**63)]

logger = structlog.get_logger()


class ResourceEvent(Received):
    """What became of one post, such as `comment_on_new_ticket` or `comment_on_follow_up_ticket`."""

    type_id: str = Field(pattern=r"^[a-z_]{1,64}$")
    external_id: str = Field(min_length=1, max_length=255)
    ticket_id: ZendeskId
    comment_id: ZendeskId
    follow_up_ticket_id: ZendeskId | None = None


class ImportData(Received):
    """`resources_created_from_external_ids`; for a push, `request_id` is the one that was sent."""

    request_id: str
    resource_events: tuple[Any, ...]


class ImportEvents:
    def __init__(self, accounts: Accounts[Any], marks: Marks, imports: Imports) -> None:
        self._accounts = accounts
        self._marks = marks
        self._imports = imports

    def reactions(self) -> Mapping[str, Reaction]:
        return {"resources_created_from_external_ids": self._created}

    async def _created(self, event: Event) -> None:
        data = ImportData.model_validate(event.data)
        account = await self._account(event, data.request_id)
        confirmed = []
        for content in data.resource_events:
            try:
                resource = ResourceEvent.model_validate(content)
            except ValidationError as error:
                logger.info("resource event passed over", account=account.id, reason=faults(error))
            else:
                confirmed.append(_confirmed(account, resource))
        await self._imports.record(confirmed)
        logger.info("posts confirmed", account=account.id, posts=len(confirmed))

    async def _account(self, event: Event, request_id: str) -> Account:
        """Find the account whose push this was: only this service and that account have seen the request's id."""
        try:
            account = await self._accounts.by_id(self._marks.account_of(request_id))
        except (UntrustedError, UnknownAccountError) as error:
            raise UnprovenError(str(error)) from None
        if account.subdomain != event.subdomain.lower():
            raise UnprovenError("this account belongs to another subdomain")
        return account


def _confirmed(account: Account, resource: ResourceEvent) -> Import:
    return Import(
        account_id=account.id,
        external_id=resource.external_id,
        kind=resource.type_id,
        ticket_id=resource.ticket_id,
        comment_id=resource.comment_id,
        follow_up_ticket_id=resource.follow_up_ticket_id,
        at=datetime.now(UTC),
    )
