"""Record: since when each account is listened for, and how listening failed the last time, for people to look at."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, String, Table, select, update

from ..core.database import Bound, Database, Line, UtcDateTime, tables, upsert
from ..core.leases import leases_table
from ..core.transaction import Transaction
from ..core.waits import is_ahead

JOB = "listen"

listeners_table = Table(
    "listeners",
    tables,
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("since", UtcDateTime),
    Column("failed_at", UtcDateTime),
    Column("error", Line(500), nullable=False),
    info={"bound": Bound.account},
)


@dataclass(frozen=True, slots=True)
class Entry:
    """`since` is None while nobody listens, `next_try` unless a pause is in force."""

    since: datetime | None
    failed_at: datetime | None
    error: str
    next_try: datetime | None


class Record:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock

    async def began(self, account_id: str) -> None:
        """Raises IntegrityError when the account is gone."""
        row = {"account_id": account_id, "since": self._clock.now(), "error": ""}
        async with self._database.writing() as connection:
            await upsert(connection, listeners_table, [row], update=("since",))

    async def ended(self, connection: Transaction, account_id: str, failure: str | None) -> None:
        """Nobody listens for the account now; `failure` is why, if that was one."""
        values: dict[str, Any] = {"since": None}
        if failure is not None:
            values |= {"error": failure, "failed_at": self._clock.now()}
        await connection.execute(
            update(listeners_table).where(listeners_table.c.account_id == account_id).values(values)
        )

    async def of(self, account_ids: Collection[str]) -> dict[str, Entry]:
        """What is known of those accounts that were ever listened for; a killed process listens no more."""
        now = self._clock.now()
        leases, listener = leases_table.c, listeners_table.c
        query = (
            select(
                listeners_table,
                is_ahead(leases.held_until, leases.written_at, now).label("held"),
                is_ahead(leases.paused_until, leases.written_at, now).label("paused"),
                leases.paused_until,
            )
            .outerjoin(leases_table, (leases.job == JOB) & (leases.account_id == listener.account_id))
            .where(listener.account_id.in_(account_ids))
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return {
            row.account_id: Entry(
                since=row.since if row.held else None,
                failed_at=row.failed_at,
                error=row.error,
                next_try=row.paused_until if row.paused else None,
            )
            for row in rows
        }
