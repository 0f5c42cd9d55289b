"""Pull log: the last pulls, and the posts that were quarantined with their reasons."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)

from ..core.conversion import Quarantined
from ..core.database import Bound, Database, Line, UtcDateTime, line, tables, upsert
from ..core.keyset import Keyset

NOTED_EVERY = timedelta(minutes=10)
"""Zendesk asks every two minutes: most pulls bring nothing, and so do all of an account whose origin is down."""

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
    Index("ix_pulls_account_id_at", "account_id", "at"),
    info={"bound": Bound.time},
)

quarantine_table = Table(
    "quarantine",
    tables,
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("item_id", Line(255), primary_key=True),
    Column("reason", Line(500), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Index("ix_quarantine_account_id_at", "account_id", "at"),
    info={"bound": Bound.time},
)

PULLS = Keyset(pulls_table.c.at, pulls_table.c.id)
QUARANTINE = Keyset(quarantine_table.c.at, quarantine_table.c.account_id, quarantine_table.c.item_id)


_ADD = insert(pulls_table)
_LAST = (
    select(pulls_table)
    .where(pulls_table.c.account_id == bindparam("account_id"))
    .order_by(pulls_table.c.id.desc())
    .limit(1)
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
    id: int = field(default=0, compare=False)
    """The database's own."""


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
        """Keep one pull; one that brings nothing and went as the account's last did takes the place of that, at times.

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
        repeated = None if quarantined or pull.returned else await self._repeated(pull)
        if repeated and timedelta(0) <= pull.at - repeated[1] < NOTED_EVERY:
            return
        async with self._database.writing() as connection:
            if repeated:
                await connection.execute(
                    update(pulls_table)
                    .where(pulls_table.c.id == repeated[0])
                    .values(at=pull.at, seconds=pull.seconds)
                )
            else:
                values = asdict(pull)
                del values["id"]
                await connection.execute(_ADD, values)
            await upsert(connection, quarantine_table, list(entries.values()), update=("reason", "at"))

    async def _repeated(self, pull: PullRecord) -> tuple[int, datetime] | None:
        """Give the id and the time of the account's last pull, if this one went as that did."""
        last = await self._database.first(_LAST, {"account_id": pull.account_id})
        if last and (last.outcome, last.returned, last.detail) == (pull.outcome, 0, pull.detail):
            return last.id, last.at
        return None

    async def last_pulls(
        self, limit: int, account_id: str | None = None, behind: str = ""
    ) -> list[PullRecord]:
        """The newest first, of all accounts or one, from behind a place on."""
        columns = [pulls_table.c[name] for name in PullRecord.__slots__]
        query = PULLS.page(select(*columns), limit, behind)
        if account_id:
            query = query.where(pulls_table.c.account_id == account_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(query)
            return [PullRecord(**row._asdict()) for row in rows]

    async def quarantined(
        self, limit: int, account_id: str | None = None, behind: str = ""
    ) -> list[QuarantineRecord]:
        """The newest first, of all accounts or one, from behind a place on."""
        query = QUARANTINE.page(select(quarantine_table), limit, behind)
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
