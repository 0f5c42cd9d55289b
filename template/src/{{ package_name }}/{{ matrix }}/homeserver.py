"""The homeserver: calls of Matrix's client-server API, and what its refusals mean."""

from typing import Any
from urllib.parse import quote

import httpx2

from ..origin_protocol import CredentialsRejectedError, OriginUnavailableError
from .configuration import Account, OriginSettings

CLIENT = "/_matrix/client/v3"

TOKEN_REFUSED = frozenset({"M_MISSING_TOKEN", "M_UNKNOWN_TOKEN", "M_USER_DEACTIVATED", "M_USER_LOCKED"})


class RefusedError(Exception):
    """The homeserver has understood the call and refuses it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message or code or f"the homeserver answered {status}")
        self.status = status
        self.code = code


class Homeserver:
    def __init__(self, http: httpx2.AsyncClient, settings: OriginSettings) -> None:
        self._http = http
        self._settings = settings

    async def call(self, account: Account, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Call the homeserver and give its answer.

        Raises RefusedError, CredentialsRejectedError or OriginUnavailableError.
        """
        response = await self.send(account, method, path, **options)
        require_success(response)
        document = response.json()
        if not isinstance(document, dict):
            raise ValueError("the homeserver's answer is no object")
        return document

    async def send(
        self, account: Account, method: str, path: str, *, stream: bool = False, **options: Any
    ) -> httpx2.Response:
        """Send one request. With `stream`, the caller closes the answer."""
        headers = {"Authorization": f"Bearer {account.configuration.access_token.get_secret_value()}"}
        headers |= options.pop("headers", {})
        url = (account.configuration.homeserver or self._settings.url).rstrip("/") + path
        request = self._http.build_request(
            method, url, headers=headers, timeout=self._settings.timeout, **options
        )
        try:
            # Files may lie elsewhere; the library takes the token along to no other host.
            return await self._http.send(request, stream=stream, follow_redirects=stream)
        except httpx2.TransportError as error:
            raise OriginUnavailableError(f"the homeserver did not answer: {error!r}") from error


def require_success(response: httpx2.Response) -> None:
    if response.is_success:
        return
    error = _error(response)
    code, message = str(error.get("errcode", "")), str(error.get("error", ""))
    if response.status_code == 429 or code == "M_LIMIT_EXCEEDED":
        raise OriginUnavailableError("the homeserver's rate limit is reached", _pause(response, error))
    if code in TOKEN_REFUSED or response.status_code == 401:
        raise CredentialsRejectedError("the homeserver refused the access token")
    if response.status_code < 400 or response.status_code >= 500:
        raise OriginUnavailableError(f"the homeserver answered {response.status_code}")
    raise RefusedError(response.status_code, code, message)


def segment(text: str) -> str:
    """Quote one part of a path. Dots alone would lead to another path, and are no id of Matrix's."""
    return quote(text, safe="") if text.strip(".") else "-"


def _error(response: httpx2.Response) -> dict[str, Any]:
    try:
        document = response.json()
    except (ValueError, httpx2.ResponseNotRead):
        return {}
    return document if isinstance(document, dict) else {}


def _pause(response: httpx2.Response, error: dict[str, Any]) -> float | None:
    """Read how long the homeserver wants to be left alone, in seconds."""
    header = response.headers.get("retry-after", "")
    if header.isdecimal():
        return float(header)
    milliseconds = error.get("retry_after_ms")
    return milliseconds / 1000 if isinstance(milliseconds, int | float) else None
