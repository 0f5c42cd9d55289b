"""The sender's side of the outbox: what may be sent now, in order, and what became of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from .connections import Access, connections_table
from .messages import ExternalResource
from .outbox import IS_WAITING, as_stored, history_table, outbox_table
from .store import Store
from .turns import Turns

SCANNED = 500
"""Waiting messages that are looked through at a time for those that may be sent."""

Fate = Literal["delivered", "dead", "waiting"]


@dataclass(frozen=True, slots=True)
class Message:
    """One post on its way; `thread` is the key under which Zendesk threads it if its parent cannot be found."""

    id: int
    external_id: str
    parent_id: str | None
    thread: str
    stored: str
    attempts: int
    parent_missing_since: datetime | None

    def resource(self) -> ExternalResource:
        """Raises ValidationError if the limits have been tightened since the message was accepted."""
        return ExternalResource.model_validate_json(self.stored)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one try.

    A message that goes on waiting is due again at once, or at `due_at`. `counted` is False for a try that says nothing
    about the message itself. `resource` replaces what is sent next time, `what` goes into the history.
    """

    message: Message
    fate: Fate
    what: str = ""
    due_at: datetime | None = None
    counted: bool = True
    parent_missing_since: datetime | None = None
    resource: ExternalResource | None = None


@dataclass(frozen=True, slots=True)
class Parent:
    """The message that brings a post to which others answer."""

    state: str
    thread: str

    @property
    def will_not_come(self) -> bool:
        return self.state in ("dead", "quarantined")


class OutboxQueue:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def accounts_due(self, turns: Turns) -> list[str]:
        """Accounts that have something to send, may push, and that nobody is at work for."""
        now = datetime.now(UTC)
        is_due = (
            select(outbox_table.c.id)
            .where(outbox_table.c.account_id == connections_table.c.account_id)
            .where(IS_WAITING, outbox_table.c.due_at <= now)
        )
        query = (
            select(connections_table.c.account_id)
            .where(connections_table.c.access.in_((Access.unchecked, Access.valid)))
            .where(is_due.exists(), ~turns.unavailable(connections_table.c.account_id, now))
        )
        async with self._store.reading() as connection:
            return list(await connection.scalars(query))

    async def anything_due(self, account_id: str) -> bool:
        """Whether the account's turn is worth taking. It is not held here, so nothing may be written."""
        return bool(await OutboxQueue.due(self, account_id, 1, 1))

    async def due(self, account_id: str, limit: int, size: int) -> list[Message]:
        """At most `limit` messages that may be sent now, in order: of `size` bytes together or a single larger one."""
        now = datetime.now(UTC)
        columns = [
            outbox_table.c[name] for name in ("id", "thread", "size", "due_at", "parent_missing_since")
        ]
        waiting = (
            select(*columns)
            .where(outbox_table.c.account_id == account_id, IS_WAITING)
            .order_by(outbox_table.c.id)
            .limit(SCANNED)
        )
        held: set[str] = set()
        chosen: list[int] = []
        room = size
        seen = 0
        async with self._store.reading() as connection:
            while len(chosen) < limit and room > 0:
                rows = (await connection.execute(waiting.where(outbox_table.c.id > seen))).all()
                for row in rows:
                    if row.due_at > now:
                        # Its parent may be behind it: what waits for that holds up nobody.
                        if row.parent_missing_since is None:
                            held.add(row.thread)
                    elif row.thread not in held:
                        room -= row.size
                        if len(chosen) == limit or (room < 0 and chosen):
                            break
                        chosen.append(row.id)
                if len(rows) < SCANNED:
                    break
                seen = rows[-1].id
            if not chosen:
                return []
            messages = await connection.execute(
                select(outbox_table).where(outbox_table.c.id.in_(chosen)).order_by(outbox_table.c.id)
            )
            return [_message(row) for row in messages]

    async def parents(self, account_id: str, external_ids: Collection[str]) -> dict[str, Parent]:
        """What is known of the posts that others answer, a batch of them at most."""
        query = select(outbox_table.c.external_id, outbox_table.c.state, outbox_table.c.thread).where(
            outbox_table.c.account_id == account_id, outbox_table.c.external_id.in_(external_ids)
        )
        async with self._store.reading() as connection:
            return {row.external_id: Parent(row.state, row.thread) for row in await connection.execute(query)}

    async def settle(
        self, connection: AsyncConnection, account_id: str, settlements: Sequence[Settlement]
    ) -> None:
        """Write down what became of a batch, within the transaction in which its sender proves its turn.

        What people have deleted in the meantime stays deleted.
        """
        now = datetime.now(UTC)
        delivered = [entry.message for entry in settlements if entry.fate == "delivered"]
        others = [entry for entry in settlements if entry.fate != "delivered"]
        if delivered:
            await connection.execute(
                update(outbox_table)
                .where(outbox_table.c.id.in_([message.id for message in delivered]))
                # What Zendesk has is not kept here as well.
                .values(
                    state="delivered",
                    resource="",
                    size=0,
                    attempts=outbox_table.c.attempts + 1,
                    settled_at=now,
                    parent_missing_since=None,
                )
            )
            await _wake_children(connection, account_id, delivered, now)
        if others:
            await connection.execute(_UPDATE, [_changed(entry, now) for entry in others])
        if noted := [entry for entry in settlements if entry.what]:
            await connection.execute(
                _NOTE, [{"message": entry.message.id, "at": now, "what": entry.what} for entry in noted]
            )


_UPDATE = (
    update(outbox_table)
    .where(outbox_table.c.id == bindparam("message"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "state",
                "attempts",
                "due_at",
                "parent_missing_since",
                "settled_at",
                "parent_id",
                "thread",
                "resource",
            )
        }
    )
)

_NOTE = insert(history_table).from_select(
    ["message_id", "at", "what"],
    select(
        outbox_table.c.id,
        bindparam("at", type_=history_table.c.at.type),
        bindparam("what", type_=history_table.c.what.type),
    ).where(outbox_table.c.id == bindparam("message")),
)


def _changed(settlement: Settlement, now: datetime) -> dict[str, Any]:
    message, resource = settlement.message, settlement.resource
    values = {
        "message": message.id,
        "state": settlement.fate,
        "attempts": message.attempts + settlement.counted,
        "due_at": settlement.due_at or now,
        "parent_missing_since": settlement.parent_missing_since,
        "settled_at": None if settlement.fate == "waiting" else now,
        "parent_id": message.parent_id,
        "thread": message.thread,
        "resource": message.stored,
    }
    if resource:
        values |= {
            "parent_id": resource.parent_id,
            "thread": resource.thread_id,
            "resource": as_stored(resource),
        }
    return values


async def _wake_children(
    connection: AsyncConnection, account_id: str, delivered: Sequence[Message], now: datetime
) -> None:
    ids = [message.external_id for message in delivered]
    await connection.execute(
        update(outbox_table)
        .where(outbox_table.c.account_id == account_id, outbox_table.c.parent_id.in_(ids))
        .where(outbox_table.c.parent_missing_since.is_not(None))
        .values(due_at=now)
    )


def _message(row: Row[Any]) -> Message:
    return Message(
        id=row.id,
        external_id=row.external_id,
        parent_id=row.parent_id,
        thread=row.thread,
        stored=row.resource,
        attempts=row.attempts,
        parent_missing_since=row.parent_missing_since,
    )
