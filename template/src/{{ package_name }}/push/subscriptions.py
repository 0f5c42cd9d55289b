"""Subscriptions: the origin sends an account's posts until its subscription runs out, so it is renewed before that."""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    and_,
    bindparam,
    delete,
    or_,
    select,
    update,
)

from ..core.accounts import Account, Accounts, ConfigurationOutdatedError, UnknownAccountError
from ..core.backoff import Backoff
from ..core.clock import JITTER
from ..core.database import Bound, Database, Line, UtcDateTime, tables, upsert
from ..core.leases import Leases, unavailable
from ..core.origin_backoff import LONGEST, OriginBackoff, retry_after
from ..core.security import UntrustedError
from ..core.waits import NOW
from ..origin_protocol import OriginAccount, OriginProtocol
from .credentials import CredentialStore

BACKOFF = Backoff(first=timedelta(minutes=1), factor=2, longest=timedelta(hours=1))

TIME_LIMIT = 30.0
"""Seconds that the origin may take to renew or to end a subscription."""

subscriptions_table = Table(
    "push_subscriptions",
    tables,
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("renew_at", UtcDateTime, nullable=False, index=True),
    Column("failures", Integer, nullable=False),
    Column("detail", Line(500), nullable=False),
    Index("ix_push_subscriptions_failures_renew_at", "failures", "renew_at"),
    info={"bound": Bound.account},
)

logger = structlog.get_logger()


def webhook_address(public_url: str, account_id: str) -> str:
    return f"{public_url}/webhook/{account_id}"


class Subscriptions:
    """The job that renews subscriptions; those that last for ever are not stored."""

    name = "subscriptions"

    def __init__(
        self,
        database: Database,
        accounts: Accounts[Any],
        credential_store: CredentialStore,
        origin: OriginProtocol[Any],
        public_url: str,
    ) -> None:
        self._database = database
        self._clock = database.clock
        self._accounts = accounts
        self._credential_store = credential_store
        self._origin = origin
        self._public_url = public_url
        self._backoff = OriginBackoff(accounts, database.clock)
        self._leases = Leases(database, self.name, timedelta(seconds=TIME_LIMIT + 15))

    def url(self, account_id: str) -> str:
        """The address at which the account's webhooks are taken."""
        return webhook_address(self._public_url, account_id)

    async def subscribe(self, account: OriginAccount[Any], secret: str) -> datetime | None:
        """Subscribe at the origin, and give the moment when that has to be renewed, to be stored by `renewed`."""
        return await self._origin.subscribe(account, self.url(account.id), secret)

    async def renewed(self, account_id: str, renew_at: datetime | None) -> None:
        """Store when the subscription has to be renewed; None if it lasts for ever."""
        row = {"account_id": account_id, "renew_at": renew_at, "failures": 0, "detail": ""}
        async with self._database.writing() as connection:
            if renew_at is None:
                await connection.execute(
                    delete(subscriptions_table).where(subscriptions_table.c.account_id == account_id)
                )
            else:
                await upsert(
                    connection, subscriptions_table, [row], update=("renew_at", "failures", "detail")
                )

    async def end(self, account: Account) -> None:
        """Have the origin stop, before the account goes. A failure is logged: webhooks are answered 410 then."""
        try:
            async with asyncio.timeout(TIME_LIMIT):
                await self._origin.unsubscribe(self._accounts.opened(account), self.url(account.id))
        except Exception as error:  # noqa: BLE001
            logger.warning("subscription not ended", account=account.id, reason=repr(error))

    async def among(self, account_ids: Collection[str]) -> dict[str, tuple[datetime, str]]:
        """When the subscription of each of these accounts has to be renewed, and why that failed the last time."""
        query = select(subscriptions_table).where(subscriptions_table.c.account_id.in_(account_ids))
        rows = await self._database.rows(query)
        return {row.account_id: (row.renew_at, row.detail) for row in rows}

    async def take_back(self) -> None:
        """End every lease: those who held one are no more."""
        await self._leases.take_back()

    async def due(self) -> list[str]:
        now = self._clock.now()
        due = await self._database.rows(_ACCOUNTS_DUE, self._leases.at(now) | _at(now))
        return [row.account_id for row in due]

    async def do(self, account_id: str, stopping: asyncio.Event) -> None:
        lease = await self._leases.take(account_id)
        if lease is None:
            return
        try:
            if await self._is_still_due(account_id):
                await self._renew(account_id)
        finally:
            await self._leases.end(lease)

    async def _is_still_due(self, account_id: str) -> bool:
        parameters = _at(self._clock.now()) | {"of_account": account_id}
        return await self._database.first(_STILL_DUE, parameters) is not None

    async def _renew(self, account_id: str) -> None:
        try:
            account = await self._accounts.by_id(account_id)
            secret = (await self._credential_store.of(account_id)).webhook_secret
            opened = self._accounts.opened(account)
            async with asyncio.timeout(TIME_LIMIT), self._backoff.calling(account):
                renew_at = await self.subscribe(opened, secret.get_secret_value())
        except UnknownAccountError:
            return
        except (ConfigurationOutdatedError, UntrustedError) as error:
            await self._postpone(account_id, f"an admin must edit the account: {error}", timedelta(hours=1))
        except Exception as error:  # noqa: BLE001
            reason = f"{type(error).__name__}: {error}"
            await self._postpone(account_id, reason, timedelta(seconds=retry_after(error, 0)))
        else:
            await self.renewed(account_id, renew_at)
            logger.info("subscription renewed", account=account_id, renew_at=renew_at)

    async def _postpone(self, account_id: str, reason: str, wait: timedelta) -> None:
        logger.warning("subscription not renewed", account=account_id, reason=reason)
        async with self._database.writing() as connection:
            failures = await connection.scalar(
                select(subscriptions_table.c.failures).where(subscriptions_table.c.account_id == account_id)
            )
            await connection.execute(
                update(subscriptions_table)
                .where(subscriptions_table.c.account_id == account_id)
                .values(
                    renew_at=self._clock.now() + max(wait, BACKOFF.wait((failures or 0) + 1)),
                    failures=(failures or 0) + 1,
                    detail=reason,
                )
            )


def _at(now: datetime) -> dict[str, Any]:
    return {"now": now, "longest_wait": now + max(LONGEST, BACKOFF.longest) + JITTER}


_subscription = subscriptions_table.c
# A next try that only a clock that was ahead can have put off is not waited for.
_IS_DUE = or_(
    _subscription.renew_at <= NOW,
    and_(_subscription.failures > 0, _subscription.renew_at > bindparam("longest_wait")),
)
_STILL_DUE = select(_subscription.account_id).where(
    _subscription.account_id == bindparam("of_account"), _IS_DUE
)
_ACCOUNTS_DUE = select(_subscription.account_id).where(_IS_DUE, ~unavailable(_subscription.account_id))
