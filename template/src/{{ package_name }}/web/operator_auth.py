"""Operator authentication: one password for the pages of those who run the service."""

import base64
import secrets

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

USER = "operator"


class OperatorAuth:
    """HTTP Basic; without a password (in development) everybody may enter."""

    def __init__(self, password: str) -> None:
        credentials = base64.b64encode(f"{USER}:{password}".encode()).decode()
        self._expected = f"Basic {credentials}".encode() if password else None

    def challenge(self, request: Request) -> Response | None:
        """The answer that asks for the password, or None if the caller may enter."""
        given = request.headers.get("authorization", "").encode()
        if self._expected is None or secrets.compare_digest(given, self._expected):
            return None
        return PlainTextResponse(
            "The operator's password opens this page.",
            status_code=401,
            headers={"WWW-Authenticate": f'Basic realm="{USER}", charset="UTF-8"'},
        )
