"""Server: uvicorn's own, which also ends the connections that come in while it begins to stop."""

import asyncio
import socket

import uvicorn
from starlette.types import ASGIApp

from .request_deadlines import BoundedProtocol

LOOK_SECONDS = 0.2


class Server(uvicorn.Server):
    """uvicorn tells every connection to end, once. One that was accepted just before is there only afterwards: it
    would be served for as long as its client goes on asking, and a proxy in front does."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        ending = asyncio.create_task(self._end_late_connections(set(self.server_state.connections)))
        try:
            await super().shutdown(sockets)
        finally:
            ending.cancel()

    async def _end_late_connections(self, told: set[object]) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for connection in self.server_state.connections - told:
                connection.shutdown()
                told.add(connection)


def server_for(app: ASGIApp, host: str, port: int, grace: int) -> Server:
    """Whatever is under way when it is told to stop has `grace` seconds to come to its end."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=BoundedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=grace,
    )
    return Server(config)
