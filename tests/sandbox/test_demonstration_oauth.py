"""The demonstration origin as an OAuth provider: codes, tokens, and the switches for what providers do."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sandbox.reviews import Client, Provider, ReviewSite, create_app
from sandbox.reviews.oauth.provider import challenge

CLIENT = httpx2.BasicAuth("acme", "the secret")
BACK = "https://service.example/channel/oauth/callback"
VERIFIER = "a-verifier-of-forty-three-characters-or-more"
ASKED = {
    "client_id": "acme",
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "reviews",
    "state": "the state",
    "code_challenge": challenge(VERIFIER),
    "code_challenge_method": "S256",
}


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **distance: float) -> None:
        self.now += timedelta(**distance)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def provider(time: Time) -> Provider:
    return Provider(Client("acme", "the secret"), time)


@pytest.fixture
async def http(provider: Provider) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(create_app(ReviewSite(), provider))
    async with httpx2.AsyncClient(transport=transport, base_url="http://reviews.test") as http:
        yield http


async def answered(
    http: httpx2.AsyncClient, business: str = "corner-cafe", **asked: str
) -> dict[str, list[str]]:
    """What the provider sends back to the service by the browser."""
    response = await http.post("/oauth/authorize", data=ASKED | asked | {"business": business})
    assert response.status_code == 303
    assert response.headers["location"].startswith(BACK)
    return parse_qs(urlsplit(response.headers["location"]).query)


async def exchange(http: httpx2.AsyncClient, given: str, **changes: str) -> httpx2.Response:
    fields = {
        "grant_type": "authorization_code",
        "code": given,
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }
    return await http.post("/oauth/token", data=fields | changes, auth=CLIENT)


async def tokens(http: httpx2.AsyncClient) -> dict[str, Any]:
    given = await exchange(http, (await answered(http))["code"][0])
    document: dict[str, Any] = given.json()
    return document


async def refresh(http: httpx2.AsyncClient, token: str) -> httpx2.Response:
    return await http.post(
        "/oauth/token", data={"grant_type": "refresh_token", "refresh_token": token}, auth=CLIENT
    )


async def status(http: httpx2.AsyncClient, token: str) -> int:
    url = "/api/businesses/corner-cafe/posts"
    return (await http.get(url, headers={"Authorization": f"Bearer {token}"})).status_code


async def test_a_person_chooses_the_business(http: httpx2.AsyncClient) -> None:
    page = await http.get("/oauth/authorize", params=ASKED)

    assert page.status_code == 200
    assert "Allow as Corner Café" in page.text
    assert "service.example" in page.text
    assert page.headers["x-frame-options"] == "DENY"
    assert (await answered(http))["state"] == ["the state"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "another"},
        {"redirect_uri": "javascript:alert(1)"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_what_is_asked_wrongly_is_told_to_the_person(
    http: httpx2.AsyncClient, wrong: dict[str, str]
) -> None:
    asked = await http.get("/oauth/authorize", params=ASKED | wrong)
    allowed = await http.post("/oauth/authorize", data=ASKED | wrong | {"business": "corner-cafe"})

    assert (asked.status_code, allowed.status_code) == (400, 400)


async def test_a_person_may_refuse(http: httpx2.AsyncClient) -> None:
    assert await answered(http, "") == {"error": ["access_denied"], "state": ["the state"]}


async def test_a_token_opens_the_api_of_its_business_alone(http: httpx2.AsyncClient) -> None:
    given = await tokens(http)
    headers = {"Authorization": f"Bearer {given['access_token']}"}

    assert await status(http, given["access_token"]) == 200
    assert (await http.get("/api/businesses/book-nook", headers=headers)).status_code == 403
    assert (await http.get("/api/me", headers=headers)).json() == {"id": "corner-cafe", "name": "Corner Café"}
    assert (await http.get("/api/me", headers={"Authorization": "Bearer demo-key"})).status_code == 401


@pytest.mark.parametrize(
    "changes", [{"code_verifier": "another"}, {"redirect_uri": "https://other.example"}, {"code": "a guess"}]
)
async def test_a_code_is_for_whoever_asked_for_it(http: httpx2.AsyncClient, changes: dict[str, str]) -> None:
    refused = await exchange(http, (await answered(http))["code"][0], **changes)

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_a_code_is_used_once_and_soon(http: httpx2.AsyncClient, time: Time) -> None:
    code, late = [(await answered(http))["code"][0] for _ in range(2)]

    assert (await exchange(http, code)).status_code == 200
    assert (await exchange(http, code)).status_code == 400
    time.move(minutes=6)
    assert (await exchange(http, late)).status_code == 400


@pytest.mark.parametrize(
    ("auth", "fields", "expected"),
    [
        (httpx2.BasicAuth("acme", "a guess"), {}, 401),
        (httpx2.BasicAuth("another", "the secret"), {}, 401),
        (None, {}, 401),
        (None, {"client_id": "acme", "client_secret": "the secret"}, 400),
    ],
)
async def test_the_client_proves_itself(
    http: httpx2.AsyncClient, auth: httpx2.BasicAuth | None, fields: dict[str, str], expected: int
) -> None:
    body = {"grant_type": "refresh_token", "refresh_token": "none"} | fields
    for address in ("/oauth/token", "/oauth/revoke"):
        answer = await http.post(address, data=body, auth=auth or httpx2.USE_CLIENT_DEFAULT)
        assert answer.status_code == (200 if expected == 400 and address == "/oauth/revoke" else expected)


async def test_a_token_expires_and_is_refreshed(
    http: httpx2.AsyncClient, provider: Provider, time: Time
) -> None:
    provider.switches.lifetime = 60
    given = await tokens(http)
    assert given["expires_in"] == 60
    time.move(seconds=61)
    assert await status(http, given["access_token"]) == 401

    renewed = (await refresh(http, given["refresh_token"])).json()

    assert await status(http, renewed["access_token"]) == 200
    assert renewed["refresh_token"] != given["refresh_token"]


async def test_a_rotated_token_works_for_a_while_and_then_ends_the_grant(
    http: httpx2.AsyncClient, provider: Provider, time: Time
) -> None:
    given = await tokens(http)
    renewed = (await refresh(http, given["refresh_token"])).json()

    assert (await refresh(http, given["refresh_token"])).json()["access_token"] == renewed["access_token"]
    time.move(seconds=31)
    assert (await refresh(http, given["refresh_token"])).json()["error"] == "invalid_grant"
    assert await status(http, renewed["access_token"]) == 401
    assert provider.grants == {}


async def test_without_rotation_the_refresh_token_stays(http: httpx2.AsyncClient, provider: Provider) -> None:
    provider.switches.rotate = False
    given = await tokens(http)

    renewed = [(await refresh(http, given["refresh_token"])).json() for _ in range(2)]

    assert {each["refresh_token"] for each in renewed} == {given["refresh_token"]}


async def test_a_service_ends_its_grant(http: httpx2.AsyncClient) -> None:
    given = await tokens(http)

    for _ in range(2):
        ended = await http.post("/oauth/revoke", data={"token": given["refresh_token"]}, auth=CLIENT)
        assert ended.status_code == 200

    assert await status(http, given["access_token"]) == 401
    assert (await refresh(http, given["refresh_token"])).status_code == 400


async def test_the_switches_are_set_on_a_page(http: httpx2.AsyncClient, provider: Provider) -> None:
    given = await tokens(http)
    page = await http.get("/oauth")
    assert "Corner Café" in page.text
    assert given["access_token"] not in page.text

    await http.post("/oauth", data={"lifetime": "90", "grace": "0", "refuse_refresh": "on"})
    assert (provider.switches.lifetime, provider.switches.grace, provider.switches.rotate) == (90, 0, False)
    assert (await refresh(http, given["refresh_token"])).json()["error"] == "invalid_grant"
    await http.post("/oauth", data={"lifetime": "soon", "grace": "0"})
    assert provider.switches.lifetime == 90

    (grant,) = provider.grants
    await http.post("/oauth", data={"expire": grant})
    assert await status(http, given["access_token"]) == 401
    await http.post("/oauth", data={"revoke": grant})
    assert provider.grants == {}


async def test_other_ways_to_a_token_are_refused(http: httpx2.AsyncClient) -> None:
    refused = await http.post("/oauth/token", data={"grant_type": "password"}, auth=CLIENT)

    assert refused.json()["error"] == "unsupported_grant_type"
