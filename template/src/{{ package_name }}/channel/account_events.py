"""What Zendesk tells of accounts and of the people who wrote posts (SVC-55)."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import structlog

from ..accounts import Account, Accounts, UnknownAccountError
from ..deactivations import Deactivations
from ..metrics import Metrics
from .event_callback import Reaction, UnprovenError
from .event_messages import AccountData, DeactivationData, Event, PersonData

DEACTIVATORS = ("error", "api")

logger = structlog.get_logger()


class PersonalData(Protocol):
    """Something that keeps what people wrote, or where it went."""

    async def erase_author(self, account_id: str, author_id: str) -> int:
        """Delete what is known of an author of the account's posts, and say how many entries that were."""
        ...


class AccountEvents:
    def __init__(
        self,
        accounts: Accounts[Any],
        deactivations: Deactivations,
        personal_data: Sequence[PersonalData],
        metrics: Metrics,
    ) -> None:
        """`personal_data` is erased in its order."""
        self._accounts = accounts
        self._deactivations = deactivations
        self._personal_data = personal_data
        self._metrics = metrics

    def reactions(self) -> Mapping[str, Reaction]:
        return {
            "create_integration_instance": self._created,
            "destroy_integration_instance": self._destroyed,
            "activate_integration_instance": self._activated,
            "deactivate_integration_instance": self._deactivated,
            "destroy_user_identity": self._person_destroyed,
        }

    async def _created(self, event: Event) -> None:
        if not event.error:
            account = await self._account(event)
            logger.info("account confirmed", account=account.id, subdomain=account.subdomain)

    async def _destroyed(self, event: Event) -> None:
        if not event.error:
            account = await self._account(event)
            await self._accounts.remove(account.id)
            logger.info("account removed with its secrets", account=account.id, subdomain=account.subdomain)

    async def _activated(self, event: Event) -> None:
        if not event.error:
            account = await self._account(event)
            await self._deactivations.lift(account.id)
            logger.info("account activated", account=account.id, subdomain=account.subdomain)

    async def _deactivated(self, event: Event) -> None:
        data = DeactivationData.model_validate(event.data)
        if event.error:
            return
        account = await self._account(event)
        await self._deactivations.record(account.id, data.deactivated_by, data.deactivating_error or "")
        by = data.deactivated_by if data.deactivated_by in DEACTIVATORS else "other"
        self._metrics.deactivations.labels(by).inc()
        logger.warning(
            "account deactivated: zendesk does not use it any more",
            account=account.id,
            subdomain=account.subdomain,
            by=by,
            error=data.deactivating_error,
        )

    async def _person_destroyed(self, event: Event) -> None:
        # Also when Zendesk failed to do the same: the person is to be forgotten.
        person = PersonData.model_validate(event.data).author.external_id
        if not event.data.get("metadata"):
            raise UnprovenError(f"no account is named, so nothing of the author {person!r} was erased")
        account = await self._account(event)
        erased = [await held.erase_author(account.id, person) for held in self._personal_data]
        logger.info("personal data erased", account=account.id, entries=sum(erased))

    async def _account(self, event: Event) -> Account:
        metadata = AccountData.model_validate(event.data).metadata
        try:
            return await self._accounts.by_metadata(metadata, event.subdomain)
        except UnknownAccountError as error:
            raise UnprovenError(str(error)) from None
