"""Bearer authentication: a request carries its account's access token, and is repeated once with a new one."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx2

from ..origin_protocol import OriginAccount


class BearerAuth(httpx2.Auth):
    """Pass it to a call as `auth`. A token that the origin answers with 401 is renewed, and the request sent again.

    A request whose body can be read only once is not repeated: the next one has the new token.
    """

    def __init__(self, account: OriginAccount[Any]) -> None:
        self._account = account

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        token = await self._account.access_token()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == httpx2.codes.UNAUTHORIZED:
            token = await self._account.access_token(refused=token)
            if isinstance(request.stream, httpx2.ByteStream):
                request.headers["Authorization"] = f"Bearer {token}"
                yield request
