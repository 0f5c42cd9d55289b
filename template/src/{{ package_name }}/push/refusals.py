"""Refusals: webhooks that were not kept, counted by account and status, for people to look at.

An origin may stop sending after a few of them. What names no account of this service is counted together.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Column, Integer, String, Table, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from ..core.accounts import accounts_table
from ..core.database import Bound, Database, UtcDateTime, tables

NOBODY = ""
"""In place of an account's id."""

STORED_EVERY = timedelta(seconds=1)
"""Whoever sends more than one in that time does not make as many writes."""

AT_ONCE = 1000

refusals_table = Table(
    "webhook_refusals",
    tables,
    Column("account_id", String(36), primary_key=True),
    Column("status", Integer, primary_key=True),
    Column("times", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False, index=True),
    info={"bound": Bound.time},
)

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Refused:
    account_id: str
    status: int
    times: int
    last_at: datetime


class Refusals:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock
        self._counted: Counter[tuple[str, int]] = Counter()
        self._stored_at: datetime | None = None
        self._storing = asyncio.Lock()

    async def count(self, account_id: str, status: int) -> None:
        """Count one. It is stored at once, or with the next one if others have just been stored; never fails."""
        known = (account_id, status) in self._counted or len(self._counted) < AT_ONCE
        self._counted[account_id if known else NOBODY, status] += 1
        now = self._clock.now()
        if self._stored_at is None or not timedelta(0) <= now - self._stored_at < STORED_EVERY:
            self._stored_at = now
            await self.store()

    async def store(self) -> None:
        """Store what has been counted."""
        async with self._storing:
            counted, self._counted = self._counted, Counter()
            try:
                await self._add(counted)
            except SQLAlchemyError as error:
                self._counted.update(counted)
                logger.warning("refused webhooks are not stored yet", reason=str(error).partition("\n")[0])

    async def of(self, account_ids: Collection[str]) -> list[Refused]:
        """What was refused of these accounts, or of nobody, the newest first."""
        await self.store()
        query = (
            select(refusals_table)
            .where(refusals_table.c.account_id.in_(account_ids))
            .order_by(refusals_table.c.last_at.desc())
        )
        async with self._database.reading() as connection:
            return [Refused(**row._asdict()) for row in await connection.execute(query)]

    async def forget(self, older_than: timedelta) -> None:
        """Store what has been counted, and drop what was refused before that and never since."""
        await self.store()
        before = self._clock.now() - older_than
        await self._database.delete_in_parts(refusals_table, refusals_table.c.last_at < before)

    async def _add(self, counted: Mapping[tuple[str, int], int]) -> None:
        if not counted:
            return
        now = self._clock.now()
        named = {account_id for account_id, _ in counted}
        async with self._database.writing() as connection:
            query = select(accounts_table.c.id).where(accounts_table.c.id.in_(named))
            accounts = set(await connection.scalars(query))
            for (account_id, status), times in sorted(counted.items()):
                row = {"account_id": account_id if account_id in accounts else NOBODY, "status": status}
                refused = refusals_table.c
                found = await connection.execute(
                    update(refusals_table)
                    .where(refused.account_id == row["account_id"], refused.status == status)
                    .values(times=refused.times + times, last_at=now)
                )
                if not found.rowcount:
                    await connection.execute(
                        insert(refusals_table).values(row | {"times": times, "last_at": now})
                    )
