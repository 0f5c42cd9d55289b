"""Solved tickets: the origin is told of each until it has taken it, and not again.

    acting → done      the origin has taken it
           → owed      it could not: Zendesk repeats the event within minutes, housekeeping tries every hour
           → refused   it never will, or could not for three days

A claim that ran out belongs to a process that is no more: whoever finds it acts in its place.
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Table,
    and_,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from ..core.accounts import Account, Accounts, UnknownAccountError
from ..core.clock import JITTER
from ..core.database import Bound, Database, Line, UtcDateTime, tables
from ..core.keyset import Keyset
from ..core.metrics import Metrics
from ..core.origin_backoff import OriginBackoff
from ..core.outbound import calling_for
from ..origin_protocol import OriginProtocol, SolvedTicket, TicketRejectedError
from .messages import TicketEvent

TIME_LIMIT = 25.0
"""Seconds that the origin may take; a flow ends after 100."""

LEASE = timedelta(seconds=TIME_LIMIT + 15)
PATIENCE = timedelta(days=3)
"""How long the origin is tried."""

solved_tickets_table = Table(
    "solved_tickets",
    tables,
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("event", String(128), primary_key=True),
    Column("thread_id", String(255), primary_key=True),
    Column("ticket_id", BigInteger, nullable=False),
    Column("solved_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("claim", String(36), nullable=False),
    Column("claimed_at", UtcDateTime, nullable=False),
    Column("told_at", UtcDateTime, nullable=False),
    Column("detail", Line(500), nullable=False),
    Index("ix_solved_tickets_told_at", "told_at", "account_id", "event", "thread_id"),
    Index("ix_solved_tickets_account_id_told_at", "account_id", "told_at"),
    info={"bound": Bound.time},
)
_columns = solved_tickets_table.c

OWED: ColumnElement[bool] = literal_column("state IN ('acting', 'owed')")
"""The states are written into the SQL: the index serves only who says so."""

Index("ix_solved_tickets_owed", _columns.told_at, sqlite_where=OWED, postgresql_where=OWED)

SOLVED_TICKETS = Keyset(_columns.told_at, _columns.account_id, _columns.event, _columns.thread_id)

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ToldTicket:
    """One solved ticket for people to look at."""

    account_id: str
    event: str
    told_at: datetime
    ticket_id: int
    thread_id: str
    state: str
    detail: str


class SolvedTickets:
    def __init__(
        self, database: Database, accounts: Accounts[Any], origin: OriginProtocol[Any], metrics: Metrics
    ) -> None:
        self._database = database
        self._clock = database.clock
        self._accounts = accounts
        self._origin = origin
        self._backoff = OriginBackoff(accounts, database.clock)
        self._metrics = metrics

    async def take(self, account: Account, thread_id: str, event: TicketEvent) -> str:
        """Tell the origin, unless it knows or somebody is telling it now; give the state that the ticket is in."""
        now = self._clock.now()
        key = {"account_id": account.id, "event": event.key, "thread_id": thread_id}
        row = {
            "ticket_id": event.ticket.id,
            "solved_at": event.meta.occurred_at,
            "state": "acting",
            "claim": str(uuid.uuid4()),
            "claimed_at": now,
            "told_at": now,
            "detail": "",
        }
        try:
            async with self._database.writing() as connection:
                await connection.execute(insert(solved_tickets_table).values(key | row))
        except IntegrityError:
            return await self._take_over(key)
        return await self._act(key | row)

    async def take_over_owed(self) -> None:
        """Tell the origin of what it could not take, and of what a killed process had begun."""
        keys = (_columns.account_id, _columns.event, _columns.thread_id)
        query = select(*keys).where(OWED, _is_free(self._clock.now())).order_by(_columns.told_at)
        async with self._database.reading() as connection:
            rows = [row._asdict() for row in await connection.execute(query)]
        for key in rows:
            await self._take_over(key)

    async def take_back(self) -> None:
        """Free what killed processes had claimed."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(solved_tickets_table).where(OWED, _columns.state == "acting").values(state="owed")
            )

    async def last(self, limit: int, account_id: str | None = None, behind: str = "") -> list[ToldTicket]:
        """The newest first, of all accounts or one, from behind a place on."""
        query = SOLVED_TICKETS.page(select(*(_columns[name] for name in ToldTicket.__slots__)), limit, behind)
        if account_id:
            query = query.where(_columns.account_id == account_id)
        async with self._database.reading() as connection:
            return [ToldTicket(**row._asdict()) for row in await connection.execute(query)]

    async def forget(self, older_than: timedelta) -> None:
        """Drop what was settled so long ago that Zendesk will not tell of it any more."""
        await self._database.delete_in_parts(
            solved_tickets_table,
            _columns.state.in_(("done", "refused")),
            _columns.told_at < self._clock.now() - older_than,
        )

    async def _take_over(self, key: Mapping[str, Any]) -> str:
        now = self._clock.now()
        change = (
            update(solved_tickets_table)
            .where(*_is(key), _is_free(now))
            .values(state="acting", claim=str(uuid.uuid4()), claimed_at=now)
            .returning(solved_tickets_table)
        )
        async with self._database.writing() as connection:
            row = (await connection.execute(change)).one_or_none()
            if row is None:
                state = await connection.scalar(select(_columns.state).where(*_is(key)))
                return state or "account gone"
        return await self._act(row._asdict())

    async def _act(self, row: Mapping[str, Any]) -> str:
        ticket = SolvedTicket(
            idempotency_key=f"{row['event']}:{row['thread_id']}",
            ticket_id=row["ticket_id"],
            thread_id=row["thread_id"],
            solved_at=row["solved_at"],
        )
        try:
            account = await self._accounts.by_id(row["account_id"])
            opened = self._accounts.opened(account)
            async with asyncio.timeout(TIME_LIMIT), self._backoff.calling(account):
                with calling_for("solved tickets"):
                    await self._origin.ticket_solved(opened, ticket)
        except UnknownAccountError:
            return "account gone"
        except TicketRejectedError as error:
            return await self._settle(row, "refused", str(error))
        except Exception as error:  # noqa: BLE001
            is_late = self._clock.now() - row["told_at"] > PATIENCE
            return await self._settle(
                row, "refused" if is_late else "owed", f"{type(error).__name__}: {error}"
            )
        return await self._settle(row, "done", "")

    async def _settle(self, row: Mapping[str, Any], state: str, detail: str) -> str:
        async with self._database.writing() as connection:
            await connection.execute(
                update(solved_tickets_table)
                .where(*_is(row), _columns.claim == row["claim"])
                .values(state=state, detail=detail)
            )
        self._metrics.solved_tickets.labels(state).inc()
        log = logger.info if state == "done" else logger.warning
        log("solved ticket", account=row["account_id"], ticket=row["ticket_id"], state=state, detail=detail)
        return state


def _is(key: Mapping[str, Any]) -> tuple[ColumnElement[bool], ...]:
    return tuple(_columns[name] == key[name] for name in ("account_id", "event", "thread_id"))


def _is_free(now: datetime) -> ColumnElement[bool]:
    """SQL that says whether nobody is telling the origin; a clock that was ahead may have written the claim."""
    ran_out = or_(_columns.claimed_at <= now - LEASE, _columns.claimed_at > now + JITTER)
    return or_(_columns.state == "owed", and_(_columns.state == "acting", ran_out))
