"""Apps that know nothing of this sandbox, in their frames beside a ticket."""

import json
import shutil
from base64 import urlsafe_b64decode
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from framed import frame_in
from playwright.async_api import Page, expect
from sandbox.browser import listening
from sandbox.serving import serving
from sandbox.zendesk import Zendesk
from sandbox.zendesk.har import har
from sandbox.zendesk.zaf.assets import CLIENT
from scripted_integration import ScriptedIntegration, resource
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

pytestmark = pytest.mark.asyncio(loop_scope="session")

APPS = Path(__file__).parents[1] / "apps"
FOREIGN, WIRE = APPS / "foreign", APPS / "wire"


async def opened(zendesk: Zendesk, page: Page, integration: ScriptedIntegration) -> int:
    integration.posts = [resource("post-1", author={"external_id": "ada", "name": "Ada"})]
    account = await zendesk.add_account("Main", key="password-1")
    await zendesk.pull(account)
    number = zendesk.tickets[0].id
    await page.goto(f"{zendesk.settings.address}/agent/tickets/{number}")
    return number


async def test_a_foreign_app_reads_the_ticket_and_calls_the_service(
    zendesk: Zendesk, page: Page, integration: ScriptedIntegration
) -> None:
    await zendesk.install(FOREIGN)
    number = await opened(zendesk, page, integration)
    app = page.frame_locator("iframe.app")
    await expect(app.locator("#ticket")).to_have_text(str(number))
    await expect(app.locator("#requester")).to_have_text("Ada")
    await expect(app.locator("#proxy")).to_have_text('{"liked":true}')
    frame = page.locator("iframe.app")
    assert await frame.evaluate("frame => frame.offsetHeight") == 123


async def test_an_app_refuses_that_a_reply_is_saved_until_it_is_content(
    zendesk: Zendesk, page: Page, integration: ScriptedIntegration
) -> None:
    await zendesk.install(WIRE)
    await opened(zendesk, page, integration)
    app = await frame_in(page)
    await app.evaluate("say({key: 'iframe.on:ticket.save', message: {subscriberCount: 1}})")
    await app.evaluate("ask({id: 1, request: 'invoke', params: {resize: [{}]}})")
    await page.get_by_label("Message").fill("Thank you")
    await page.get_by_role("button", name="Send public reply").click()
    assert (await app.evaluate("hear({key: 'zaf.ticket.save'})"))["needsReply"] is True
    await app.evaluate("heard.length = 0; say({key: 'iframe.reply:ticket.save', error: {msg: 'Not yet'}})")
    await expect(page.get_by_role("status")).to_have_text("Not saved: Not yet")
    assert integration.replies == []
    await page.get_by_role("button", name="Send public reply").click()
    await app.evaluate("hear({key: 'zaf.ticket.save'})")
    await app.evaluate("say({key: 'iframe.reply:ticket.save'})")
    await expect(page.get_by_text("Arrived as")).to_be_visible()
    assert [form["message"] for form in integration.replies] == [["Thank you"]]


async def test_what_an_app_lacks_is_told_in_its_place(
    zendesk: Zendesk, page: Page, integration: ScriptedIntegration, tmp_path: Path
) -> None:
    """Also on a page of its own; and it is gone once that is mended."""
    folder = tmp_path / "app"
    shutil.copytree(WIRE, folder)
    client = folder / "assets" / "client.html"
    content = client.read_text("utf-8")
    client.write_text('<!doctype html><p>No client here</p><script src="lost.js"></script>', "utf-8")
    await zendesk.install(folder)
    app = zendesk.state.apps[0]
    await page.goto(f"{zendesk.settings.address}/agent/apps/{app.id}")
    await expect(page.get_by_text("There is no file assets/lost.js")).to_be_visible()
    client.write_text("<!doctype html><p>Still no client here</p>", "utf-8")
    await page.clock.install()
    await page.reload()
    await expect(page.frame_locator("iframe.app").get_by_text("Still no client here")).to_be_visible()
    await page.clock.fast_forward(6_000)
    # The page may have been loaded a moment later, and then waits by itself.
    await expect(page.get_by_role("alert")).to_contain_text("has not called ZAFClient.init()")
    await expect(page.get_by_text("There is no file assets/lost.js")).to_be_hidden()
    client.write_text(content, "utf-8")
    await page.reload()
    frame = await frame_in(page)
    assert (await frame.evaluate("client.context()"))["location"] == "nav_bar"
    await page.clock.fast_forward(6_000)
    await expect(page.get_by_role("alert")).to_be_hidden()
    await expect(page.get_by_role("link", name="Wire")).to_have_attribute("aria-current", "page")


async def test_an_app_in_the_background_runs_on_every_page_of_agents_and_has_no_ticket(
    zendesk: Zendesk, page: Page, integration: ScriptedIntegration
) -> None:
    await zendesk.install(WIRE)
    zendesk.state.apps[0].places = dict.fromkeys(("background", "top_bar"), "assets/iframe.html")
    await opened(zendesk, page, integration)
    app = await frame_in(page)
    answer = await app.evaluate("ask({id: 1, request: 'get', params: ['ticket.id', 'currentUser.name']})")
    assert answer["result"]["errors"].keys() == {"ticket.id"}
    await expect(page.locator("iframe.app")).to_be_hidden()
    await page.get_by_role("link", name="Wire").click()
    await expect(page.locator("iframe.app:visible")).to_have_count(1)
    await expect(page.locator("iframe.app")).to_have_count(2)


async def test_a_page_of_the_apps_own_server_is_posted_a_token_that_zendesk_signed(
    zendesk: Zendesk, page: Page, integration: ScriptedIntegration
) -> None:
    posted: list[dict[str, str]] = []

    async def show(request: Request) -> HTMLResponse:
        posted.append(dict(parse_qsl((await request.body()).decode())) | dict(request.query_params))
        said = "(context) => document.body.append(context.location)"
        scripts = (
            f'<script src="{own}{CLIENT}"></script><script>ZAFClient.init().context().then({said})</script>'
        )
        return HTMLResponse(f"<!doctype html><body>{scripts}")

    await zendesk.install(WIRE)
    app = zendesk.state.apps[0]
    own = f"http://{app.id}.apps.localhost:{urlsplit(zendesk.settings.address).port}"
    listener, url = listening("127.0.0.1")
    async with (
        serving(Starlette(routes=[Route("/side", show, methods=["POST"])]), listener),
        httpx2.AsyncClient(base_url=zendesk.settings.address) as http,
    ):
        app.places, app.signed = {"nav_bar": f"{url}/side"}, True
        await page.goto(f"{zendesk.settings.address}/agent/apps/{app.id}")
        await expect(page.frame_locator("iframe.app").get_by_text("nav_bar")).to_be_visible()
        pem = (
            await http.get(f"/api/v2/apps/{app.id}/public_key.pem", headers={"authorization": "a"})
        ).content
    [form] = posted
    signed, _, signature = form["token"].rpartition(".")
    key = serialization.load_pem_public_key(pem)
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(urlsafe_b64decode(signature + "=="), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    header, claims = (json.loads(urlsafe_b64decode(f"{part}==")) for part in signed.split("."))
    assert header == {"typ": "JWT", "alg": "RS256"}
    assert claims["aud"] == f"https://acme.zendesk.com/api/v2/apps/installations/{app.id}.json"
    assert claims["context"] == {"product": "support", "location": "nav_bar", "url": f"{url}/side"}
    assert form["token"] not in json.dumps(har(zendesk.log))


async def test_safaris_trouble_with_names_is_told(
    zendesk: Zendesk, page: Page, integration: ScriptedIntegration, tmp_path: Path
) -> None:
    """On older machines its frame shows an error of its own, and nothing else tells why."""
    shutil.copytree(WIRE, tmp_path / "app")
    (tmp_path / "app" / "assets" / "client.html").write_text("<!doctype html><p>An error</p>", "utf-8")
    await zendesk.install(tmp_path / "app")
    app = zendesk.state.apps[0]
    await page.add_init_script(
        "Object.defineProperty(navigator, 'vendor', {get: () => 'Apple Computer, Inc.'})"
    )
    await page.clock.install()
    await page.goto(f"{zendesk.settings.address}/agent/apps/{app.id}")
    await expect(page.frame_locator("iframe.app").get_by_text("An error")).to_be_visible()
    await page.clock.fast_forward(6_000)
    await expect(page.get_by_role("alert")).to_contain_text(f"{app.id}.apps.localhost")


async def test_an_app_is_put_away_by_its_button_and_told_so(
    zendesk: Zendesk, page: Page, integration: ScriptedIntegration
) -> None:
    await zendesk.install(WIRE)
    await opened(zendesk, page, integration)
    app = await frame_in(page)
    await app.evaluate("say({key: 'iframe.on:app.deactivated', message: {subscriberCount: 1}})")
    await app.evaluate("say({key: 'iframe.on:app.activated', message: {subscriberCount: 1}})")
    await app.evaluate(
        "ask({id: 1, request: 'invoke', params: {resize: [{}]}}).then(() => { heard.length = 0; })"
    )
    await page.get_by_role("button", name="Hide").press("Enter")
    await expect(page.locator("iframe.app")).to_be_hidden()
    assert await app.evaluate("hear({key: 'zaf.app.deactivated'})")
    await page.get_by_role("button", name="Show").press("Enter")
    await expect(page.locator("iframe.app")).to_be_visible()
    assert (await app.evaluate("hear({key: 'zaf.app.activated'})"))["message"] == {"firstLoad": False}
