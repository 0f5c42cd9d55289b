"""Downloads the files that agents attach to a reply, from the account's own host only (SVC-52)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2

from ..accounts import Account
from ..origin_protocol import Attachment
from ..trust import UntrustedError, ZendeskHosts

REDIRECTS = 3


class AttachmentError(Exception):
    """A file cannot be had; `temporary` if it may be had later."""

    def __init__(self, description: str, *, temporary: bool) -> None:
        super().__init__(description)
        self.temporary = temporary


class Attachments:
    """Streams files; nothing is kept here."""

    def __init__(self, http: httpx2.AsyncClient, hosts: ZendeskHosts, size_limit: int) -> None:
        """Take the limit for one file in bytes."""
        self._http = http
        self._hosts = hosts
        self._size_limit = size_limit

    @asynccontextmanager
    async def open(self, account: Account, url: str) -> AsyncIterator[Attachment]:
        """Open a file for reading. Raises AttachmentError, also later while its chunks are read."""
        try:
            self._hosts.check(url, account.subdomain)
        except UntrustedError as error:
            raise AttachmentError(f"refused to download a file: {error}", temporary=False) from None
        response = await self._get(account, url)
        try:
            if not response.is_success:
                temporary = response.status_code in (408, 429) or response.status_code >= 500
                raise AttachmentError(
                    f"Zendesk answered {response.status_code} for a file", temporary=temporary
                )
            yield Attachment(
                name=_name(url),
                content_type=response.headers.get("content-type", "application/octet-stream"),
                chunks=self._capped(response),
            )
        finally:
            await response.aclose()

    async def _get(self, account: Account, url: str) -> httpx2.Response:
        """Follow Zendesk's redirects to where its files lie, over https only."""
        for _ in range(REDIRECTS + 1):
            headers = await self._headers(account, url)
            try:
                request = self._http.build_request("GET", url, headers=headers)
                response = await self._http.send(request, stream=True)
            except httpx2.InvalidURL as error:
                raise AttachmentError(f"a file's URL cannot be read: {error}", temporary=False) from None
            except httpx2.RequestError as error:
                raise AttachmentError(f"Zendesk did not answer: {error!r}", temporary=True) from None
            if response.next_request is None:
                return response
            await response.aclose()
            url = str(response.next_request.url)
            if response.next_request.url.scheme != "https":
                raise AttachmentError("Zendesk redirected a file away from https", temporary=False)
        raise AttachmentError("Zendesk redirected a file too often", temporary=False)

    async def _headers(self, account: Account, url: str) -> dict[str, str]:
        """What is sent beside the URL: no credential, whosever host that is."""
        return {}

    async def _capped(self, response: httpx2.Response) -> AsyncIterator[bytes]:
        passed = 0
        try:
            async for chunk in response.aiter_bytes():
                passed += len(chunk)
                if passed > self._size_limit:
                    raise AttachmentError(f"a file is larger than {self._size_limit} bytes", temporary=False)
                yield chunk
        except httpx2.RequestError as error:
            raise AttachmentError(f"the connection to Zendesk broke: {error!r}", temporary=True) from None


def _name(url: str) -> str:
    parts = urlsplit(url)
    return parse_qs(parts.query).get("name", [""])[-1] or unquote(parts.path.rpartition("/")[2]) or "file"
