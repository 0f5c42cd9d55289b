"""What each answer tells browsers: a table of every route, so that none comes without."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import pytest
from attacked import OPERATOR_PASSWORD, ORIGIN, Attacked, hidden, link, opening
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import httpx2

pytestmark = pytest.mark.asyncio(loop_scope="session")

POLICY = {
    "default-src": "'none'",
    "style-src": "'nonce-'",
    "script-src": "'nonce-'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
}
ZENDESK = "https://*.zendesk.com"


class Told(NamedTuple):
    """How a route is asked for its best answer, and what that says."""

    ask: Callable[[Attacked], Awaitable[httpx2.Response]]
    status: int = 200
    policy: Mapping[str, str] = MappingProxyType({"default-src": "'none'"})
    cache: str = "no-store"


def _page(ancestors: str) -> dict[str, str]:
    return POLICY | {"frame-ancestors": ancestors}


def _get(path: str, **params: str) -> Callable[[Attacked], Awaitable[httpx2.Response]]:
    credentials = ("operator", OPERATOR_PASSWORD)
    return lambda attacked: attacked.http.get(path, params=params or None, auth=credentials)


def _posted(path: str, **fields: str) -> Callable[[Attacked], Awaitable[httpx2.Response]]:
    async def post(attacked: Attacked) -> httpx2.Response:
        known = {"{metadata}": attacked.metadata}
        data = {name: known.get(value, value) for name, value in fields.items()}
        return await attacked.http.post(path, data=data)

    return post


async def _saved(attacked: Attacked) -> httpx2.Response:
    editing = await attacked.open(metadata=attacked.metadata)
    return await attacked.save(await attacked.save(editing))


def _from_form(path: str) -> Callable[[Attacked], Awaitable[httpx2.Response]]:
    """Follow a link of an account's form, or post the form there."""

    async def ask(attacked: Attacked) -> httpx2.Response:
        form = await attacked.open(metadata=attacked.metadata)
        if path.startswith("/channel/admin_ui"):
            fields = {"handshake": hidden(form, "handshake"), "name": "Main"}
            return await attacked.http.post(path, data=fields)
        return await attacked.http.get(link(form, path))

    return ask


async def _window(attacked: Attacked) -> httpx2.Response:
    return await attacked.connect(await attacked.open())


async def _confirmed(attacked: Attacked) -> httpx2.Response:
    return await attacked.confirm(await _window(attacked))


async def _file(attacked: Attacked) -> httpx2.Response:
    account = await attacked.account()
    token = attacked.signer.sign_expiring("file", {"account": account.id, "file": "x"})
    return await attacked.http.post(f"/channel/files/{token}/photo.png")


async def _webhook(attacked: Attacked) -> httpx2.Response:
    return await attacked.http.post(f"/webhook/{(await attacked.account()).id}")


FORM = _page(ZENDESK)
PAGE = _page(f"'self' {ZENDESK}")
WINDOW = _page("'none'")
TOLD = {
    "/channel/manifest": Told(_get("/channel/manifest"), cache="public, max-age=300"),
    "/channel/admin_ui": Told(_posted("/channel/admin_ui", **opening("acme")), policy=FORM),
    "/channel/admin_ui/save": Told(
        _saved, policy={name: rule for name, rule in FORM.items() if name != "form-action"}
    ),
    "/channel/admin_ui/back": Told(_from_form("/channel/admin_ui/back"), policy=FORM),
    "/channel/admin_ui/check": Told(_from_form("/channel/admin_ui/check"), policy=FORM),
    "/channel/healthcheck": Told(_get("/channel/healthcheck")),
    "/ready": Told(_get("/ready")),
    "/metrics": Told(_get("/metrics")),
    "/channel/files/{token}/{name}": Told(
        _file, policy={"default-src": "'none'", "sandbox": ""}, cache="private, no-store"
    ),
    "/channel/pull": Told(_posted("/channel/pull", metadata="{metadata}")),
    "/webhook/{account:uuid}{path:path}": Told(_webhook, 401),
    "/webhook{path:path}": Told(_get("/webhook/nobody"), 404),
    "/channel/channelback": Told(
        _posted("/channel/channelback", metadata="{metadata}", message="Hello", parent_id="1")
    ),
    "/channel/clickthrough": Told(_get("/channel/clickthrough", external_id=f"{ORIGIN}/1"), 302),
    "/channel/event_callback": Told(
        lambda attacked: attacked.http.post("/channel/event_callback", json={"events": []})
    ),
    "/channel/proxy/{action}": Told(
        _posted("/channel/proxy/like", instance_metadata="{metadata}", client_data='{"post_id": "1"}')
    ),
    "/channel/zis/ticket_event": Told(_posted("/channel/zis/ticket_event"), 401),
    "/channel/about": Told(_get("/channel/about"), policy=PAGE),
    "/channel/dashboard/all": Told(_get("/channel/dashboard/all"), policy=PAGE),
    "/channel/dashboard": Told(_from_form("/channel/dashboard"), policy=PAGE),
    "/channel/oauth/start": Told(_from_form("/channel/oauth/start"), 303),
    "/channel/oauth/callback": Told(_window, policy=WINDOW),
    "/channel/oauth/confirm": Told(_confirmed, policy=WINDOW),
    "/channel/oauth/status": Told(_from_form("/channel/oauth/status")),
}


def _routes(attacked: Attacked) -> set[str]:
    return {route.path for route in attacked.app.routes if isinstance(route, Route)}


async def test_every_route_is_in_the_table(attacked: Attacked) -> None:
    assert _routes(attacked) == TOLD.keys()


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
async def test_the_best_answer_says_how_it_may_be_shown(attacked: Attacked, told: Told) -> None:
    answer = await told.ask(attacked)
    assert answer.status_code == told.status, answer.text
    headers = answer.headers
    assert _policy(headers["content-security-policy"]) == told.policy
    assert headers["cache-control"] == told.cache
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert not {"set-cookie", "x-frame-options", "server", "access-control-allow-origin"} & headers.keys()


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_refusals_say_it_as_well(attacked: Attacked, method: str) -> None:
    for path in {*_routes(attacked), "/nowhere"}:
        answer = await attacked.http.request(method, re.sub(r"\{.*?\}", "x", path))
        headers = answer.headers
        assert headers["content-security-policy"].startswith("default-src 'none'"), path
        assert "no-store" in headers["cache-control"] or path == "/channel/manifest", path
        assert headers["referrer-policy"] == "no-referrer", path
        assert headers["x-content-type-options"] == "nosniff", path
        assert not {"set-cookie", "server", "access-control-allow-origin"} & headers.keys(), path


def _policy(text: str) -> dict[str, str]:
    rules = [rule.partition(" ") for rule in re.sub(r"(?<='nonce-)[\w-]+", "", text).split("; ")]
    return {name: rule for name, _, rule in rules}
