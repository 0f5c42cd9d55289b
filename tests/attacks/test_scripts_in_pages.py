"""What somebody typed or wrote stays text on every page, also in a browser that ignores the pages' own policies."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx2
import pytest
import pytest_asyncio
from acme_reviews.origin_protocol import Choice, ConfigurationRejectedError
from attacked import OPERATOR_PASSWORD, RETURN, Attacked, hidden, link
from sandbox.browser import launched
from sandbox.zendesk import FakeClock, Zendesk
from scripted_integration import MANIFEST_URL, ScriptedIntegration, resource

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page, Route

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAYLOADS = {
    "a script": "<script data-evil>alert(1)</script>",
    "an image": "<img data-evil src=x onerror=alert(1)>",
    "a drawing behind an attribute": '"><svg data-evil onload=alert(1)>',
    "an attribute in single quotes": "' autofocus onfocus=alert(1) data-evil='",
    "an attribute in double quotes": '" autofocus onfocus=alert(1) data-evil="',
    "an attribute without quotes": "x onmouseover=alert(1) data-evil ",
    "the end of a text area": "</textarea><script data-evil>alert(1)</script>",
    "the end of a title": "</title><script data-evil>alert(1)</script>",
    "the end of a script": "</script><script data-evil>alert(1)</script>",
    "the end of a style": "</style><script data-evil>alert(1)</script>",
    "the end of a comment": "--><script data-evil>alert(1)</script>",
    "an address": "javascript:alert(1)//data-evil",
    "escaped already": "&lt;script data-evil&gt;alert(1)&lt;/script&gt;",
    "a page in a page": "<iframe data-evil srcdoc='<script>parent.alert(1)</script>'></iframe>{{7*7}}",
}

SCRIPTS = """
[...document.querySelectorAll("*")].flatMap(element => [...element.attributes].filter(
    attribute => attribute.name === "data-evil" || attribute.name.startsWith("on")
        || /^\\s*javascript:/i.test(attribute.value) && ["href", "src", "action", "formaction"].includes(attribute.name)
).map(attribute => `${element.tagName} ${attribute.name}=${attribute.value}`))
"""
"""What of a payload has become more than text."""


class Reader:
    """Shows answers to a browser, which reaches nothing else, and collects what runs there."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._answer = httpx2.Response(404)
        self._address = ""
        self._seen: list[str] = []

    async def alert(self, text: object) -> None:
        """Stand in for the browser's own `alert`, whose window would hold up every page behind it."""
        self._seen.append(f"alert: {text}")

    async def serve(self, route: Route) -> None:
        if route.request.url != self._address or not route.request.is_navigation_request():
            await route.abort()
            return
        headers = dict(self._answer.headers.items())
        await route.fulfill(status=200, headers=headers, body=self._answer.content)

    async def read(self, answer: httpx2.Response) -> list[str]:
        """Show an answer; give what of it runs or would run."""
        self._answer = answer
        self._address = f"https://{answer.request.url.host}/shown"
        self._seen.clear()
        await self._page.goto(self._address, wait_until="domcontentloaded")
        found: list[str] = await self._page.evaluate(SCRIPTS)
        return found + self._seen


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def reader() -> AsyncIterator[Reader]:
    async with launched() as browser:
        context = await browser.new_context(bypass_csp=True, ignore_https_errors=True)
        page = await context.new_page()
        reader = Reader(page)
        await page.expose_function("alert", reader.alert)
        await page.route("**/*", reader.serve)
        yield reader
        await page.unroute_all(behavior="ignoreErrors")
        await context.close()


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
async def test_text_stays_text(attacked: Attacked, reader: Reader, payload: str) -> None:
    pages = await _of_the_service(attacked, payload) | await _of_the_sandbox(payload)
    assert len(pages) == 13
    for place, answer in pages.items():
        assert "data-evil" in answer.text, f"{place} does not show what was written"
        assert await reader.read(answer) == [], place


async def test_a_script_would_be_seen(reader: Reader) -> None:
    ran = 0
    for payload in PAYLOADS.values():
        shown = payload.replace("&lt;", "<").replace("&gt;", ">").replace("javascript", "<a href=javascript")
        answer = httpx2.Response(
            200,
            html=f"<title>{shown}</title><textarea>{shown}</textarea><p title=\"{shown}\">{shown}</p><p title='{shown}'>"
            f"<style>{shown}</style><!-- {shown} --><p title={shown}></p>",
            request=httpx2.Request("GET", "https://seen.example"),
        )
        seen = await reader.read(answer)
        assert seen
        ran += "alert: 1" in seen
    assert ran


async def _of_the_service(attacked: Attacked, payload: str) -> dict[str, httpx2.Response]:
    """Every page on which a name, an address or a message of somebody stands."""
    http, origin = attacked.http, attacked.origin
    address = f"{RETURN.format('acme')}?{payload.replace(' ', '/')}"
    async with _said(attacked, payload):
        form = await attacked.open(name=payload, locale=payload, return_url=address)
        window = await attacked.connect(form)
        await attacked.confirm(window)
        connected = await http.post(
            "/channel/admin_ui/check",
            data={"handshake": hidden(form, "handshake"), "name": payload, "site": payload},
        )
        origin.trouble = ConfigurationRejectedError({"site": payload, "": payload})
        refused = await attacked.save(form, name=payload, site=payload, greeting=payload)
        origin.trouble = None
        second = await attacked.save(form, name=payload, site=payload, greeting=payload)
        returned = await attacked.save(second, name=payload)
        metadata = hidden(returned, "metadata")
        await http.post("/channel/pull", data={"metadata": metadata})
        editing = await attacked.open(metadata=metadata)
        own = await http.get(link(editing, "/channel/dashboard"))
        everything = await http.get("/channel/dashboard/all", auth=("operator", OPERATOR_PASSWORD))
    return {
        "form": form,
        "window": window,
        "connected form": connected,
        "refused form": refused,
        "second step": second,
        "return": returned,
        "form of an account": editing,
        "dashboard": own,
        "dashboard of operators": everything,
    }


@asynccontextmanager
async def _said(attacked: Attacked, payload: str) -> AsyncIterator[None]:
    """Have the origin use the payload as the name of whoever signs in, as a choice, and as the id of a bad post."""
    origin = attacked.origin
    before = origin.offered, origin.connected_as, origin.posts
    origin.offered = {"rooms": [Choice(payload, payload)]}
    origin.connected_as = payload
    origin.posts = [{"id": f"{payload}\u00e9"}, {"id": "post-1", "text": payload}]
    yield
    origin.offered, origin.connected_as, origin.posts = before


async def _of_the_sandbox(payload: str) -> dict[str, httpx2.Response]:
    """The pages of Zendesk on which posts of strangers stand."""
    integration = ScriptedIntegration()
    integration.manifest["name"] = payload
    integration.posts = [
        resource(
            "post-1",
            message=payload,
            html_message=payload,
            author={"external_id": "ada", "name": payload},
            fields=[{"id": "subject", "value": payload}, {"id": payload, "value": [payload]}],
            display_info=[{"type": payload, "data": {payload: payload}}],
        )
    ]
    async with Zendesk(MANIFEST_URL, integration.app, clock=FakeClock()) as zendesk:
        await zendesk.pull(await zendesk.add_account(payload, key="password-1"))
        transport = httpx2.ASGITransport(zendesk.app)
        async with httpx2.AsyncClient(transport=transport, base_url=zendesk.settings.address) as http:
            ticket = f"/agent/tickets/{zendesk.tickets[0].id}"
            return {path: await http.get(path) for path in (ticket, "/agent", "/admin", "/admin/users")}
