"""Imported posts: Zendesk tells which comment, on which ticket, each pushed post has become."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any

import structlog
from pydantic import Field, ValidationError

from ..core.accounts import Account, Accounts, UnknownAccountError
from ..core.imported_posts import ImportedPost
from ..core.messages import Received, validation_faults
from ..core.request_ids import RequestIds
from ..core.security import UntrustedError
from .endpoint import SHOWN, NotConcernedError, Reaction, UnprovenError
from .messages import Event

Imported = Callable[[str, Sequence[ImportedPost]], Awaitable[None]]
"""Keeps what posts of an account have become."""

ZendeskId = Annotated[int, Field(ge=0, lt=2**63)]

logger = structlog.get_logger()


class ResourceEvent(Received):
    """What became of one post, such as `comment_on_new_ticket` or `comment_on_follow_up_ticket`."""

    type_id: str = Field(pattern=r"^[a-z_]{1,64}$")
    external_id: str = Field(min_length=1, max_length=255, pattern=r"^[^\x00]+$")
    ticket_id: ZendeskId
    comment_id: ZendeskId
    follow_up_ticket_id: ZendeskId | None = None

    @property
    def imported_post(self) -> ImportedPost:
        return ImportedPost(self.external_id, self.follow_up_ticket_id or self.ticket_id, self.comment_id)


class ImportedPostData(Received):
    """`resources_created_from_external_ids`; for a push, `request_id` is the one that was sent."""

    request_id: str
    resource_events: tuple[Any, ...] = Field(max_length=1000)


class ImportedPostEvents:
    def __init__(
        self, accounts: Accounts[Any], request_ids: RequestIds, imported: Sequence[Imported]
    ) -> None:
        self._accounts = accounts
        self._request_ids = request_ids
        self._imported = imported

    def reactions(self) -> Mapping[str, Reaction]:
        return {"resources_created_from_external_ids": self._created}

    async def _created(self, event: Event) -> None:
        data = ImportedPostData.model_validate(event.data)
        if not self._request_ids.may_have_made(data.request_id):
            raise NotConcernedError
        account = await self._account(event, data.request_id)
        confirmed, passed_over = [], []
        for content in data.resource_events:
            try:
                resource = ResourceEvent.model_validate(content)
            except ValidationError as error:
                passed_over.append(validation_faults(error))
            else:
                confirmed.append(resource.imported_post)
        for record in self._imported:
            await record(account.id, confirmed)
        logger.info(
            "posts confirmed", account=account.id, posts=len(confirmed), passed_over=passed_over[:SHOWN]
        )

    async def _account(self, event: Event, request_id: str) -> Account:
        """Find the account whose push this was: only this service and that account have seen the request's id."""
        try:
            account = await self._accounts.by_id(self._request_ids.account_of(request_id))
        except (UntrustedError, UnknownAccountError) as error:
            raise UnprovenError(str(error)) from None
        if account.subdomain != event.subdomain.lower():
            raise UnprovenError("this account belongs to another subdomain")
        return account
