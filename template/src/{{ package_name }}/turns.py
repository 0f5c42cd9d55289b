"""Whose turn it is: work for one account is done by one worker at a time, whatever becomes of that worker.

A turn is a lease. Its holder renews it with everything that it writes, in the same transaction; a holder that was
given up for dead, and comes back, finds that its turn is over and writes nothing.
"""

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, ForeignKey, Integer, String, Table, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from .store import Line, Store, UtcDateTime, tables

LEASE = timedelta(seconds=30)
"""Longer than any step between two renewals; as long as an account waits when a worker is killed."""

turns_table = Table(
    "turns",
    tables,
    Column("work", String(32), primary_key=True),
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("holder", String(36)),
    Column("held_until", UtcDateTime, nullable=False),
    Column("paused_until", UtcDateTime, nullable=False),
    Column("reason", Line(500), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("spent_until", UtcDateTime, nullable=False),
)


class TurnLostError(Exception):
    """The lease ran out and another worker has begun: what was to be written is not true any more."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A lease, and what is remembered of an account between two of them.

    `failures` counts what went wrong in a row with the account as a whole; up to `spent_until` the requests that it
    may make are used up. Both are stored with the next write, so that they outlast their holder.
    """

    work: str
    account_id: str
    holder: str
    held_until: datetime
    failures: int
    spent_until: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is done for an account until then, and why."""

    account_id: str
    until: datetime
    reason: str


class Turns:
    """The turns of one kind of work."""

    def __init__(self, store: Store, work: str, lease: timedelta = LEASE) -> None:
        self._store = store
        self._work = work
        self._lease = lease

    def unavailable(self, account_id: ColumnElement[str], now: datetime) -> ColumnElement[bool]:
        """SQL that says whether the account is paused or its turn is held."""
        return (
            select(turns_table.c.account_id)
            .where(turns_table.c.work == self._work, turns_table.c.account_id == account_id)
            .where(or_(turns_table.c.paused_until > now, turns_table.c.held_until > now))
            .exists()
        )

    async def take(self, account_id: str) -> Turn | None:
        """Take the account's turn for as long as the lease; None while another holds it or the account is paused."""
        now = datetime.now(UTC)
        holder, held_until = str(uuid.uuid4()), now + self._lease
        async with self._store.writing() as connection:
            row = (
                await connection.execute(
                    update(turns_table)
                    .where(*self._is(account_id))
                    .where(turns_table.c.held_until <= now, turns_table.c.paused_until <= now)
                    .values(holder=holder, held_until=held_until)
                    .returning(turns_table.c.failures, turns_table.c.spent_until)
                )
            ).one_or_none()
            if row is not None:
                return Turn(self._work, account_id, holder, held_until, row.failures, row.spent_until)
            if (await connection.execute(select(turns_table.c.work).where(*self._is(account_id)))).first():
                return None
        return await self._take_first(Turn(self._work, account_id, holder, held_until, 0, now))

    async def renew(self, connection: AsyncConnection, turn: Turn) -> Turn:
        """Go on holding the turn; raises TurnLostError, upon which the caller's transaction must end."""
        held = replace(turn, held_until=datetime.now(UTC) + self._lease)
        values = {
            "held_until": held.held_until,
            "failures": held.failures,
            "spent_until": held.spent_until,
            "reason": "",
        }
        if not await self._write(connection, turn, values):
            raise TurnLostError(f"another worker has the turn of account {turn.account_id}")
        return held

    async def outlast(self, turn: Turn, duration: timedelta) -> Turn:
        """Renew the turn if it does not last that much longer; raises TurnLostError."""
        if turn.held_until - datetime.now(UTC) > duration:
            return turn
        async with self._store.writing() as connection:
            return await self.renew(connection, turn)

    async def end(self, turn: Turn, pause: Pause | None = None) -> None:
        """Let others have the turn, at once or after a pause; one that is lost already needs no end."""
        now = datetime.now(UTC)
        values = {
            "holder": None,
            "held_until": now,
            "failures": turn.failures,
            "spent_until": turn.spent_until,
            "paused_until": pause.until if pause else now,
            "reason": pause.reason if pause else "",
        }
        async with self._store.writing() as connection:
            await self._write(connection, turn, values)

    async def resume(self, account_id: str) -> None:
        """Forget why the account was paused: something has changed."""
        async with self._store.writing() as connection:
            await connection.execute(
                update(turns_table)
                .where(*self._is(account_id))
                .values(paused_until=datetime.now(UTC), failures=0, reason="")
            )

    async def pauses(self) -> list[Pause]:
        """The accounts that are paused now, for people to look at."""
        async with self._store.reading() as connection:
            rows = await connection.execute(
                select(turns_table)
                .where(turns_table.c.work == self._work, turns_table.c.paused_until > datetime.now(UTC))
                .order_by(turns_table.c.paused_until)
            )
            return [Pause(row.account_id, row.paused_until, row.reason) for row in rows]

    async def _take_first(self, turn: Turn) -> Turn | None:
        first = {
            "work": turn.work,
            "account_id": turn.account_id,
            "holder": turn.holder,
            "held_until": turn.held_until,
            "paused_until": turn.spent_until,
            "reason": "",
            "failures": turn.failures,
            "spent_until": turn.spent_until,
        }
        try:
            async with self._store.writing() as connection:
                await connection.execute(insert(turns_table).values(first))
        except IntegrityError:
            # Somebody was faster, or the account is gone.
            return None
        return turn

    async def _write(self, connection: AsyncConnection, turn: Turn, values: dict[str, Any]) -> bool:
        written = await connection.execute(
            update(turns_table)
            .where(*self._is(turn.account_id), turns_table.c.holder == turn.holder)
            .values(values)
        )
        return bool(written.rowcount)

    def _is(self, account_id: str) -> list[ColumnElement[bool]]:
        return [turns_table.c.work == self._work, turns_table.c.account_id == account_id]
