"""What pulling did: the last pulls, and the posts that were quarantined with their reasons."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Literal

from sqlalchemy import Column, Float, ForeignKey, Integer, String, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from .store import Line, Store, UtcDateTime, tables

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
class Quarantined:
    """A post that could not become a valid resource."""

    account_id: str
    item_id: str
    reason: str
    at: datetime


class Journal:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def record(self, pull: PullRecord, quarantined: Sequence[Quarantined]) -> None:
        """Keep one pull; a post quarantined again replaces its earlier entry. Texts are cut to 500 characters."""
        async with self._store.writing() as connection:
            await connection.execute(insert(pulls_table).values(asdict(pull)))
            # In one order, so that pulls that overlap cannot wait for each other.
            for entry in sorted(quarantined, key=attrgetter("item_id")):
                await _quarantine(connection, entry)

    async def last_pulls(self, limit: int) -> list[PullRecord]:
        """The newest first."""
        columns = [pulls_table.c[name] for name in PullRecord.__slots__]
        async with self._store.reading() as connection:
            rows = await connection.execute(select(*columns).order_by(pulls_table.c.id.desc()).limit(limit))
            return [PullRecord(**row._asdict()) for row in rows]

    async def quarantined(self, limit: int) -> list[Quarantined]:
        """The newest first."""
        async with self._store.reading() as connection:
            rows = await connection.execute(
                select(quarantine_table).order_by(quarantine_table.c.at.desc()).limit(limit)
            )
            return [Quarantined(**row._asdict()) for row in rows]

    async def forget(self, older_than: timedelta) -> None:
        """Drop pulls older than that; quarantined posts stay until their account goes."""
        async with self._store.writing() as connection:
            await connection.execute(
                delete(pulls_table).where(pulls_table.c.at < datetime.now(UTC) - older_than)
            )


async def _quarantine(connection: AsyncConnection, entry: Quarantined) -> None:
    try:
        async with connection.begin_nested():
            await connection.execute(insert(quarantine_table).values(asdict(entry)))
    except IntegrityError:
        await connection.execute(
            update(quarantine_table)
            .where(quarantine_table.c.account_id == entry.account_id)
            .where(quarantine_table.c.item_id == entry.item_id)
            .values(reason=entry.reason, at=entry.at)
        )
