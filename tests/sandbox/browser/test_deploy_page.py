"""The page that comes with the capability zis: an admin brings the flow to Integration Services, from nothing."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
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
from sandbox.zendesk.har import har

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import FrameLocator
    from projects import Template
    from sandbox.zendesk import Zendesk

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANSWERS = {
    "origin_name": "Acme Reviews",
    "project_slug": "reviews-of-solved-tickets",
    "capabilities": ["pull", "zis"],
}
SPEC = "ticket_solved"
STEPS = 5


@dataclass
class Scene:
    """Each part answers over HTTP, as when a person looks on."""

    zendesk: Zendesk
    files: dict[str, bytes]
    site: ReviewSite
    token: str

    def texts(self, locale: str = "en") -> Any:
        return json.loads(self.files[f"translations/{locale}.json"])["deploy"]

    async def open(self, page: Page) -> FrameLocator:
        await page.goto(f"{self.zendesk.settings.address}/agent/apps/{self.zendesk.state.apps[-1].id}")
        return page.frame_locator("iframe.app")

    @property
    def installed(self) -> list[str]:
        integrations = self.zendesk.zis.zis.integrations
        return [spec.name for each in integrations for spec in each.job_specs if spec.installed]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(template: Template, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("service")
    # Another package than that of the tests of messages, which may run in this process.
    project = template.copy(folder / "project", ANSWERS)
    sys.path.insert(0, str(project.installed(folder / "src")))
    app_of, origins, settings, security, tokens = (
        __import__(f"{project.package}.{name}", fromlist=["*"])
        for name in ("app", "origin", "settings", "core.security", "zis.connection_tokens")
    )
    site, key = ReviewSite(), settings.new_signing_key()
    (listener, url), (site_listener, site_url) = listening("127.0.0.1"), listening("127.0.0.1")
    async with (
        serving(create_site(site), site_listener),
        at_localhost(url) as zendesk,
        httpx2.AsyncClient() as http,
    ):
        values = {
            "public_url": url,
            "zendesk_url": zendesk.settings.address,
            "database_url": f"sqlite:///{folder}/service.db",
            "signing_keys": key,
            "sealing_keys": settings.new_sealing_key(),
        }
        origin = origins.Origin(http, origins.OriginSettings(url=site_url))
        service = app_of.create_app(settings.Settings.model_validate(values), origin)
        files = packed_files(project.path / "installer_app", f"{url}/channel/manifest")
        token = tokens.connection_token(security.Signer([key]), zendesk.settings.subdomain)
        async with service.router.lifespan_context(service), serving(service, listener), zendesk:
            await zendesk.install(zipped(files))
            yield Scene(zendesk, files, site, token)


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def nothing_yet(scene: Scene) -> None:
    scene.zendesk.zis.zis.integrations.clear()
    scene.zendesk.settings.zis_person_is_admin = True
    scene.zendesk.settings.locale = "en-US"


async def deploy(scene: Scene, app: FrameLocator, token: str) -> None:
    texts = scene.texts()
    await app.get_by_label(texts["token"]).fill(token)
    await app.get_by_role("button", name=texts["deploy"]).click()


async def test_from_nothing_to_a_running_flow_and_back(scene: Scene, page: Page) -> None:
    zendesk, texts = scene.zendesk, scene.texts()
    app = await scene.open(page)
    await expect(app.get_by_role("status")).to_have_text(texts["not_running"])
    await expect(app.locator("#hint")).to_contain_text("zis connection-token --env development")
    await deploy(scene, app, scene.token)
    await expect(app.locator("#steps .done")).to_have_count(STEPS)
    await expect(app.get_by_role("status")).to_have_text(texts["running"])
    await expect(app.get_by_label(texts["token"])).to_have_value("")
    assert scene.installed == [SPEC]

    account = await zendesk.add_account("Corner Café", business="corner-cafe", api_key="demo-key")
    await zendesk.pull(account)
    await zendesk.zis.settle()
    ticket = zendesk.tickets[0]
    zendesk.set_status(ticket, "solved")
    await zendesk.zis.settle()
    review = scene.site.post(ticket.thread_key)
    assert review
    assert scene.site.resolved_at(scene.site.review_of(review))

    await app.get_by_role("button", name=texts["remove"]).click()
    await expect(app.get_by_role("status")).to_have_text(texts["not_running"])
    assert scene.installed == []


async def test_deploying_again_changes_nothing_and_needs_no_token(scene: Scene, page: Page) -> None:
    app = await scene.open(page)
    for token in (scene.token, ""):
        await deploy(scene, app, token)
        await expect(app.locator("#steps .done")).to_have_count(STEPS)
        await expect(app.get_by_role("button", name=scene.texts()["deploy"])).to_be_enabled()
    await expect(app.locator("#steps .outcome").nth(1)).to_have_text(scene.texts()["exists"])
    await expect(app.locator("#steps .outcome").nth(2)).to_have_text(scene.texts()["exists"])


async def test_a_leftover_job_spec_is_uninstalled(scene: Scene, page: Page) -> None:
    app = await scene.open(page)
    await deploy(scene, app, scene.token)
    await expect(app.locator("#steps .done")).to_have_count(STEPS)
    [integration] = scene.zendesk.zis.zis.integrations
    [spec] = integration.job_specs
    integration.job_specs.append(type(spec)(**vars(spec) | {"name": "older"}))
    await deploy(scene, app, "")
    await expect(app.locator("#steps .done")).to_have_count(STEPS)
    await expect(app.get_by_role("button", name=scene.texts()["deploy"])).to_be_enabled()
    assert scene.installed == [SPEC]


async def test_what_is_missing_is_said(scene: Scene, page: Page) -> None:
    app = await scene.open(page)
    await deploy(scene, app, "")
    await expect(app.locator("#steps .failed")).to_contain_text(scene.texts()["token_missing"])
    await expect(app.get_by_role("alert")).to_have_text(scene.texts()["stopped"])


async def test_an_agent_who_is_no_admin_is_told_so(scene: Scene, page: Page) -> None:
    scene.zendesk.settings.zis_person_is_admin = False
    app = await scene.open(page)
    await deploy(scene, app, scene.token)
    await expect(app.locator("#steps .failed")).to_contain_text("Only admin user is allowed")


@pytest.mark.parametrize("locale", ["de", "es", "fr", "ja", "pt"])
async def test_the_page_speaks_the_admins_language(scene: Scene, page: Page, locale: str) -> None:
    scene.zendesk.settings.locale = locale
    app = await scene.open(page)
    await expect(app.get_by_role("heading")).to_have_text(scene.texts(locale)["title"])
    assert scene.texts(locale).keys() == scene.texts().keys()


async def test_no_secret_stands_on_the_page_or_in_the_log(scene: Scene, page: Page) -> None:
    app = await scene.open(page)
    field = app.get_by_label(scene.texts()["token"])
    assert await field.evaluate("field => getComputedStyle(field).webkitTextSecurity") == "disc"
    await deploy(scene, app, scene.token)
    await expect(app.locator("#steps .done")).to_have_count(STEPS)
    [integration] = scene.zendesk.zis.zis.integrations
    secrets = [scene.token, integration.client.secret, scene.zendesk.zis.zis.api_token]
    seen = await app.locator("html").inner_html() + json.dumps(har(scene.zendesk.log))
    await page.goto(f"{scene.zendesk.settings.address}/exchanges")
    seen += await page.content()
    assert [secret for secret in secrets if secret in seen] == []
