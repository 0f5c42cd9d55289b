"""Leases: at most one worker handles a job for an account at a time.

A holder renews its lease in the transaction of everything that it writes. One that was given up for dead, and comes
back, finds its lease lost and writes nothing. A lease or a pause that was written by a clock that was ahead does not
count: it would hold an account up for as long as that clock was ahead.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Integer,
    String,
    Table,
    bindparam,
    case,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from .database import Bound, Database, Line, UtcDateTime, tables
from .transaction import Transaction
from .waits import LATEST, NOW, at, is_ahead

LEASE = timedelta(seconds=30)
"""Longer than any step between two renewals; as long as an account waits when a worker is killed."""

leases_table = Table(
    "leases",
    tables,
    Column("job", String(32), primary_key=True),
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("holder", String(36)),
    Column("held_until", UtcDateTime, nullable=False),
    Column("paused_until", UtcDateTime, nullable=False),
    Column("reason", Line(500), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("spent_until", UtcDateTime, nullable=False),
    Column("written_at", UtcDateTime),
    info={"bound": Bound.account},
)


class LeaseLostError(Exception):
    """The lease ran out and another worker has begun: what was to be written is not true any more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work for an account until `held_until`, and what is remembered between two leases.

    `failures` counts what went wrong in a row with the account as a whole; up to `spent_until` the requests that it
    may make are used up. Both are stored with the next write, so that they outlast their holder.
    """

    job: str
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


class Leases:
    """The leases of one job."""

    def __init__(self, database: Database, job: str, lease: timedelta = LEASE) -> None:
        self._database = database
        self._clock = database.clock
        self._job = job
        self._lease = lease

    def at(self, now: datetime) -> dict[str, Any]:
        """The parameters of a statement that is made once and asks for what is `unavailable`."""
        return at(now) | {"of_job": self._job}

    async def take(self, account_id: str) -> Lease | None:
        """Take the account's lease; None while another worker holds it or the account is paused."""
        async with self._database.writing() as connection:
            now = self._clock.now()
            holder, held_until = str(uuid.uuid4()), now + self._lease
            values = {"holder": holder, "held_until": held_until, "paused_until": now, "written_at": now}
            found = await connection.execute(_TAKE, self._of(account_id) | at(now) | values)
            row = found.one_or_none()
            if row is not None:
                return Lease(self._job, account_id, holder, held_until, row.failures, row.spent_until)
            if (await connection.execute(_FIND, self._of(account_id))).first():
                return None
        return await self._take_first(Lease(self._job, account_id, holder, held_until, 0, now))

    async def renew(self, connection: Transaction, lease: Lease) -> Lease:
        """Extend the lease; raises LeaseLostError, upon which the caller's transaction must end."""
        now = self._clock.now()
        held = replace(lease, held_until=now + self._lease)
        values = {
            "held_until": held.held_until,
            "written_at": now,
            "failures": held.failures,
            "spent_until": held.spent_until,
            "reason": "",
        }
        if not await self._write(connection, lease, values):
            raise LeaseLostError(f"another worker holds the lease of account {lease.account_id}")
        return held

    async def outlast(self, lease: Lease, duration: timedelta) -> Lease:
        """Renew the lease if it does not last that much longer; raises LeaseLostError."""
        if duration < lease.held_until - self._clock.now() <= self._lease:
            return lease
        async with self._database.writing() as connection:
            return await self.renew(connection, lease)

    async def end(self, lease: Lease, pause: Pause | None = None) -> None:
        """Give the lease back, at once or with a pause; one that is lost already needs no end."""
        async with self._database.writing() as connection:
            await self.end_in(connection, lease, pause)

    async def end_in(self, connection: Transaction, lease: Lease, pause: Pause | None = None) -> bool:
        """Give the lease back in the caller's transaction, and say whether it was still held."""
        now = self._clock.now()
        values = {
            "holder": None,
            "held_until": now,
            "written_at": now,
            "failures": lease.failures,
            "spent_until": lease.spent_until,
            "paused_until": pause.until if pause else now,
            "reason": pause.reason if pause else "",
        }
        return await self._write(connection, lease, values)

    async def resume(self, account_id: str) -> None:
        """End the pause of an account and forget its failures: something has changed."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(leases_table)
                .where(*self._is(account_id))
                .values(paused_until=self._clock.now(), failures=0, reason="")
            )

    async def take_back(self) -> None:
        """End every lease: those who held one are no more."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(leases_table)
                .where(leases_table.c.job == self._job)
                .values(holder=None, held_until=self._clock.now())
            )

    async def pauses(self, account_ids: Collection[str]) -> list[Pause]:
        """Those of these accounts that are paused now, for people to look at."""
        query = (
            select(leases_table)
            .where(leases_table.c.job == self._job, leases_table.c.account_id.in_(account_ids))
            .where(is_ahead(leases_table.c.paused_until, leases_table.c.written_at, self._clock.now()))
            .order_by(leases_table.c.paused_until)
        )
        rows = await self._database.rows(query)
        return [Pause(row.account_id, row.paused_until, row.reason) for row in rows]

    async def _take_first(self, lease: Lease) -> Lease | None:
        first = {
            "job": lease.job,
            "account_id": lease.account_id,
            "holder": lease.holder,
            "held_until": lease.held_until,
            "paused_until": lease.spent_until,
            "reason": "",
            "failures": lease.failures,
            "spent_until": lease.spent_until,
            "written_at": lease.spent_until,
        }
        try:
            async with self._database.writing() as connection:
                await connection.execute(insert(leases_table).values(first))
        except IntegrityError:
            # Somebody was faster, or the account is gone.
            return None
        return lease

    async def _write(self, connection: Transaction, lease: Lease, values: dict[str, Any]) -> bool:
        key = self._of(lease.account_id) | {"of_holder": lease.holder}
        written = await connection.execute(_WRITE, key | values)
        return bool(written.rowcount)

    def _of(self, account_id: str) -> dict[str, Any]:
        return {"of_job": self._job, "of_account": account_id}

    def _is(self, account_id: str) -> list[ColumnElement[bool]]:
        return [leases_table.c.job == self._job, leases_table.c.account_id == account_id]


_lease = leases_table.c
_IS_UNAVAILABLE = or_(
    is_ahead(_lease.paused_until, _lease.written_at), is_ahead(_lease.held_until, _lease.written_at)
)


def unavailable(account_id: ColumnElement[str]) -> ColumnElement[bool]:
    """SQL that says whether the account is paused or its lease is held; `Leases.at` gives its parameters."""
    return (
        select(_lease.account_id)
        .where(_lease.job == bindparam("of_job"), _lease.account_id == account_id, _IS_UNAVAILABLE)
        .exists()
    )


_IS = (_lease.job == bindparam("of_job"), _lease.account_id == bindparam("of_account"))
_FIND = select(leases_table.c.job).where(*_IS)
_WRITE = update(leases_table).where(*_IS, leases_table.c.holder == bindparam("of_holder"))
_TAKE = (
    update(leases_table)
    .where(*_IS, ~_IS_UNAVAILABLE)
    .values(spent_until=case((leases_table.c.written_at > LATEST, NOW), else_=leases_table.c.spent_until))
    .returning(leases_table.c.failures, leases_table.c.spent_until)
)
