"""Media: files of messages, which only members of the room may read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..origin_protocol import OriginFile
from .configuration import Account
from .homeserver import Homeserver, RefusedError, require_success, segment


class Media:
    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver

    @asynccontextmanager
    async def open_file(self, account: Account, reference: str) -> AsyncIterator[OriginFile]:
        server, _, media = reference.partition("/")
        path = f"/_matrix/client/v1/media/download/{segment(server)}/{segment(media)}"
        response = await self._homeserver.send(account, "GET", path, stream=True)
        try:
            if not response.is_success:
                await response.aread()
            try:
                require_success(response)
            except RefusedError as error:
                raise FileNotFoundError(reference) from error
            size = response.headers.get("content-length")
            yield OriginFile(
                content_type=response.headers.get("content-type", "application/octet-stream"),
                size=int(size) if size else None,
                chunks=response.aiter_bytes(),
            )
        finally:
            await response.aclose()
