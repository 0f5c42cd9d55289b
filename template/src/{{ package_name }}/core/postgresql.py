"""PostgreSQL: a server, and how long it is waited for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

CONNECT_SECONDS = 5
"""How long PostgreSQL may take to answer a new connection, and an old one to receive what is sent."""


class PostgresqlServer:
    def __init__(self, url: URL) -> None:
        # What is stored must not stand in an exception, and so in a log. A pooler may give each transaction another
        # connection, in which a statement is prepared that this one does not know, or is not.
        self._engine = create_async_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args=_patience(url) | {"prepare_threshold": None},
        )

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.connect() as connection:
            yield connection

    async def close(self) -> None:
        await self._engine.dispose()


def _patience(url: URL) -> dict[str, int]:
    limits = {"connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": CONNECT_SECONDS * 1000}
    return {name: limit for name, limit in limits.items() if name not in url.query}
