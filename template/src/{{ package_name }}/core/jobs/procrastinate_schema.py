"""The tables of Procrastinate, in a schema of their own, brought up to date at start.

Its migrations come in two kinds: those named `pre` suit the code before and after them, those named `post` remove
what only older code uses. The newest `post` ones therefore wait for a start that finds them a day old, when no older
worker is left.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from procrastinate.schema import SchemaManager
from psycopg import AsyncConnection

from ..database import MIGRATION_LOCK

OVERLAP = timedelta(days=1)
"""How long workers of older code may run beside newer ones."""


async def use_schema(connection: AsyncConnection) -> None:
    """Have the tables found by the names that Procrastinate gives them."""
    await connection.execute("SET search_path TO procrastinate")
    await connection.commit()


async def upgrade(address: str) -> None:
    """Create or upgrade the tables; processes that start together do so one after the other."""
    migrations = _migrations()
    async with await AsyncConnection.connect(address, autocommit=True) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        await use_schema(connection)
        async with connection.transaction():
            await _create(connection, migrations)
        pending = await _pending(connection, migrations)
        for name in _ripe(pending, datetime.now(UTC) - OVERLAP):
            async with connection.transaction():
                await connection.execute(migrations[name])
                await connection.execute("UPDATE migrations SET applied = true WHERE name = %s", [name])


def _migrations() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(SchemaManager.get_migrations_path()).glob("*.sql")}


async def _create(connection: AsyncConnection, migrations: Iterable[str]) -> None:
    found = await connection.execute("SELECT to_regclass('procrastinate.migrations')")
    if await found.fetchone() != (None,):
        return
    await connection.execute("CREATE SCHEMA IF NOT EXISTS procrastinate")
    await connection.execute(
        "CREATE TABLE migrations"
        " (name text PRIMARY KEY, seen_at timestamptz NOT NULL, applied boolean NOT NULL)"
    )
    # The present schema contains what the migrations have made of the first one.
    await connection.execute(SchemaManager.get_schema())
    await _note(connection, migrations, applied=True)


async def _pending(connection: AsyncConnection, migrations: Iterable[str]) -> dict[str, datetime]:
    """Since when each migration that is not applied has been known, in the order of the migrations."""
    await _note(connection, migrations, applied=False)
    rows = await connection.execute("SELECT name, seen_at FROM migrations WHERE NOT applied")
    seen = {name: seen_at async for name, seen_at in rows}
    return {name: seen[name] for name in sorted(migrations) if name in seen}


async def _note(connection: AsyncConnection, migrations: Iterable[str], *, applied: bool) -> None:
    await connection.cursor().executemany(
        "INSERT INTO migrations VALUES (%s, now(), %s) ON CONFLICT DO NOTHING",
        [(name, applied) for name in migrations],
    )


def _ripe(pending: dict[str, datetime], before: datetime) -> list[str]:
    """All but the last `post` ones, if they are younger; those that others stand upon cannot wait."""
    names = list(pending)
    while names and "_post_" in names[-1] and pending[names[-1]] > before:
        names.pop()
    return names
