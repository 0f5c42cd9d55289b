"""SQLite driver, beneath SQLAlchemy's aiosqlite dialect: statements run in the event loop, and in a thread when they wait.

Nearly every statement takes microseconds, and a hand-over to a thread takes a hundred of them.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Self, TypeVar

Result = TypeVar("Result")

WAITING = ("ALTER", "COMMIT", "CREATE", "DELETE", "DROP", "PRAGMA")
"""Statements that wait for the disk, or may touch any number of rows."""

MANY = 100
"""Rows that are written at once in the event loop."""

LONG = 50_000
"""Instructions of SQLite's virtual machine, a few milliseconds, after which a query moves to a thread."""

NOTHING_DONE = ("SQLITE_BUSY", "SQLITE_INTERRUPT")
"""Another process has the file locked, or a query was interrupted: it may run again."""


async def connect(path: str, busy_seconds: float, **options: Any) -> "SqliteConnection":
    """Open a file. One who waits for another's lock waits for so many seconds, in a thread."""
    options |= {"timeout": 0, "check_same_thread": False}
    # It begins no transaction by itself: the database decides which kind.
    opened = sqlite3.connect(path, isolation_level=None, **options)
    return SqliteConnection(opened, busy_seconds)


class SqliteConnection:
    """Used by one task at a time."""

    def __init__(self, connection: sqlite3.Connection, busy_seconds: float) -> None:
        # The dialect looks at this name to see whether the connection is open.
        self._connection = connection
        self._busy_milliseconds = int(busy_seconds * 1000)
        self._may_be_interrupted = False
        connection.set_progress_handler(lambda: self._may_be_interrupted, LONG)

    def cursor(self) -> "SqliteCursor":
        return SqliteCursor(self, self._connection.cursor())

    async def run(self, statement: str, rows: int, work: Callable[[], Result]) -> Result:
        """Do `work`, which executes a statement for so many rows."""
        verb = statement.lstrip()[:8].upper()
        if rows > MANY or verb.startswith(WAITING):
            return await self._in_a_thread(work)
        # A write is not interrupted: its whole transaction would be rolled back.
        self._may_be_interrupted = verb.startswith("SELECT")
        try:
            return work()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname not in NOTHING_DONE:
                raise
        finally:
            self._may_be_interrupted = False
        return await self._in_a_thread(work)

    async def commit(self) -> None:
        if self._connection.in_transaction:
            await self._in_a_thread(self._connection.commit)

    async def rollback(self) -> None:
        self._connection.rollback()

    async def create_function(self, *arguments: Any, **options: Any) -> None:
        self._connection.create_function(*arguments, **options)

    async def close(self) -> None:
        await self._in_a_thread(self._connection.close)

    def stop(self) -> None:
        self._connection.close()

    async def _in_a_thread(self, work: Callable[[], Result]) -> Result:
        thread = asyncio.get_running_loop().run_in_executor(None, self._patiently, work)
        try:
            return await asyncio.shield(thread)
        except asyncio.CancelledError:
            # The connection goes to nobody else while the thread uses it.
            while not thread.done():
                with suppress(asyncio.CancelledError, Exception):
                    await asyncio.shield(thread)
            raise

    def _patiently(self, work: Callable[[], Result]) -> Result:
        self._connection.execute(f"PRAGMA busy_timeout={self._busy_milliseconds}")
        try:
            return work()
        finally:
            with suppress(sqlite3.ProgrammingError):
                self._connection.execute("PRAGMA busy_timeout=0")


class SqliteCursor:
    """Fetches what a statement finds while it is executed."""

    def __init__(self, connection: SqliteConnection, cursor: sqlite3.Cursor) -> None:
        self._connection = connection
        self._cursor = cursor
        self._rows: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        return self._cursor.lastrowid

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        def work() -> list[Any]:
            self._cursor.execute(statement, parameters)
            return self._cursor.fetchall()

        self._rows = await self._connection.run(statement, 1, work)

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        await self._connection.run(
            statement, len(parameters), lambda: self._cursor.executemany(statement, parameters)
        )

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        self._cursor.close()
