"""Posts that are owed to Zendesk, kept until it has them (SVC-57).

A message is stored in the transaction that accepts it and leaves the state `waiting` only with an answer of Zendesk's:

    waiting → delivered     Zendesk has it
            → dead          it was refused too often; people look at it, and retry or drop it
    quarantined             it could not become a valid resource and is never sent

The order of acceptance is the order of sending.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from .messages import ExternalResource
from .store import Line, Store, UtcDateTime, line, tables

MessageId = BigInteger().with_variant(Integer, "sqlite")

ASKED_AT_ONCE = 1000
"""Ids in one query: databases limit the parameters of a statement."""

outbox_table = Table(
    "outbox",
    tables,
    Column("id", MessageId, primary_key=True, autoincrement=True),
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("external_id", Line(255), nullable=False),
    Column("author_id", String(255), nullable=False),
    Column("parent_id", String(255)),
    Column("thread", String(255), nullable=False),
    Column("resource", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("parent_missing_since", UtcDateTime),
    Column("accepted_at", UtcDateTime, nullable=False),
    Column("settled_at", UtcDateTime),
    UniqueConstraint("account_id", "external_id", name="uq_outbox_account_id_external_id"),
    Index("ix_outbox_state_settled_at", "state", "settled_at"),
    # The number of a message that was deleted on its way must not become that of another.
    sqlite_autoincrement=True,
)

IS_WAITING = outbox_table.c.state == literal_column("'waiting'")
"""The state is written into the SQL: the indexes of what is waiting serve only queries that say so themselves."""

_WAITING = text("state = 'waiting'")
_PARENT_MISSING = text("parent_missing_since IS NOT NULL")
for _name, _column, _rows in (
    ("ix_outbox_waiting", outbox_table.c.id, _WAITING),
    ("ix_outbox_due", outbox_table.c.due_at, _WAITING),
    ("ix_outbox_parent_missing", outbox_table.c.parent_id, _PARENT_MISSING),
):
    Index(_name, outbox_table.c.account_id, _column, sqlite_where=_rows, postgresql_where=_rows)

history_table = Table(
    "outbox_history",
    tables,
    Column("id", MessageId, primary_key=True, autoincrement=True),
    Column("message_id", MessageId, ForeignKey("outbox.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("what", Line(500), nullable=False),
)

webhooks_table = Table(
    "webhook_deliveries",
    tables,
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("delivery", Line(255), primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A post that could not become a valid resource, and why."""

    item_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A message for people to look at; `history` is what happened to it, the oldest first."""

    id: int
    account_id: str
    external_id: str
    thread: str
    state: str
    attempts: int
    accepted_at: datetime
    due_at: datetime
    history: tuple[tuple[datetime, str], ...]


@dataclass(frozen=True, slots=True)
class Load:
    """How many messages of an account are in each state, and since when the oldest has been waiting."""

    account_id: str
    counts: dict[str, int]
    oldest_waiting: datetime | None


class Outbox:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def accept(
        self,
        account_id: str,
        delivery: str,
        resources: Sequence[ExternalResource],
        refused: Sequence[Refused] = (),
    ) -> int:
        """Store what one webhook brought, in its order, and say how many posts were new.

        A delivery that was seen before, and a post that was, change nothing; but a post that was quarantined is new
        when it comes again and is valid.
        """
        now = datetime.now(UTC)
        async with self._store.writing() as connection:
            await take_turns(connection, account_id)
            if await _is_repeated(connection, account_id, delivery):
                return 0
            if not refused:
                # Otherwise the delivery may come again, when what was wrong with its posts has been mended.
                await connection.execute(
                    insert(webhooks_table).values(account_id=account_id, delivery=delivery, at=now)
                )
            return await _add(connection, account_id, resources, refused, now)

    async def delivered(self, account_id: str, external_ids: Sequence[str]) -> set[str]:
        """Those of the posts that Zendesk has been given."""
        query = select(outbox_table.c.external_id).where(
            outbox_table.c.account_id == account_id,
            outbox_table.c.external_id.in_(external_ids),
            outbox_table.c.state == "delivered",
        )
        async with self._store.reading() as connection:
            return set(await connection.scalars(query))

    async def loads(self) -> list[Load]:
        """The state of every account that ever had a message."""
        query = select(
            outbox_table.c.account_id,
            outbox_table.c.state,
            func.count().label("messages"),
            func.min(outbox_table.c.accepted_at).label("oldest"),
        ).group_by(outbox_table.c.account_id, outbox_table.c.state)
        counts: dict[str, dict[str, int]] = {}
        oldest: dict[str, datetime] = {}
        async with self._store.reading() as connection:
            for row in await connection.execute(query):
                counts.setdefault(row.account_id, {})[row.state] = row.messages
                if row.state == "waiting":
                    oldest[row.account_id] = row.oldest
        return [Load(account_id, found, oldest.get(account_id)) for account_id, found in counts.items()]

    async def kept(self, *states: str, account_id: str | None = None, limit: int = 100) -> list[Kept]:
        """Messages in one of the states, of all accounts or one, with their history, the newest first."""
        query = (
            select(outbox_table)
            .where(outbox_table.c.state.in_(states))
            .order_by(outbox_table.c.id.desc())
            .limit(limit)
        )
        if account_id:
            query = query.where(outbox_table.c.account_id == account_id)
        async with self._store.reading() as connection:
            rows = (await connection.execute(query)).all()
            history: dict[int, list[tuple[datetime, str]]] = {row.id: [] for row in rows}
            found = await connection.execute(
                select(history_table)
                .where(history_table.c.message_id.in_(history))
                .order_by(history_table.c.id)
            )
            for entry in found:
                history[entry.message_id].append((entry.at, entry.what))
        return [
            Kept(
                id=row.id,
                account_id=row.account_id,
                external_id=row.external_id,
                thread=row.thread,
                state=row.state,
                attempts=row.attempts,
                accepted_at=row.accepted_at,
                due_at=row.due_at,
                history=tuple(history[row.id]),
            )
            for row in rows
        ]

    async def retry(self, message_ids: Collection[int] = ()) -> list[str]:
        """Put dead letters, all or these, back where they stood in the order, and give the account of each."""
        now = datetime.now(UTC)
        chosen = [outbox_table.c.state == "dead"]
        if message_ids:
            chosen.append(outbox_table.c.id.in_(message_ids))
        again = {
            "state": "waiting",
            "attempts": 0,
            "due_at": now,
            "settled_at": None,
            "parent_missing_since": None,
        }
        async with self._store.writing() as connection:
            retried = (
                await connection.execute(
                    update(outbox_table)
                    .where(*chosen)
                    .values(again)
                    .returning(outbox_table.c.id, outbox_table.c.account_id)
                )
            ).all()
            if retried:
                notes = [{"message_id": row.id, "at": now, "what": "retried by hand"} for row in retried]
                await connection.execute(insert(history_table), notes)
        return [row.account_id for row in retried]

    async def drop(self, message_ids: Collection[int]) -> int:
        """Delete dead letters and quarantined posts for good, and say how many were found."""
        async with self._store.writing() as connection:
            dropped = await connection.execute(
                delete(outbox_table).where(
                    outbox_table.c.id.in_(message_ids), outbox_table.c.state.in_(("dead", "quarantined"))
                )
            )
        return dropped.rowcount

    async def erase_author(self, account_id: str, author_id: str) -> int:
        """Delete everything that a person wrote and that is still here (SVC-55), and say how much it was."""
        async with self._store.writing() as connection:
            erased = await connection.execute(
                delete(outbox_table).where(
                    outbox_table.c.account_id == account_id, outbox_table.c.author_id == author_id
                )
            )
        return erased.rowcount

    async def forget(self, older_than: timedelta) -> None:
        """Drop what was settled before that; dead letters stay until people have looked at them."""
        before = datetime.now(UTC) - older_than
        async with self._store.writing() as connection:
            await connection.execute(
                delete(outbox_table).where(
                    outbox_table.c.state.not_in(("waiting", "dead", "quarantined")),
                    outbox_table.c.settled_at < before,
                )
            )
            await connection.execute(delete(webhooks_table).where(webhooks_table.c.at < before))


async def take_turns(connection: AsyncConnection, account_id: str) -> None:
    """Have whoever else stores messages of the account wait until this transaction ends."""
    # On PostgreSQL the lower id can be committed later, and a sender that has gone past it would break the order.
    if connection.dialect.name == "postgresql":
        await connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:account, 0))"), {"account": account_id}
        )


async def _is_repeated(connection: AsyncConnection, account_id: str, delivery: str) -> bool:
    query = select(webhooks_table.c.at).where(
        webhooks_table.c.account_id == account_id, webhooks_table.c.delivery == delivery
    )
    return (await connection.execute(query)).first() is not None


async def _add(
    connection: AsyncConnection,
    account_id: str,
    resources: Sequence[ExternalResource],
    refused: Sequence[Refused],
    now: datetime,
) -> int:
    reasons = {line(entry.item_id, 255): entry.reason for entry in refused}
    ids = [*(resource.external_id for resource in resources), *reasons]
    parents = (resource.parent_id for resource in resources if resource.parent_id)
    known = await _known(connection, account_id, [*ids, *parents])
    threads = {external_id: row.thread for external_id, row in known.items()}
    common = {"account_id": account_id, "attempts": 0, "due_at": now, "accepted_at": now}
    waiting: dict[str, dict[str, Any]] = {}
    for resource in resources:
        external_id = resource.external_id
        if external_id in waiting or (external_id in known and known[external_id].state != "quarantined"):
            continue
        threads[external_id] = thread_of(resource, threads)
        content = as_stored(resource)
        waiting[external_id] = common | {
            "external_id": external_id,
            "author_id": resource.author.external_id,
            "parent_id": resource.parent_id,
            "thread": threads[external_id],
            "resource": content,
            "size": len(content.encode()),
            "state": "waiting",
        }
    for mended in _parts(list(waiting.keys() & known.keys())):
        await connection.execute(
            delete(outbox_table).where(
                outbox_table.c.account_id == account_id, outbox_table.c.external_id.in_(mended)
            )
        )
    if waiting:
        await connection.execute(insert(outbox_table), list(waiting.values()))
    quarantined = [item_id for item_id in reasons if item_id not in known and item_id not in waiting]
    if quarantined:
        nothing = {"author_id": "", "resource": "", "size": 0, "state": "quarantined", "settled_at": now}
        await connection.execute(
            insert(outbox_table),
            [common | nothing | {"external_id": item_id, "thread": item_id} for item_id in quarantined],
        )
        await connection.execute(
            _NOTE,
            [
                {"account": account_id, "external": item_id, "at": now, "what": reasons[item_id]}
                for item_id in quarantined
            ],
        )
    return len(waiting)


_NOTE = insert(history_table).from_select(
    ["message_id", "at", "what"],
    select(
        outbox_table.c.id,
        bindparam("at", type_=history_table.c.at.type),
        bindparam("what", type_=history_table.c.what.type),
    ).where(
        outbox_table.c.account_id == bindparam("account"),
        outbox_table.c.external_id == bindparam("external"),
    ),
)


async def _known(
    connection: AsyncConnection, account_id: str, external_ids: Sequence[str]
) -> dict[str, Row[Any]]:
    """State and thread of those that are here."""
    known: dict[str, Row[Any]] = {}
    columns = (outbox_table.c.external_id, outbox_table.c.state, outbox_table.c.thread)
    for part in _parts(external_ids):
        rows = await connection.execute(
            select(*columns).where(
                outbox_table.c.account_id == account_id, outbox_table.c.external_id.in_(part)
            )
        )
        known |= {row.external_id: row for row in rows}
    return known


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), ASKED_AT_ONCE):
        yield ids[start : start + ASKED_AT_ONCE]


def thread_of(resource: ExternalResource, threads: dict[str, str]) -> str:
    """Give the key of a post's thread; `threads` holds those of the posts that it may answer."""
    if resource.thread_id:
        return resource.thread_id
    if resource.parent_id:
        return threads.get(resource.parent_id, resource.parent_id)
    return resource.external_id


def as_stored(resource: ExternalResource) -> str:
    return resource.model_dump_json(exclude_none=True)
