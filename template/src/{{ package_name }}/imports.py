"""What became of pushed posts in Zendesk: the ticket and the comment of each."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from .outbox import outbox_table
from .store import Line, Store, UtcDateTime, tables

imports_table = Table(
    "imports",
    tables,
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("external_id", Line(255), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("ticket_id", BigInteger, nullable=False),
    Column("comment_id", BigInteger, nullable=False),
    Column("follow_up_ticket_id", BigInteger),
    Column("at", UtcDateTime, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Import:
    """One post that Zendesk confirmed; `kind` is Zendesk's word for what became of it."""

    account_id: str
    external_id: str
    kind: str
    ticket_id: int
    comment_id: int
    follow_up_ticket_id: int | None
    at: datetime


class Imports:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def record(self, confirmed: Sequence[Import]) -> None:
        """Keep what Zendesk confirmed; a post that is confirmed again replaces its earlier entry."""
        async with self._store.writing() as connection:
            # In one order, so that requests that overlap cannot wait for each other.
            for entry in sorted(confirmed, key=attrgetter("external_id")):
                await _record(connection, entry)

    async def last(self, limit: int) -> list[Import]:
        """The newest first."""
        async with self._store.reading() as connection:
            rows = await connection.execute(
                select(imports_table).order_by(imports_table.c.at.desc()).limit(limit)
            )
            return [Import(**row._asdict()) for row in rows]

    async def erase_author(self, account_id: str, author_id: str) -> int:
        """Delete what became of a person's posts, as long as the outbox knows which those are (SVC-55)."""
        written = select(outbox_table.c.external_id).where(
            outbox_table.c.account_id == account_id, outbox_table.c.author_id == author_id
        )
        async with self._store.writing() as connection:
            erased = await connection.execute(
                delete(imports_table)
                .where(imports_table.c.account_id == account_id)
                .where(imports_table.c.external_id.in_(written))
            )
        return erased.rowcount

    async def forget(self, older_than: timedelta) -> None:
        async with self._store.writing() as connection:
            await connection.execute(
                delete(imports_table).where(imports_table.c.at < datetime.now(UTC) - older_than)
            )


async def _record(connection: AsyncConnection, entry: Import) -> None:
    try:
        async with connection.begin_nested():
            await connection.execute(insert(imports_table).values(asdict(entry)))
    except IntegrityError:
        await connection.execute(
            update(imports_table)
            .where(imports_table.c.account_id == entry.account_id)
            .where(imports_table.c.external_id == entry.external_id)
            .values(asdict(entry))
        )
