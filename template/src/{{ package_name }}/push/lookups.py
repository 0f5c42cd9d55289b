"""Look-ups: a webhook that only names what changed gets its answer first, and the posts are fetched after."""

import asyncio
import uuid
from collections.abc import Sequence
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
    bindparam,
    delete,
    or_,
    select,
    update,
)

from ..core.accounts import Accounts, ConfigurationOutdatedError, UnknownAccountError
from ..core.backoff import Backoff
from ..core.clock import JITTER
from ..core.database import Bound, Database, Line, UtcDateTime, tables, upsert
from ..core.leases import LeaseLostError, Leases, unavailable
from ..core.origin_backoff import LONGEST, OriginBackoff, retry_after
from ..core.skip_scan import each_once
from ..core.waits import NOW
from ..origin_protocol import CredentialsRejectedError, OriginProtocol
from .intake import Intake

BACKOFF = Backoff(first=timedelta(seconds=2), factor=2, longest=timedelta(minutes=10))

PATIENCE = timedelta(days=3)
"""How long after the webhook a look-up that fails is tried again."""

PATIENCE_WITH_ADMINS = timedelta(days=30)
"""How long that is while an admin has to mend the account: sign in again, or give another key."""

TIME_LIMIT = 60.0
"""Seconds that one look-up may take."""

lookups_table = Table(
    "push_lookups",
    tables,
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("key", Line(255), primary_key=True),
    Column("asked", String(36), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("detail", Line(500), nullable=False),
    Index("ix_push_lookups_account_id_due_at", "account_id", "due_at"),
    info={"bound": Bound.work},
)

logger = structlog.get_logger()


class Lookups:
    """The job that looks up what webhooks have named, account by account, in the order in which it is due."""

    name = "lookups"

    def __init__(
        self,
        database: Database,
        accounts: Accounts[Any],
        origin: OriginProtocol[Any],
        intake: Intake,
    ) -> None:
        self._database = database
        self._clock = database.clock
        self._accounts = accounts
        self._origin = origin
        self._intake = intake
        self._backoff = OriginBackoff(accounts, database.clock)
        self._leases = Leases(database, self.name, timedelta(seconds=TIME_LIMIT + 15))

    async def add(self, account_id: str, keys: Sequence[str]) -> None:
        """Have keys looked up; one that is waiting already is looked up once more at most."""
        now = self._clock.now()
        fresh = {"asked_at": now, "due_at": now, "failures": 0, "detail": ""}
        rows = [
            {"account_id": account_id, "key": key, "asked": str(uuid.uuid4())} | fresh
            for key in dict.fromkeys(map(str, keys))
        ]
        async with self._database.writing() as connection:
            await upsert(connection, lookups_table, rows, update=("asked", *fresh))

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
            while not stopping.is_set() and (row := await self._next(account_id)):
                await self._look_up(row)
                async with self._database.writing() as connection:
                    lease = await self._leases.renew(connection, lease)
        except LeaseLostError:
            return
        finally:
            await self._leases.end(lease)

    async def _next(self, account_id: str) -> Any:
        return await self._database.first(_NEXT, _at(self._clock.now()) | {"of_account": account_id})

    async def _look_up(self, row: Any) -> None:
        try:
            account = await self._accounts.by_id(row.account_id)
            opened = self._accounts.opened(account)
            async with asyncio.timeout(TIME_LIMIT), self._backoff.reading(account):
                items = await self._origin.look_up(opened, row.key)
                await self._intake.take_in_parts(opened, items)
        except UnknownAccountError:
            return
        except Exception as error:  # noqa: BLE001
            if isinstance(error, ConfigurationOutdatedError):
                reason = f"an admin must edit the account: {error}"
            else:
                reason = f"{type(error).__name__}: {error}"
            is_for_an_admin = isinstance(error, ConfigurationOutdatedError | CredentialsRejectedError)
            patience = PATIENCE_WITH_ADMINS if is_for_an_admin else PATIENCE
            await self._postpone(row, reason, timedelta(seconds=retry_after(error, 0)), patience)
            return
        await self._forget(row)

    async def _postpone(self, row: Any, reason: str, wait: timedelta, patience: timedelta) -> None:
        now = self._clock.now()
        logger.warning("look-up failed", account=row.account_id, key=row.key, reason=reason)
        if now - row.asked_at > patience:
            logger.error("look-up given up", account=row.account_id, key=row.key)
            await self._forget(row)
            return
        due_at = now + max(wait, BACKOFF.wait(row.failures + 1))
        async with self._database.writing() as connection:
            await connection.execute(
                update(lookups_table)
                .where(*_is(row))
                .values(due_at=due_at, failures=row.failures + 1, detail=reason)
            )

    async def _forget(self, row: Any) -> None:
        """Drop what is done; what was asked again meanwhile stays."""
        async with self._database.writing() as connection:
            await connection.execute(delete(lookups_table).where(*_is(row)))


def _at(now: datetime) -> dict[str, Any]:
    return {"now": now, "longest_wait": now + max(LONGEST, BACKOFF.longest) + JITTER}


# A moment that only a clock that was ahead can have written counts as past.
_IS_DUE = or_(lookups_table.c.due_at <= NOW, lookups_table.c.due_at > bindparam("longest_wait"))
_owing = each_once(lookups_table.c.account_id)
_ACCOUNTS_DUE = select(_owing.c.value.label("account_id")).where(
    select(lookups_table.c.key).where(lookups_table.c.account_id == _owing.c.value, _IS_DUE).exists(),
    ~unavailable(_owing.c.value),
)
_NEXT = (
    select(lookups_table)
    .where(lookups_table.c.account_id == bindparam("of_account"), _IS_DUE)
    .order_by(lookups_table.c.due_at)
    .limit(1)
)


def _is(row: Any) -> tuple[Any, ...]:
    return (
        lookups_table.c.account_id == row.account_id,
        lookups_table.c.key == row.key,
        lookups_table.c.asked == row.asked,
    )
