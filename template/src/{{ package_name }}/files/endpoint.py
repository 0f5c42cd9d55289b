"""`/channel/files/…`: the files of posts, fetched by Zendesk with POST and by people with GET (SVC-42, SVC-43).

Each link is signed, names one file of one account and expires, so this is no open proxy.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, suppress
from typing import Any

import httpx2
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..core.accounts import Accounts, ConfigurationOutdatedError, UnknownAccountError
from ..core.media_types import media_type
from ..core.origin_backoff import OriginBackoff, retry_after
from ..core.outbound import AnswerTooLargeError, Purpose, calling_for
from ..core.security import UntrustedError
from ..origin_protocol import CredentialsRejectedError, OriginError, OriginFile, OriginProtocol
from ..web.errors import DATABASE_ERRORS, RequestError
from ..web.file_links import FileLinks

logger = structlog.get_logger()


class FilesEndpoint:
    def __init__(
        self,
        accounts: Accounts[Any],
        origin: OriginProtocol[Any],
        backoff: OriginBackoff,
        links: FileLinks,
        size_limit: int,
        purpose: Purpose,
    ) -> None:
        self._accounts = accounts
        self._origin = origin
        self._backoff = backoff
        self._links = links
        self._size_limit = size_limit
        self._purpose = purpose

    def routes(self) -> list[Route]:
        return [Route("/channel/files/{token}/{name}", self.respond, methods=["POST", "GET"])]

    async def respond(self, request: Request) -> Response:
        try:
            account_id, reference = self._links.read(request.path_params["token"])
            account = await self._accounts.by_id(account_id)
            opened = self._accounts.opened(account)
        except (UntrustedError, UnknownAccountError, ConfigurationOutdatedError):
            raise RequestError(404, "unknown_file", "This link is not valid, or not any more") from None
        async with AsyncExitStack() as stack:
            try:
                async with self._backoff.reading(account):
                    with calling_for(self._purpose):
                        file = await stack.enter_async_context(self._origin.open_file(opened, reference))
            except FileNotFoundError:
                raise RequestError(404, "unknown_file", "The origin no longer has this file") from None
            except CredentialsRejectedError as error:
                raise RequestError(401, "origin_credentials", str(error)) from None
            except OriginError as error:
                raise RequestError(
                    503, "origin_unavailable", str(error), retry_after=retry_after(error, 60)
                ) from None
            except DATABASE_ERRORS:
                raise
            except Exception:
                logger.exception("file cannot be opened", account=account_id)
                raise RequestError(
                    503, "origin_unreadable", "The origin's answer could not be read", retry_after=60
                ) from None
            if file.size is not None and file.size > self._size_limit:
                raise RequestError(413, "file_too_large", f"The file is larger than {self._size_limit} bytes")
            chunks = () if request.method == "HEAD" else self._whole(file, account_id)
            return FileResponse(stack.pop_all(), chunks, headers=_headers(file))

    async def _whole(self, file: OriginFile, account_id: str) -> AsyncIterator[bytes]:
        """Give the file; raises BrokenOffError where it ends before its end."""
        try:
            async for chunk in self._capped(file):
                yield chunk
        except (OriginError, httpx2.TransportError) as error:
            # The status is out already: only a broken transfer can say that the file is incomplete.
            logger.warning("file broken off", account=account_id, reason=str(error) or repr(error))
            raise BrokenOffError from error

    async def _capped(self, file: OriginFile) -> AsyncIterator[bytes]:
        passed = 0
        async for chunk in file.chunks:
            passed += len(chunk)
            if passed > self._size_limit:
                raise AnswerTooLargeError(f"the file is larger than {self._size_limit} bytes")
            yield chunk


class BrokenOffError(Exception):
    """The rest of a file cannot be had."""


class FileResponse(StreamingResponse):
    """Keeps the origin's file open until the last byte has been passed on or the reader has gone."""

    def __init__(
        self, stack: AsyncExitStack, chunks: AsyncIterator[bytes] | Iterable[bytes], **options: Any
    ) -> None:
        super().__init__(chunks, **options)
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._stack:
            # The answer has begun: the server breaks off the transfer of one that does not come to its end.
            with suppress(ClientDisconnect, BrokenOffError):
                await super().__call__(scope, receive, send)


def _headers(file: OriginFile) -> dict[str, str]:
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": "attachment",
        # Said here, the web framework adds no charset that nobody said.
        "Content-Type": media_type(file.content_type),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    if file.size is not None:
        headers["Content-Length"] = str(file.size)
    return headers
