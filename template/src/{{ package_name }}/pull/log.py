"""Pull log: the last pulls, and the posts that were quarantined with their reasons."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Column, Float, ForeignKey, Integer, String, Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..core.conversion import Quarantined
from ..core.database import Database, Line, UtcDateTime, line, tables, upsert

Outcome = Literal[
    "complete",
    "more waiting",
    "cut short",
    "credentials rejected",
    "origin unavailable",
    "outdated",
    "failed",
]

pulls_table = Table(
    "pulls",
    tables,
    Column("id", Integer, primary_key=True),
    Column(
        "account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("seconds", Float, nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("returned", Integer, nullable=False),
    Column("quarantined", Integer, nullable=False),
    Column("detail", Line(500), nullable=False),
)

quarantine_table = Table(
    "quarantine",
    tables,
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("item_id", Line(255), primary_key=True),
    Column("reason", Line(500), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True, slots=True)
class PullRecord:
    """One answered pull; `seconds` is how long it took, `detail` says why when it did not go well."""

    account_id: str
    at: datetime
    seconds: float
    outcome: Outcome
    returned: int
    quarantined: int
    detail: str


@dataclass(frozen=True, slots=True)
class QuarantineRecord:
    """A post that could not become a valid resource, for people to look at."""

    account_id: str
    item_id: str
    reason: str
    at: datetime


class PullLog:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock

    async def record(self, pull: PullRecord, quarantined: Sequence[Quarantined]) -> None:
        """Keep one pull; one that brings nothing and went as the account's last did takes the place of that.

        A post quarantined again replaces its earlier entry. Texts are cut to 500 characters.
        """
        entries = {
            line(entry.item_id, 255): {
                "account_id": pull.account_id,
                "item_id": entry.item_id,
                "reason": entry.reason,
                "at": pull.at,
            }
            for entry in quarantined
        }
        async with self._database.writing() as connection:
            if not await _repeats_the_last(connection, pull):
                await connection.execute(insert(pulls_table).values(asdict(pull)))
            await upsert(connection, quarantine_table, list(entries.values()), update=("reason", "at"))

    async def last_pulls(self, limit: int, account_id: str | None = None) -> list[PullRecord]:
        """The newest first, of all accounts or one."""
        columns = [pulls_table.c[name] for name in PullRecord.__slots__]
        query = select(*columns).order_by(pulls_table.c.at.desc(), pulls_table.c.id.desc()).limit(limit)
        if account_id:
            query = query.where(pulls_table.c.account_id == account_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(query)
            return [PullRecord(**row._asdict()) for row in rows]

    async def quarantined(self, limit: int, account_id: str | None = None) -> list[QuarantineRecord]:
        """The newest first, of all accounts or one."""
        query = select(quarantine_table).order_by(quarantine_table.c.at.desc()).limit(limit)
        if account_id:
            query = query.where(quarantine_table.c.account_id == account_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(query)
            return [QuarantineRecord(**row._asdict()) for row in rows]

    async def forget(self, older_than: timedelta, quarantined_older_than: timedelta) -> None:
        """Drop pulls and quarantined posts older than that."""
        now = self._clock.now()
        await self._database.delete_in_parts(pulls_table, pulls_table.c.at < now - older_than)
        await self._database.delete_in_parts(
            quarantine_table, quarantine_table.c.at < now - quarantined_older_than
        )


async def _repeats_the_last(connection: AsyncConnection, pull: PullRecord) -> bool:
    # Zendesk asks every two minutes: most pulls bring nothing, and so do all of an account whose origin is down.
    if pull.returned or pull.quarantined:
        return False
    columns = pulls_table.c
    last = select(func.max(columns.id)).where(columns.account_id == pull.account_id).scalar_subquery()
    same = ("outcome", "returned", "quarantined", "detail")
    repeated = await connection.execute(
        update(pulls_table)
        .where(columns.id == last, *(columns[name] == getattr(pull, name) for name in same))
        .values(at=pull.at, seconds=pull.seconds)
    )
    return bool(repeated.rowcount)
