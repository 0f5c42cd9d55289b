"""The sidebar that comes with the capability proxy, beside a ticket, with the service and the demonstration origin."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect
from sandbox.app.packaging import packed_files, zipped
from sandbox.browser import at_localhost, listening
from sandbox.reviews import ReviewSite
from sandbox.reviews import create_app as create_site
from sandbox.serving import serving
from sandbox.zendesk import Fault
from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import FilePayload, FrameLocator, Route
    from projects import Template
    from sandbox.zendesk import Zendesk
    from starlette.types import Receive, Scope, Send

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANSWERS = {
    "origin_name": "Acme Reviews",
    "project_slug": "reviews-beside-tickets",
    "capabilities": ["pull", "proxy"],
}


@dataclass
class Scene:
    """Each part answers over HTTP, as when a person looks on."""

    zendesk: Zendesk
    files: dict[str, bytes]
    site: ReviewSite
    trouble: list[int] = field(default_factory=list)
    """With what the review site answers its next calls."""
    held: list[asyncio.Event] = field(default_factory=list)
    """What the review site waits for before it answers."""

    @property
    def package(self) -> FilePayload:
        return {"name": "app.zip", "mimeType": "application/zip", "buffer": zipped(self.files)}

    def texts(self, locale: str = "en") -> Any:
        return json.loads(self.files[f"translations/{locale}.json"])["sidebar"]

    @property
    def calls(self) -> list[int | None]:
        """With what the service answered the app."""
        return [exchange.status for exchange in self.zendesk.log.of("proxied")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(template: Template, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("service")
    # Another package than that of the tests of messages, which may run in this process.
    project = template.copy(folder / "project", ANSWERS)
    sys.path.insert(0, str(project.installed(folder / "src")))
    app_of, origins, settings = (
        __import__(f"{project.package}.{name}", fromlist=["*"]) for name in ("app", "origin", "settings")
    )
    site = ReviewSite()
    reviews = create_site(site)

    async def troubled(scope: Scope, receive: Receive, send: Send) -> None:
        for gate in running.held:
            await gate.wait()
        answer = JSONResponse({"error": "no"}, running.trouble.pop(0)) if running.trouble else reviews
        await answer(scope, receive, send)

    (listener, url), (site_listener, site_url) = listening("127.0.0.1"), listening("127.0.0.1")
    async with (
        serving(troubled, site_listener),
        at_localhost(url) as zendesk,
        httpx2.AsyncClient() as http,
    ):
        values = {
            "public_url": url,
            "zendesk_url": zendesk.settings.address,
            "database_url": f"sqlite:///{folder}/service.db",
            "signing_keys": settings.new_signing_key(),
            "sealing_keys": settings.new_sealing_key(),
        }
        origin = origins.Origin(http, origins.OriginSettings(url=site_url))
        service = app_of.create_app(settings.Settings.model_validate(values), origin)
        files = packed_files(project.path / "installer_app", f"{url}/channel/manifest")
        running = Scene(zendesk, files, site)
        async with service.router.lifespan_context(service), serving(service, listener), zendesk:
            yield running


@pytest_asyncio.fixture(loop_scope="session")
async def sidebar(scene: Scene, page: Page) -> FrameLocator:
    """The sidebar beside the ticket of the first review, as nothing has happened yet."""
    zendesk = scene.zendesk
    scene.trouble.clear()
    zendesk.faults.waiting.clear()
    zendesk.settings.locale = "en-US"
    for review in scene.site.reviews(scene.site.businesses[0]):
        scene.site.set_helpful(review, helpful=False)
    await zendesk.install(zipped(scene.files))
    if not zendesk.tickets:
        account = await zendesk.add_account("Corner Café", business="corner-cafe", api_key="demo-key")
        await zendesk.pull(account)
    zendesk.log.entries.clear()
    await open_ticket(scene, page)
    return page.frame_locator("iframe.app")


async def open_ticket(scene: Scene, page: Page) -> None:
    await page.goto(f"{scene.zendesk.settings.address}/agent/tickets/{scene.zendesk.tickets[0].id}")


def is_helpful(scene: Scene) -> bool:
    review = scene.site.post(scene.zendesk.tickets[0].thread_key)
    assert review
    return scene.site.is_helpful(review)


async def test_an_agent_presses_the_button_from_the_installation_on(scene: Scene, page: Page) -> None:
    """From an empty Zendesk: the zip, an account, a ticket."""
    zendesk, texts = scene.zendesk, scene.texts()
    await zendesk.uninstall()
    await page.goto(f"{zendesk.settings.address}/admin")
    await page.get_by_label("Installer app as a zip").set_input_files(scene.package)
    await page.get_by_role("button", name="Upload and install").click()
    await page.get_by_role("button", name="Add an account").click()
    form = page.frame_locator("iframe[name=service]")
    await form.get_by_label("Account name").fill("Corner Café")
    await form.get_by_label("Business").fill("corner-cafe")
    await form.get_by_label("API key").fill("demo-key")
    await form.get_by_role("button").last.click()
    await page.wait_for_url("**/admin")
    await zendesk.pull(zendesk.accounts[0])

    await open_ticket(scene, page)
    sidebar = page.frame_locator("iframe.app")
    await expect(sidebar.get_by_role("status")).to_have_text(texts["not_helpful"])
    await sidebar.get_by_role("button", name=texts["mark"]).click()
    await expect(sidebar.get_by_role("status")).to_have_text(texts["helpful"])
    assert is_helpful(scene)
    await page.reload()
    await expect(sidebar.get_by_role("status")).to_have_text(texts["helpful"])
    await sidebar.get_by_role("button", name=texts["unmark"]).click()
    await expect(sidebar.get_by_role("status")).to_have_text(texts["not_helpful"])
    assert not is_helpful(scene)
    assert set(scene.calls) == {200}


async def test_the_review_is_read_again_when_its_ticket_is_shown_again(
    scene: Scene, page: Page, sidebar: FrameLocator
) -> None:
    await expect(sidebar.get_by_role("status")).to_have_text(scene.texts()["not_helpful"])
    review = scene.site.post(scene.zendesk.tickets[0].thread_key)
    assert review
    scene.site.set_helpful(review, helpful=True)
    for name in ("Hide", "Show"):
        await page.get_by_role("button", name=name).click()
    await expect(sidebar.get_by_role("status")).to_have_text(scene.texts()["helpful"])


async def test_a_key_suffices_and_nothing_is_pressed_twice(scene: Scene, sidebar: FrameLocator) -> None:
    texts, button = scene.texts(), sidebar.get_by_role("button")
    await expect(button).to_have_text(texts["mark"])
    gate = asyncio.Event()
    scene.held.append(gate)
    await button.focus()
    await button.press("Enter")
    await expect(button).to_be_disabled()
    await expect(sidebar.get_by_role("status")).to_have_text(texts["working"])
    await button.click(force=True)
    gate.set()
    scene.held.clear()
    await expect(button).to_have_text(texts["unmark"])
    await expect(button).to_be_focused()
    assert is_helpful(scene)
    assert scene.calls == [200, 200]
    await button.press("Space")
    await expect(button).to_have_text(texts["mark"])


async def refused(scene: Scene, sidebar: FrameLocator, problem: str, *, by: str = "mark") -> None:
    """Press the button, and read what went wrong; nothing has changed."""
    texts = scene.texts()
    await sidebar.get_by_role("button", name=texts[by]).click()
    await expect(sidebar.get_by_role("alert")).to_have_text(texts["problems"][problem])
    await expect(sidebar.get_by_role("button")).to_be_enabled()
    assert not is_helpful(scene)


async def test_a_service_that_is_down_is_told_in_words(
    scene: Scene, page: Page, sidebar: FrameLocator
) -> None:
    await expect(sidebar.get_by_role("button")).to_have_text(scene.texts()["mark"])
    scene.zendesk.faults.add("proxied", Fault(times=3, dropped="before"))
    await refused(scene, sidebar, "unreachable")
    await open_ticket(scene, page)
    await refused(scene, sidebar, "unreachable", by="try_again")
    await sidebar.get_by_role("button", name=scene.texts()["try_again"]).click()
    await expect(sidebar.get_by_role("status")).to_have_text(scene.texts()["not_helpful"])
    await expect(sidebar.get_by_role("alert")).to_be_hidden()


async def test_a_foreign_accounts_metadata_is_told_in_words(scene: Scene, sidebar: FrameLocator) -> None:
    """SVC-60."""
    await expect(sidebar.get_by_role("button")).to_have_text(scene.texts()["mark"])
    account = scene.zendesk.accounts[0]
    known, account.metadata = account.metadata, "of another service"
    await refused(scene, sidebar, "unknown_account")
    account.metadata = known
    assert scene.calls[-1] == 403


async def test_trouble_of_the_origin_is_told_in_words(scene: Scene, sidebar: FrameLocator) -> None:
    await expect(sidebar.get_by_role("button")).to_have_text(scene.texts()["mark"])
    troubles = (
        (401, "origin_credentials", 409),
        (404, "unknown_post", 404),
        (503, "origin_unavailable", 503),
    )
    for status, problem, answered in troubles:
        scene.trouble.append(status)
        await refused(scene, sidebar, problem)
        assert scene.calls[-1] == answered


async def test_an_app_that_asks_for_an_unknown_action_is_told_so(
    scene: Scene, page: Page, sidebar: FrameLocator
) -> None:
    """Such as an app of another version than the service."""
    await expect(sidebar.get_by_role("button")).to_be_visible()
    script = scene.files["assets/sidebar.js"].replace(b'"set_helpful"', b'"set_useful"')
    await scene.zendesk.install(zipped(scene.files | {"assets/sidebar.js": script}))
    await open_ticket(scene, page)
    await refused(scene, sidebar, "unknown_action")
    assert scene.calls[-1] == 404


async def test_other_tickets_are_left_alone(scene: Scene, page: Page, sidebar: FrameLocator) -> None:
    """It knows its own by the integration's id, and its post by what the service told apps of it (SVC-40)."""
    zendesk = scene.zendesk
    await expect(sidebar.get_by_role("button")).to_be_visible()
    manifest, comment = zendesk.manifest, zendesk.tickets[0].comments[0]
    zendesk.log.entries.clear()
    known, manifest.id = manifest.id, "com.another.integration"
    await open_ticket(scene, page)
    await expect(sidebar.get_by_role("status")).to_have_text(scene.texts()["not_ours"])
    manifest.id = known
    told = [(each, each.display_info) for each in zendesk.tickets[0].comments]
    for each, _ in told:
        each.display_info = {}
    await open_ticket(scene, page)
    await expect(sidebar.get_by_role("status")).to_have_text(scene.texts()["no_post"])
    for each, info in told:
        each.display_info = info
    assert comment.display_info
    await expect(sidebar.get_by_role("button")).to_be_hidden()
    assert scene.calls == []


async def test_the_frame_is_as_high_as_what_it_shows(scene: Scene, page: Page, sidebar: FrameLocator) -> None:
    await expect(sidebar.get_by_role("button")).to_be_visible()
    frame = page.locator("iframe.app")

    async def fits() -> float:
        inner = await sidebar.locator("body").evaluate("body => body.getBoundingClientRect().height")
        await expect(frame).to_have_css("height", f"{round(inner)}px")
        return float(inner)

    low = await fits()
    scene.trouble.append(503)
    await sidebar.get_by_role("button").click()
    await expect(sidebar.get_by_role("alert")).to_be_visible()
    assert await fits() > low


async def test_the_agents_language_is_spoken(scene: Scene, page: Page, sidebar: FrameLocator) -> None:
    for locale, language in (("de-CH", "de"), ("ja", "ja"), ("pt-br", "pt"), ("sv", "en")):
        scene.zendesk.settings.locale = locale
        await open_ticket(scene, page)
        await expect(sidebar.get_by_role("button")).to_have_text(scene.texts(language)["mark"])
        assert await sidebar.locator("html").get_attribute("lang") == language


async def test_the_page_alone_says_where_it_belongs(scene: Scene, page: Page) -> None:
    async def missing(route: Route) -> None:
        await route.abort()

    async def app(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        kinds = {"js": "text/javascript", "css": "text/css", "html": "text/html"}
        await route.fulfill(body=scene.files[f"assets/{name}"], content_type=kinds[name.rpartition(".")[2]])

    await page.route("https://static.zdassets.com/**", missing)
    await page.route("https://app.test/**", app)
    await page.goto("https://app.test/sidebar.html")
    await expect(page.get_by_role("alert")).to_contain_text("belongs into Zendesk")


async def test_an_app_that_was_not_packed_says_so(scene: Scene, page: Page, sidebar: FrameLocator) -> None:
    await expect(sidebar.get_by_role("button")).to_be_visible()
    files = {name: content for name, content in scene.files.items() if name != "assets/translations.json"}
    await scene.zendesk.install(zipped(files))
    await open_ticket(scene, page)
    await expect(sidebar.get_by_role("alert")).to_contain_text("made when the app is packed")
