"""The tables of Procrastinate, brought up to date at start.

Its migrations come in two kinds: those named `pre` suit the code before and after them, those named `post` remove
what only older code uses. The newest `post` ones therefore wait for a start that finds them a day old, when no older
worker is left.

Behind a pooler such as PgBouncer each transaction may get another connection. Nothing here outlasts its transaction, and
Procrastinate's tables lie where the service's own do, so that no connection has to be told where to look for them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from procrastinate.schema import SchemaManager
from psycopg import AsyncConnection

from ..database import MIGRATION_LOCK

OVERLAP = "1 day"
"""How long workers of older code may run beside newer ones."""

UNPREPARED = {"prepare_threshold": None}
"""A statement that was prepared in one connection is unknown to the next, or is another one there."""


async def upgrade(address: str) -> None:
    """Create or upgrade the tables; processes that start together do so one after the other."""
    migrations = _migrations()
    async with await AsyncConnection.connect(address, autocommit=True, **UNPREPARED) as connection:
        async with _alone(connection):
            await _create(connection, migrations)
            await _note(connection, migrations, applied=False)
        applied = True
        while applied:
            async with _alone(connection):
                applied = await _apply_next(connection, migrations)


async def is_pooled(address: str) -> bool:
    """Whether something stands before PostgreSQL that has one of its connections serve several clients in turn."""
    async with await AsyncConnection.connect(address, autocommit=True, **UNPREPARED) as connection:
        row = await (await connection.execute("SELECT pg_backend_pid()")).fetchone()
        # The number by which a client may cancel its statement is then the pooler's own.
        return row != (connection.info.backend_pid,)


def _migrations() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(SchemaManager.get_migrations_path()).glob("*.sql")}


@asynccontextmanager
async def _alone(connection: AsyncConnection) -> AsyncIterator[None]:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
        yield


async def _create(connection: AsyncConnection, migrations: dict[str, bytes]) -> None:
    found = await connection.execute("SELECT to_regclass('procrastinate_migrations')")
    if await found.fetchone() != (None,):
        return
    await connection.execute(
        "CREATE TABLE procrastinate_migrations"
        " (name text PRIMARY KEY, seen_at timestamptz NOT NULL, applied boolean NOT NULL)"
    )
    # The present schema contains what the migrations have made of the first one.
    await connection.execute(SchemaManager.get_schema())
    await _note(connection, migrations, applied=True)


async def _apply_next(connection: AsyncConnection, migrations: dict[str, bytes]) -> bool:
    """Apply the first migration that is ripe, if there is one."""
    rows = await connection.execute(
        "SELECT name, seen_at > now() - %s::interval FROM procrastinate_migrations WHERE NOT applied",
        [OVERLAP],
    )
    is_young = {name: young async for name, young in rows}
    ripe = _ripe({name: is_young[name] for name in sorted(migrations) if name in is_young})
    if not ripe:
        return False
    await connection.execute(migrations[ripe[0]])
    await connection.execute("UPDATE procrastinate_migrations SET applied = true WHERE name = %s", ripe[:1])
    return True


async def _note(connection: AsyncConnection, migrations: dict[str, bytes], *, applied: bool) -> None:
    await connection.cursor().executemany(
        "INSERT INTO procrastinate_migrations VALUES (%s, now(), %s) ON CONFLICT DO NOTHING",
        [(name, applied) for name in migrations],
    )


def _ripe(pending: dict[str, bool]) -> list[str]:
    """All but the last `post` ones, if they are young; those that others stand upon cannot wait."""
    names = list(pending)
    while names and "_post_" in names[-1] and pending[names[-1]]:
        names.pop()
    return names
