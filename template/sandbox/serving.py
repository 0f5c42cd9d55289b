"""Applications that answer over HTTP for a while, several of them in one process."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

SECONDS_TO_STOP = 1
"""Browsers hold on to requests that wait for news."""


class _Server(uvicorn.Server):
    """A server that leaves the signals to its process, because it is not the only one that must stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket, log_level: str = "warning") -> AsyncIterator[None]:
    server = _Server(
        uvicorn.Config(
            app,
            log_level=log_level,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=SECONDS_TO_STOP,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await task
