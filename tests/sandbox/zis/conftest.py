"""Zendesk with Integration Services, and clients with each kind of credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from sandbox.zis.credentials import CSRF, SESSION
from zis_callers import Callers, client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sandbox.zendesk import Zendesk


@pytest.fixture
async def callers(zendesk: Zendesk) -> AsyncIterator[Callers]:
    zis = zendesk.zis.zis
    async with client(zendesk) as nobody:
        assert zis.admin_client
        asked = {
            "grant_type": "client_credentials",
            "client_id": zis.admin_client.identifier,
            "client_secret": zis.admin_client.secret,
        }
        token = (await nobody.post("/oauth/tokens", json=asked)).json()["access_token"]
        basic = httpx2.BasicAuth("admin@example.com/token", zis.api_token)
        request = next(basic.auth_flow(httpx2.Request("GET", zendesk.settings.address)))
        yield Callers(
            zendesk,
            nobody,
            client(zendesk, {"authorization": request.headers["authorization"]}),
            client(zendesk, {"cookie": f"{SESSION}={zis.session}", CSRF: zis.session}),
            client(zendesk, {"authorization": f"Bearer {token}"}),
        )
