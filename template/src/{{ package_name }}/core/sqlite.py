"""SQLite: statements run in the event loop, and in a thread when they wait.

Nearly every statement takes microseconds, and a hand-over to a thread takes forty of them.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import islice
from typing import Any, Self, TypeVar

from sqlalchemy import (
    URL,
    Connection,
    Dialect,
    Executable,
    NullPool,
    Row,
    ScalarResult,
    create_engine,
    event,
    exc,
)
from sqlalchemy.engine.interfaces import DBAPIConnection

from .transaction import Found, Parameters

Result = TypeVar("Result")

MANY = 100
"""Rows that are written at once in the event loop."""

KEPT = 8
"""Connections that stay open while nobody uses them."""

LONG = 50_000
"""Instructions of SQLite's virtual machine, a few milliseconds, after which a query moves to a thread."""

NOTHING_DONE = ("SQLITE_BUSY", "SQLITE_INTERRUPT")
"""Another process has the file locked, or a query was interrupted: it may run again."""


class SqliteFile:
    """A file, of which any number of transactions read while one of them writes."""

    def __init__(self, url: URL, busy_seconds: float) -> None:
        """One who waits for another's lock waits for so many seconds, in a thread."""
        # What is stored must not stand in an exception, and so in a log.
        self._engine = create_engine(
            url,
            hide_parameters=True,
            poolclass=NullPool,
            # It begins no transaction by itself.
            connect_args={
                "factory": SqliteConnection,
                "isolation_level": None,
                "timeout": 0,
                "check_same_thread": False,
            },
        )

        @event.listens_for(self._engine, "connect")
        def configure(connection: DBAPIConnection, _record: object) -> None:
            assert isinstance(connection, SqliteConnection)  # noqa: S101
            connection.configure(busy_seconds)

        self._idle: list[Connection] = []
        # SQLite lets one write at a time, but not in the order of asking: who asks often makes others wait for seconds.
        self._next_writer = asyncio.Lock()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator["SqliteTransaction"]:
        # A transaction that begins by reading and then writes can fail at once on another writer, whatever the
        # timeout; one that takes the lock first waits for it.
        async with self._next_writer, self._begun("BEGIN IMMEDIATE") as connection:
            yield SqliteTransaction(connection)
            await in_a_thread(connection, connection.commit)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["SqliteTransaction"]:
        async with self._begun("BEGIN") as connection:
            yield SqliteTransaction(connection)

    async def rows(self, query: Executable, parameters: Parameters | None) -> Sequence[Row[Any]]:
        connection = await self._connection()
        try:
            return (await run(connection, query, parameters)).all()
        finally:
            self._keep(connection)

    async def close(self) -> None:
        while self._idle:
            await asyncio.to_thread(self._idle.pop().close)

    @asynccontextmanager
    async def _begun(self, statement: str) -> AsyncIterator[Connection]:
        connection = await self._connection()
        try:
            await attempt(connection, lambda: connection.exec_driver_sql(statement))
            yield connection
        finally:
            # What has not been committed is undone.
            connection.rollback()
            self._keep(connection)

    async def _connection(self) -> Connection:
        return self._idle.pop() if self._idle else await asyncio.to_thread(self._engine.connect)

    def _keep(self, connection: Connection) -> None:
        if len(self._idle) < KEPT:
            self._idle.append(connection)
        else:
            connection.close()


class SqliteTransaction:
    """Used by one task at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, statement: Executable, parameters: Parameters | None = None, /) -> Found:
        return await run(self._connection, statement, parameters)

    async def scalar(self, statement: Executable, parameters: Parameters | None = None, /) -> Any:
        return (await self.execute(statement, parameters)).scalar()

    async def scalars(
        self, statement: Executable, parameters: Parameters | None = None, /
    ) -> ScalarResult[Any]:
        return (await self.execute(statement, parameters)).scalars()

    async def run_sync(self, work: Callable[[Connection], Result], /) -> Result:
        return await in_a_thread(self._connection, lambda: work(self._connection))


async def run(connection: Connection, statement: Executable, parameters: Parameters | None) -> Found:
    """Execute a statement; what it finds is there without further waiting."""

    def work() -> Found:
        return connection.execute(statement, parameters)

    if _waits(statement, parameters):
        return await in_a_thread(connection, work)
    return await attempt(connection, work, may_be_long=statement.is_select)


def _waits(statement: Executable, parameters: Parameters | None) -> bool:
    """Whether it waits for the disk, or may touch any number of rows."""
    rows = 1 if parameters is None or not isinstance(parameters, list | tuple) else len(parameters)
    is_known = statement.is_select or statement.is_insert or statement.is_update
    return not is_known or rows > MANY


async def attempt(connection: Connection, work: Callable[[], Result], *, may_be_long: bool = False) -> Result:
    """Do what may have to wait for another process or, if it is a query, turn out to be long."""
    file = _file(connection)
    # A write is not interrupted: its whole transaction would be rolled back.
    file.may_be_interrupted = may_be_long
    try:
        return work()
    except exc.OperationalError as error:
        if getattr(error.orig, "sqlite_errorname", "") not in NOTHING_DONE:
            raise
    finally:
        file.may_be_interrupted = False
    return await in_a_thread(connection, work)


async def in_a_thread(connection: Connection, work: Callable[[], Result]) -> Result:
    file = _file(connection)
    thread = asyncio.get_running_loop().run_in_executor(None, file.patiently, work)
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        # The connection goes to nobody else while the thread uses it.
        while not thread.done():
            with suppress(asyncio.CancelledError, Exception):
                await asyncio.shield(thread)
        raise


def _file(connection: Connection) -> "SqliteConnection":
    file = connection.connection.dbapi_connection
    assert isinstance(file, SqliteConnection)  # noqa: S101
    return file


class SqliteConnection(sqlite3.Connection):
    """Waits for nobody, unless it is told to be patient."""

    may_be_interrupted = False
    _busy_milliseconds = 0

    def configure(self, busy_seconds: float) -> None:
        self._busy_milliseconds = int(busy_seconds * 1000)
        self.set_progress_handler(lambda: self.may_be_interrupted, LONG)
        until = time.monotonic() + busy_seconds
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "journal_mode=WAL"):
            self._insist(f"PRAGMA {pragma}", until)

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or ReadyCursor)

    def patiently(self, work: Callable[[], Result]) -> Result:
        """Do work for which another's lock is waited for."""
        self.execute(f"PRAGMA busy_timeout={self._busy_milliseconds}")
        try:
            return work()
        finally:
            self.execute("PRAGMA busy_timeout=0")

    def _insist(self, pragma: str, until: float) -> None:
        # Processes that start together on a new file all switch it to WAL. SQLite refuses that at once while another
        # one writes, and the rest while another one switches, whatever the timeout.
        while True:
            try:
                self.execute(pragma)
            except sqlite3.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return


class ReadyCursor(sqlite3.Cursor):
    """Fetches what a statement finds while it is executed."""

    _rows: Iterator[Any] = iter(())

    def execute(self, statement: str, parameters: Any = (), /) -> Self:
        super().execute(statement, parameters)
        self._rows = iter(super().fetchall())
        return self

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return list(islice(self._rows, size or self.arraysize))

    def fetchall(self) -> list[Any]:
        return list(self._rows)
