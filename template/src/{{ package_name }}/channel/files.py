"""`/channel/files/…`: the files of posts, fetched by Zendesk with POST and by people with GET (SVC-42, SVC-43).

Each link is signed, names one file of one account and expires, so this is no open proxy.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..accounts import Account, Accounts, ConfigurationOutdatedError, UnknownAccountError
from ..origin_protocol import CredentialsRejectedError, FileUrlMaker, OriginError, OriginFile, OriginProtocol
from ..trust import Signer, UntrustedError
from .refusals import Refusal

PURPOSE = "file"
URL_LIMIT = 511
NAME_LIMIT = 80
EXTENSION_LIMIT = 20


class FileLinks:
    """Makes and reads the links."""

    def __init__(self, signer: Signer, lifetime: timedelta) -> None:
        self._signer = signer
        self._lifetime = lifetime

    def maker(self, account: Account) -> FileUrlMaker:
        """Give the function that turns a file of this account into a URL relative to the manifest's host."""

        def file_url(reference: str, name: str) -> str:
            """Raises ValueError if the reference is so long that the URL would pass 511 characters."""
            token = self._signer.sign_expiring(PURPOSE, {"account": account.id, "file": reference})
            url = f"/channel/files/{token}/{quote(_file_name(name), safe='')}"
            if len(url) > URL_LIMIT:
                raise ValueError(f"the URL of the file {reference[:40]!r}… passes {URL_LIMIT} characters")
            return url

        return file_url

    def read(self, token: str) -> tuple[str, str]:
        """Give account id and file reference; raises UntrustedError."""
        payload = self._signer.verify_expiring(PURPOSE, token, self._lifetime)
        return str(payload["account"]), str(payload["file"])


class FilesEndpoint:
    def __init__(
        self, accounts: Accounts[Any], origin: OriginProtocol[Any], links: FileLinks, size_limit: int
    ) -> None:
        self._accounts = accounts
        self._origin = origin
        self._links = links
        self._size_limit = size_limit

    def routes(self) -> list[Route]:
        return [Route("/channel/files/{token}/{name}", self.respond, methods=["POST", "GET"])]

    async def respond(self, request: Request) -> Response:
        try:
            account_id, reference = self._links.read(request.path_params["token"])
            configuration = self._accounts.configuration_of(await self._accounts.by_id(account_id))
        except (UntrustedError, UnknownAccountError, ConfigurationOutdatedError):
            raise Refusal(404, "unknown_file", "This link is not valid, or not any more") from None
        async with AsyncExitStack() as stack:
            try:
                file = await stack.enter_async_context(self._origin.open_file(configuration, reference))
            except FileNotFoundError:
                raise Refusal(404, "unknown_file", "The origin no longer has this file") from None
            except CredentialsRejectedError as error:
                raise Refusal(401, "origin_credentials", str(error)) from None
            except OriginError as error:
                raise Refusal(503, "origin_unavailable", str(error), retry_after=60) from None
            if file.size is not None and file.size > self._size_limit:
                raise Refusal(413, "file_too_large", f"The file is larger than {self._size_limit} bytes")
            chunks = () if request.method == "HEAD" else self._capped(file)
            return FileResponse(stack.pop_all(), chunks, media_type=file.content_type, headers=_headers(file))

    async def _capped(self, file: OriginFile) -> AsyncIterator[bytes]:
        passed = 0
        async for chunk in file.chunks:
            passed += len(chunk)
            if passed > self._size_limit:
                # The status is out already: only a broken transfer can say that the file is incomplete.
                raise ConnectionError(f"the file is larger than {self._size_limit} bytes")
            yield chunk


class FileResponse(StreamingResponse):
    """Keeps the origin's file open until the last byte has been passed on or the reader has gone."""

    def __init__(
        self, stack: AsyncExitStack, chunks: AsyncIterator[bytes] | Iterable[bytes], **options: Any
    ) -> None:
        super().__init__(chunks, **options)
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._stack:
            await super().__call__(scope, receive, send)


def _headers(file: OriginFile) -> dict[str, str]:
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": "attachment",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    if file.size is not None:
        headers["Content-Length"] = str(file.size)
    return headers


def _file_name(name: str) -> str:
    """A name that can end a path (SVC-43), short enough whatever script it is written in, its extension kept."""
    name = "".join(character for character in name if character.isprintable() and character not in '/\\"')
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem:
        stem, extension = name, ""
    if len(quote(extension, safe="")) > EXTENSION_LIMIT:
        stem, extension = name, ""
    while len(quote(f"{stem}.{extension}", safe="")) > NAME_LIMIT:
        stem = stem[:-1]
    return f"{stem or 'file'}.{extension}".rstrip(".") or "file"
