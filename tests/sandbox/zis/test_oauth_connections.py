"""`sandbox/zis/oauth.py`: connections whose token another service gives, which a person allows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from sandbox.zendesk.har import har
from starlette.responses import JSONResponse
from starlette.routing import Route
from zis_callers import BASE

if TYPE_CHECKING:
    import httpx2
    from sandbox.zendesk import Zendesk
    from scripted_integration import ScriptedIntegration
    from starlette.requests import Request
    from zis_callers import Callers

OAUTH = f"{BASE}/connections/oauth"
CLIENT = {
    "name": "site",
    "grant_type": "authorization_code",
    "client_id": "client-of-site",
    "client_secret": "canary-of-the-client",
    "auth_url": "https://integration.test/authorize",
    "token_url": "https://integration.test/token",
    "default_scopes": "read",
}
START = {
    "name": "site_connection",
    "oauth_client_name": "site",
    "origin_oauth_redirect_url": "https://integration.test/back?from=zendesk",
}


class Site:
    """The other service: it gives tokens for codes."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.answer: tuple[dict[str, Any], int] = ({"access_token": "canary-of-the-token"}, 200)

    async def token(self, request: Request) -> JSONResponse:
        self.asked.append(dict(parse_qsl((await request.body()).decode())))
        return JSONResponse(*self.answer)


@pytest.fixture
def site(integration: ScriptedIntegration, zendesk: Zendesk) -> Site:
    site = Site()
    integration.app.router.routes.insert(0, Route("/token", site.token, methods=["POST"]))
    return site


@pytest.fixture
async def mine(callers: Callers, site: Site) -> httpx2.AsyncClient:
    client = await callers.of_integration("acme")
    assert (await client.post(f"{OAUTH}/clients/acme", json=CLIENT)).status_code == 201
    return client


async def allowed(mine: httpx2.AsyncClient, callers: Callers) -> httpx2.Response:
    """A person allows it, and is sent back to Zendesk."""
    started = (await mine.post(f"{OAUTH}/start/acme", json=START)).json()
    query = parse_qs(urlsplit(started["redirect_url"]).query)
    assert query["state"] == [started["flow_token"]]
    parameters = {"code": "canary-of-the-code", "state": started["flow_token"]}
    return await callers.nobody.get(query["redirect_uri"][0], params=parameters)


async def test_a_person_allows_it_and_a_connection_is_there(
    callers: Callers, mine: httpx2.AsyncClient, site: Site, zendesk: Zendesk
) -> None:
    back = await allowed(mine, callers)

    assert back.status_code == 302
    assert back.headers["location"].startswith(
        "https://integration.test/back?from=zendesk&verification_code="
    )
    assert (site.asked[0]["code"], site.asked[0]["client_secret"]) == (
        "canary-of-the-code",
        "canary-of-the-client",
    )
    [code] = parse_qs(urlsplit(back.headers["location"]).query)["verification_code"]
    path = f"{OAUTH}/access_codes/acme"
    shown = await mine.get(path, params={"verification_code": code})
    assert shown.json()["access_token"] == "canary-of-the-token"
    assert (await mine.get(path, params={"verification_code": code})).status_code == 404
    found = (await mine.get(f"{BASE}/connections/acme", params={"name": "site_connection"})).json()
    assert found["uuid"] == shown.json()["uuid"]
    [connection] = zendesk.zis.zis.integrations[0].connections
    assert (connection.value, connection.allowed_domain) == ("Bearer canary-of-the-token", "integration.test")
    log = json.dumps(har(zendesk.log))
    assert "canary" not in log


async def test_each_customer_of_a_service_may_have_addresses_of_their_own(
    callers: Callers, mine: httpx2.AsyncClient, site: Site, zendesk: Zendesk
) -> None:
    [client] = (await mine.get(f"{OAUTH}/clients/acme")).json()["clients"]
    own = {name: CLIENT[name].replace("integration", "{{subdomain}}") for name in ("auth_url", "token_url")}
    await mine.patch(f"{OAUTH}/clients/acme/{client['uuid']}", json=own)
    asked = START | {"oauth_url_subdomain": "integration"}
    started = (await mine.post(f"{OAUTH}/start/acme", json=asked)).json()
    assert started["redirect_url"].startswith("https://integration.test/authorize?")
    parameters = {"code": "c", "state": started["flow_token"]}
    assert (await callers.nobody.get(f"{OAUTH}/callback", params=parameters)).status_code == 302
    [connection] = zendesk.zis.zis.integrations[0].connections
    assert connection.allowed_domain == "integration.test"


async def test_a_client_without_a_person_is_told_that_nothing_starts_here(
    callers: Callers, mine: httpx2.AsyncClient, zendesk: Zendesk
) -> None:
    machine = CLIENT | {"name": "machine", "grant_type": "client_credentials"}
    await mine.post(f"{OAUTH}/clients/acme", json=machine)
    answer = await mine.post(f"{OAUTH}/start/acme", json=START | {"oauth_client_name": "machine"})
    assert (answer.status_code, answer.json()["message"]) == (501, "no flow for client_credentials")
    assert "a person allows" in zendesk.log.of("zis")[-1].remarks[0].message


async def test_only_oauth_connections_are_found_by_name(callers: Callers, mine: httpx2.AsyncClient) -> None:
    bearer = {"name": "static", "token": "canary-of-a-bearer", "allowed_domain": "integration.test"}
    await mine.post(f"{BASE}/integrations/acme/connections/bearer_token", json=bearer)
    assert (await mine.get(f"{BASE}/connections/acme", params={"name": "static"})).status_code == 404
    started = await mine.post(f"{OAUTH}/start/acme", json=START | {"name": "static"})
    assert started.status_code == 409


async def test_a_client_is_patched_and_goes_with_its_connections(
    callers: Callers, mine: httpx2.AsyncClient, zendesk: Zendesk
) -> None:
    await allowed(mine, callers)
    [client] = (await mine.get(f"{OAUTH}/clients/acme")).json()["clients"]
    assert "canary" not in json.dumps(client)
    path = f"{OAUTH}/clients/acme/{client['uuid']}"
    assert (await mine.patch(path, json={"default_scopes": "write"})).json()["default_scopes"] == "write"
    assert (await mine.put(path, json=CLIENT)).status_code == 405
    assert (await mine.post(f"{OAUTH}/clients/acme", json=CLIENT)).status_code == 409
    assert (await mine.delete(path)).status_code == 204
    assert (await mine.delete(path)).status_code == 404
    assert zendesk.zis.zis.integrations[0].connections == []


@pytest.mark.parametrize(
    "answer", [({"error": "invalid_grant"}, 400), ({}, 200), ({"access_token": ""}, 200)]
)
async def test_a_code_that_gives_no_token_makes_no_connection(
    callers: Callers,
    mine: httpx2.AsyncClient,
    site: Site,
    zendesk: Zendesk,
    answer: tuple[dict[str, Any], int],
) -> None:
    site.answer = answer
    assert (await allowed(mine, callers)).status_code == 400
    assert zendesk.zis.zis.integrations[0].connections == []
    strange = await callers.nobody.get(f"{OAUTH}/callback", params={"code": "x", "state": "strange"})
    assert strange.status_code == 400


@pytest.mark.parametrize("missing", ["name", "grant_type", "client_id", "token_url"])
async def test_a_client_needs_what_a_token_is_asked_with(mine: httpx2.AsyncClient, missing: str) -> None:
    document = {key: value for key, value in CLIENT.items() if key != missing} | {"description": "second"}
    assert (await mine.post(f"{OAUTH}/clients/acme", json=document)).status_code == 400
    assert (await mine.post(f"{OAUTH}/start/acme", json={"name": "x"})).status_code == 400
