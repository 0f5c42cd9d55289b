"""`sandbox/zendesk/pages/`: what holds for every page, and the way to the first reply."""

from typing import Any

import httpx2
import pytest
from sandbox.zendesk import Account, FakeClock, Zendesk
from sandbox.zendesk.forms import Page
from scripted_integration import ScriptedIntegration, resource
from starlette.types import Message

PATHS = [
    "/",
    "/admin",
    "/admin/users",
    "/admin/accounts/form",
    "/agent",
    "/exchanges",
    "/faults",
    "/settings",
]


@pytest.mark.parametrize("path", PATHS)
async def test_each_page_is_there_before_anything_happens(path: str) -> None:
    async with Zendesk(clock=FakeClock()) as zendesk:
        transport = httpx2.ASGITransport(zendesk.app)
        async with httpx2.AsyncClient(transport=transport, base_url=zendesk.settings.address) as pages:
            answer = await pages.get(path)
    assert answer.status_code == 200


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("path", [*PATHS, "/exchanges/1", "/style.css", "/live.js"])
async def test_a_page_runs_nothing_but_its_own_script(path: str, pages: httpx2.AsyncClient) -> None:
    answer = await pages.get(path)
    assert answer.status_code == 200
    if path.endswith((".css", ".js")):
        return
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "<script>" not in answer.text
    assert " style=" not in answer.text
    assert "<title>" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"origin": "https://acme.zendesk.com:8443"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_another_site_changes_nothing(
    headers: dict[str, str], zendesk: Zendesk, account: Account, pages: httpx2.AsyncClient
) -> None:
    answer = await pages.post(f"/admin/accounts/{account.id}/delete", headers=headers)
    assert answer.status_code == 403
    assert "posted by another site" in answer.text
    assert zendesk.accounts == [account]


async def test_pages_are_not_read_under_a_name_that_is_not_ours(
    zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    """A page whose name resolves to this machine would read tokens otherwise."""
    answer = await pages.get("/", headers={"host": "rebound.example"})
    assert answer.status_code == 403
    assert f"Open {zendesk.settings.address} instead." in answer.text


@pytest.mark.parametrize("address", ["http://localhost:8002", "http://127.0.0.1:8002", "http://[::1]:8002"])
async def test_this_machine_reads_the_pages_under_any_of_its_names(address: str, zendesk: Zendesk) -> None:
    transport = httpx2.ASGITransport(zendesk.app)
    async with httpx2.AsyncClient(transport=transport, base_url=address) as pages:
        assert (await pages.get("/")).status_code == 200


@pytest.mark.parametrize("path", PATHS)
async def test_reading_changes_nothing(path: str, zendesk: Zendesk, pages: httpx2.AsyncClient) -> None:
    before = zendesk.changes.number, len(zendesk.log.entries), len(zendesk.state.tokens)
    await pages.get(path)
    assert (zendesk.changes.number, len(zendesk.log.entries), len(zendesk.state.tokens)) == before
    assert zendesk.admin.editor is None


async def test_no_page_shows_a_secret(
    integration: ScriptedIntegration, zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    integration.manifest["push_client_id"] = "zdg-scripted"
    integration.returned = {"metadata": "metadata & more"}
    integration.posts = [resource("post-1", message="Our key is metadata & more")]
    await zendesk.refresh_manifest()
    account = await zendesk.add_account("metadata & more", key="password-1")
    await zendesk.pull(account)
    account.last_error = "it said metadata & more"
    token = zendesk.state.tokens[-1].text
    numbers = [exchange.number for exchange in zendesk.log.entries]
    ticket = f"/agent/tickets/{zendesk.tickets[0].id}"
    for path in [*PATHS, ticket, *(f"/exchanges/{number}" for number in numbers), "/exchanges.har"]:
        shown = (await pages.get(path)).text
        for secret in (token, "password-1", "metadata & more", "metadata &amp; more", "metadata+%26+more"):
            assert secret not in shown, path


async def test_the_start_page_leads_from_step_to_step(
    integration: ScriptedIntegration, zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    zendesk.links = {"Review site": "http://127.0.0.1:8001/"}
    zendesk.hints = ["Business corner-cafe, API key demo-key"]
    zendesk.log.hide("demo-key")
    integration.posts = [resource("post-1")]
    first = (await pages.get("/")).text
    assert "http://127.0.0.1:8001/" in first
    assert "API key demo-key" in first
    assert first.count('class="done"') == 1
    await zendesk.add_account("Main", key="password-1")
    assert (await pages.get("/")).text.count('class="done"') == 2
    third = await pages.post("/settings/pull")
    assert third.text.count('class="done"') == 3
    await zendesk.reply(zendesk.tickets[0], "Thank you!")
    last = (await pages.get("/")).text
    assert last.count('class="done"') == 4
    assert "clickthrough?external_id=reply-1" in last


async def test_the_start_page_shows_what_was_wrong_lately(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, pages: httpx2.AsyncClient
) -> None:
    integration.posts = [{"external_id": "post-1"}]
    await zendesk.pull(account)
    page = Page((await pages.get("/")).text)
    assert "What was wrong lately pull" in page.text
    assert all(rule in page.text for rule in zendesk.log.of("pull")[-1].rules)


async def test_a_page_hears_of_changes(zendesk: Zendesk) -> None:
    """As server-sent events, which end when Zendesk stops."""
    received: list[str] = []

    async def send(message: Message) -> None:
        received.extend(message.get("body", b"").decode().split("\n\n")[:-1])
        if len(received) == 1:
            zendesk.changes.note()
        elif len(received) == 2:
            zendesk.changes.end()

    async def receive() -> Message:
        await zendesk.changes.until(lambda: zendesk.changes.ended)
        return {"type": "http.disconnect"}

    number = zendesk.changes.number
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/changes",
        "query_string": b"",
        "headers": [(b"host", b"localhost:8002")],
        "scheme": "http",
        "server": ("localhost", 8002),
    }
    await zendesk.app(scope, receive, send)
    assert received[:2] == [f"retry: 1000\ndata: {number}", f"data: {number + 1}"]


async def test_a_form_leads_back_to_the_page_that_it_stood_on(
    zendesk: Zendesk, account: Account, pages: httpx2.AsyncClient
) -> None:
    address = zendesk.settings.address
    pull = f"/admin/accounts/{account.id}/pull"
    answer = await pages.post(pull, headers={"referer": f"{address}/agent?status=new"})
    assert str(answer.url) == f"{address}/agent?status=new"
    answer = await pages.post(pull, headers={"referer": "https://elsewhere.example/"})
    assert str(answer.url) == f"{address}/"


async def test_what_is_refused_is_explained(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, pages: httpx2.AsyncClient
) -> None:
    await zendesk.deactivate(account)
    answer = await pages.post(f"/admin/accounts/{account.id}/pull")
    assert answer.status_code == 422
    assert "This account is not pulled" in answer.text
    assert (await pages.post(f"/admin/accounts/{account.id}/paint")).status_code == 404
    assert (await pages.get("/agent/tickets/99")).status_code == 404


ODD_FORMS: dict[str, dict[str, Any]] = {
    "many fields": {"data": {f"field-{number}": "x" for number in range(1500)}},
    "many parts": {"files": [(f"field-{number}", (None, "x")) for number in range(1500)]},
    "no boundary": {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
    "NUL": {"data": dict.fromkeys(("manifest", "status", "message", "pull_interval", "endpoint"), "a\x00b")},
}


@pytest.mark.parametrize("odd", ODD_FORMS)
@pytest.mark.parametrize(
    "path",
    [
        "/admin/install",
        "/agent/tickets/{ticket}/status",
        "/agent/tickets/{ticket}/comments",
        "/faults",
        "/settings",
    ],
)
async def test_an_odd_form_is_refused(
    integration: ScriptedIntegration,
    zendesk: Zendesk,
    account: Account,
    pages: httpx2.AsyncClient,
    path: str,
    odd: str,
) -> None:
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    answer = await pages.post(path.format(ticket=zendesk.tickets[0].id), **ODD_FORMS[odd])
    assert (
        answer.status_code == 200
        if (path.endswith("comments") and odd == "NUL")
        else answer.status_code in (404, 422)
    )


@pytest.mark.parametrize("path", ["/agent/tickets/{}", "/exchanges/{}"])
async def test_no_number_is_too_long(pages: httpx2.AsyncClient, path: str) -> None:
    assert (await pages.get(path.format("9" * 5000))).status_code == 404
