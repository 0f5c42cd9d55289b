"""What a browser lets a service's form do in a frame of another site."""

from urllib.parse import urljoin

import pytest
from playwright.async_api import Browser, Page, Request, expect
from sandbox.browser import PATIENCE
from sandbox.zendesk import Zendesk
from scripted_integration import ScriptedIntegration
from starlette.responses import HTMLResponse, Response

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    "headers", [{"x-frame-options": "DENY"}, {"content-security-policy": "frame-ancestors 'self'"}]
)
async def test_a_form_that_must_not_be_framed_stays_blocked(
    headers: dict[str, str], integration: ScriptedIntegration, zendesk: Zendesk, page: Page
) -> None:
    """ZEN-12: and whoever asks is told why."""
    integration.admin_headers = headers
    await page.goto(f"{zendesk.settings.address}/admin")
    async with page.expect_event("framenavigated", lambda frame: frame.url.startswith("chrome-error:")):
        await page.get_by_role("button", name="Add an account").click()
    assert len(integration.opened) == 1
    await page.get_by_role("button", name="Check the form").click()
    await expect(page.get_by_role("alert")).to_contain_text(next(iter(headers.values())))


async def test_a_lax_cookie_does_not_come_back(
    integration: ScriptedIntegration, zendesk: Zendesk, page: Page
) -> None:
    """SVC-24: it does in a window of its own, so that nobody is misled by what works there."""
    integration.admin_headers = {"set-cookie": "session=1; SameSite=Lax"}
    seen: list[Request] = []
    page.on("request", lambda request: seen.append(request) if "/admin_ui" in request.url else None)
    await page.goto(f"{zendesk.settings.address}/admin")
    await page.get_by_role("button", name="Add an account").click()
    form = page.frame_locator("iframe[name=service]")
    await form.locator("[name=name]").fill("Main")
    await form.locator("button").click()
    await form.locator("[name=metadata]").wait_for(state="attached")
    opened, submitted = [await request.all_headers() for request in seen]
    assert (opened["sec-fetch-site"], opened["sec-fetch-dest"]) == ("cross-site", "iframe")
    assert "cookie" not in submitted
    await form.locator("button").click()
    await page.wait_for_url("**/admin")
    assert [account.name for account in zendesk.accounts] == ["Main"]
    alone = HTMLResponse('<a href="./admin_ui">again</a>', headers=integration.admin_headers)
    integration.answers["admin_ui"] = lambda: alone
    await page.goto(zendesk.manifest.urls["admin_ui"])
    await page.get_by_role("link").click()
    assert (await seen[-1].all_headers())["cookie"] == "session=1"


async def test_another_sites_page_changes_nothing(
    integration: ScriptedIntegration, zendesk: Zendesk, page: Page
) -> None:
    action = f"{zendesk.settings.address}/admin/uninstall"
    integration.answers["like"] = lambda: HTMLResponse(f'<form method="post" action="{action}"><button>Win')
    await page.goto(urljoin(zendesk.manifest.url, "./like"))
    await page.get_by_role("button").click()
    await expect(page.get_by_role("alert")).to_contain_text("posted by another site")
    assert zendesk.state.manifest is not None


async def test_forms_work_without_scripts(
    integration: ScriptedIntegration, zendesk: Zendesk, browser: Browser
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    await page.goto(f"{zendesk.settings.address}/admin")
    await page.get_by_role("button", name="Add an account").click()
    await page.get_by_role("button", name="Open the form in the frame").click()
    form = page.frame_locator("iframe[name=service]")
    await form.locator("[name=name]").fill("Main")
    await form.locator("button").click()
    await form.locator("[name=metadata]").wait_for(state="attached")
    await form.locator("button").click()
    await form.get_by_role("link", name="Go on").click()
    await page.wait_for_url("**/admin")
    integration.answers["pull"] = lambda: Response(status_code=500)
    await page.get_by_role("button", name="Pull now").click()
    await expect(page.get_by_text("the pull was answered with 500")).to_be_visible()
    await context.close()
