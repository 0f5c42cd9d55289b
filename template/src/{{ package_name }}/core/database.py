"""Database: SQLite or PostgreSQL, transactions, upserts, and the schema brought up to date at start."""

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Executable,
    MetaData,
    Row,
    String,
    Table,
    TypeDecorator,
    column,
    inspect,
    make_url,
    select,
    table,
    text,
    tuple_,
)
from sqlalchemy.dialects import sqlite

from .clock import Clock
from .masking import mask
from .process_lock import ProcessLock
from .sqlite import SqliteFile
from .transaction import Parameters, Transaction

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

    from .postgresql import PostgresqlServer

tables = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table; the module that owns one declares it here."""


class Bound(StrEnum):
    """What keeps a table from growing for ever. Each table names its own in `info`."""

    account = "an account has a fixed number of rows"
    time = "housekeeping deletes rows that are old"
    owner = "rows go with the row of another table to which they belong"
    work = "a row goes when what it asks for is done, or given up"


MIGRATIONS = Path(__file__).parents[1] / "migrations"
MIGRATION_LOCK = 7_146_391_210
BUSY_SECONDS = 10
"""How long one waits for another who has SQLite's file locked."""

ROOM = 1024 * 1024
"""Bytes that the disk of a SQLite file must have left."""

DELETED_AT_ONCE = 1000
"""Rows in one transaction."""

VERSIONS = table("alembic_version", column("version_num"))
"""Where Alembic keeps which revisions have been applied."""

ANY_ACCOUNT = "SELECT id FROM accounts LIMIT 1"

CLOCK_SECONDS = 1
"""How long the time that PostgreSQL gave is counted on before it is asked again."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, which comes back with its time zone from SQLite, too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Line(TypeDecorator[str]):
    """A text from outside, stored as `line` makes it. An id is stored as it is, whatever secret it resembles."""

    impl = String
    cache_ok = True

    def __init__(self, length: int, *, is_id: bool = False) -> None:
        super().__init__(length)
        self.length = length
        self.is_id = is_id

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value and (_storable(value, self.length) if self.is_id else line(value, self.length))


def line(text: str, length: int) -> str:
    """Cut a text from outside to its length, without secrets and the characters that PostgreSQL refuses."""
    return _storable(mask(text), length)


def _storable(text: str, length: int) -> str:
    return text.encode(errors="replace").decode().replace("\0", "?")[:length]


async def upsert(
    connection: Transaction, into: Table, rows: Sequence[Mapping[str, Any]], update: Sequence[str]
) -> None:
    """Insert rows; of one whose primary key is there already, change the columns named in `update`."""
    # In one order, so that transactions that overlap cannot wait for each other.
    keys = [key.name for key in into.primary_key]
    ordered = sorted(rows, key=lambda row: [str(row[key]) for key in keys])
    insert = _insert(into, connection.dialect.name)
    if ordered:
        await connection.execute(
            insert.on_conflict_do_update(
                index_elements=keys, set_={name: insert.excluded[name] for name in update}
            ),
            ordered,
        )


async def insert_new(connection: Transaction, into: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row, and say so, unless one with its key is there already."""
    return (await connection.execute(_insertion(into, connection.dialect.name), row)).first() is not None


@cache
def _insertion(into: Table, dialect: str) -> Executable:
    return _insert(into, dialect).on_conflict_do_nothing().returning(*into.primary_key)


def _insert(into: Table, dialect: str) -> "postgresql.Insert | sqlite.Insert":
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415

        return postgresql.insert(into)
    return sqlite.insert(into)


class Database:
    """SQLite in a file, or PostgreSQL."""

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self._url = make_url(url)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"
        self._server = SqliteFile(self._url, BUSY_SECONDS) if self._is_sqlite else _server(self._url)
        self._lock = ProcessLock(_lock_file(self._url.database) if self._is_sqlite else None)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        """A transaction, committed when the block ends without an exception."""
        async with self._server.writing() as transaction:
            await self._set_clock(transaction)
            yield transaction

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """A transaction that waits for no writer and changes nothing."""
        async with self._server.reading() as transaction:
            await self._set_clock(transaction)
            yield transaction

    async def rows(self, query: Executable, parameters: Parameters | None = None) -> Sequence[Row[Any]]:
        """Give what one query finds, in a transaction of its own; on SQLite for less than `reading` costs."""
        if isinstance(self._server, SqliteFile):
            return await self._server.rows(query, parameters)
        async with self.reading() as transaction:
            return (await transaction.execute(query, parameters)).all()

    async def first(self, query: Executable, parameters: Parameters | None = None) -> Row[Any] | None:
        """Give the first row that a query finds."""
        found = await self.rows(query, parameters)
        return found[0] if found else None

    @asynccontextmanager
    async def starting(self) -> AsyncIterator[bool]:
        """Say whether no other process uses the database; this one is seen to do so from now on, until `close`.

        False on PostgreSQL, where nobody can tell.
        """
        alone = await asyncio.to_thread(self._lock.take)
        yield alone
        self._lock.share()

    async def delete_in_parts(self, table: Table, *conditions: ColumnElement[bool]) -> int:
        """Delete rows, however many there are, so that others need not wait for the end of it; say how many."""
        part = select(*table.primary_key).where(*conditions).limit(DELETED_AT_ONCE)
        deletion = table.delete().where(tuple_(*table.primary_key).in_(part))
        deleted = 0
        while True:
            async with self.writing() as connection:
                count = (await connection.execute(deletion)).rowcount
            deleted += count
            if count < DELETED_AT_ONCE:
                return deleted

    async def migrate(self) -> None:
        """Create or upgrade the schema; processes that start together do so one after the other."""
        if self._is_sqlite and self._url.database:
            Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
        async with self.writing() as connection:
            if not self._is_sqlite:
                await connection.execute(
                    text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK}
                )
            await connection.run_sync(_upgrade)

    async def ping(self) -> None:
        """Raise whatever is raised when the database does not answer, lacks the tables or takes no writes."""
        async with self.writing() as connection:
            if not self._is_sqlite:
                await connection.execute(text(f"{ANY_ACCOUNT} FOR KEY SHARE SKIP LOCKED"))
                return
            await connection.execute(text(ANY_ACCOUNT))
            version = (await connection.execute(text("PRAGMA user_version"))).scalar_one()
            await connection.execute(text(f"PRAGMA user_version = {version}"))
        # What has room in the log may have none in the file.
        if self._url.database and shutil.disk_usage(Path(self._url.database).parent).free < ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def close(self) -> None:
        await self._server.close()
        self._lock.release()

    async def _set_clock(self, connection: Transaction) -> None:
        """Several machines share PostgreSQL's clock: theirs may be apart, and what one has written all believe."""
        if not self._is_sqlite and self.clock.age > CLOCK_SECONDS:
            self.clock.set((await connection.execute(text("SELECT clock_timestamp()"))).scalar_one())


def _server(url: URL) -> "PostgresqlServer":
    # Its import takes a fifth of a second, which SQLite need not wait for.
    from .postgresql import PostgresqlServer  # noqa: PLC0415

    return PostgresqlServer(url)


def _lock_file(database: str | None) -> Path | None:
    return Path(f"{database}.lock") if database and not database.startswith((":", "file:")) else None


def _upgrade(connection: Connection) -> None:
    if not _is_newest(connection):
        # Its import takes a third of a second and 20 MiB, which a service whose tables are up to date does without.
        from .schema import upgrade  # noqa: PLC0415

        upgrade(connection, MIGRATIONS)


def _is_newest(connection: Connection) -> bool:
    """Whether the last revision of each branch has been applied; their files are named `branch_number`."""
    newest: dict[str, str] = {}
    for file in sorted((MIGRATIONS / "versions").glob("*.py")):
        newest[file.stem.rpartition("_")[0]] = file.stem
    if not inspect(connection).has_table(VERSIONS.name):
        return False
    return {*newest.values()} <= {row.version_num for row in connection.execute(VERSIONS.select())}
