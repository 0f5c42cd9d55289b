"""Admins sign in beside Zendesk's frame, in a browser that blocks the cookies of third parties."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from sandbox.browser import PATIENCE
from sandbox.reviews import Provider
from sandbox.zendesk import Zendesk
from tests.conftest import SettingsMaker
from tests.oauth.signing_origin import SigningOrigin
from tests.with_zendesk.sign_in_window import connect, opened, served_beside, window_of

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def served(make_settings: SettingsMaker) -> AsyncIterator[Zendesk]:
    async with served_beside(SigningOrigin, make_settings, Provider()) as zendesk:
        yield zendesk


async def test_an_admin_connects_in_a_window_and_saves(served: Zendesk, page: Page) -> None:
    form = await opened(page, served)

    await connect(page, form, "Corner Café")
    await form.get_by_role("button", name="Save").click()
    await page.wait_for_url("**/admin")
    await expect(page.get_by_role("row", name="Main active")).to_be_visible()
    assert await page.context.cookies() == []


async def test_a_refusal_is_shown_in_the_form_and_the_next_try_may_succeed(
    served: Zendesk, page: Page
) -> None:
    form = await opened(page, served)

    window = await window_of(page, form)
    await window.get_by_role("button", name="Refuse").click()
    await expect(window.get_by_text("has not granted access")).to_be_visible()
    await window.close()

    await expect(form.get_by_role("alert").get_by_text("has not granted access")).to_be_visible()
    await connect(page, form, "Book Nook")
    await expect(form.get_by_text("has not granted access")).to_be_hidden()


async def test_a_window_that_is_closed_leaves_the_form_as_it_was(served: Zendesk, page: Page) -> None:
    form = await opened(page, served)
    window = await window_of(page, form)
    await window.get_by_role("button", name="Allow as Corner Café").wait_for()
    await window.close()

    await form.get_by_role("button", name="Save").click()

    await expect(form.get_by_role("alert").get_by_text("first.")).to_be_visible()
    await expect(form.locator("[name=site]")).to_have_value("main")
    assert served.accounts == []
    # It can be gone through all the same.
    await connect(page, form, "Corner Café")


async def without_scripts(route: Route) -> None:
    """Say so in the answer: what the browser is told can come to a frame of another site when that is half read."""
    answer = await route.fetch()
    allowed = "sandbox allow-forms allow-same-origin allow-popups allow-popups-to-escape-sandbox"
    policy = {"content-security-policy": f"{answer.headers['content-security-policy']}, {allowed}"}
    await route.fulfill(response=answer, headers=answer.headers | policy)


async def test_without_scripts_the_form_is_checked_by_hand(served: Zendesk, browser: Browser) -> None:
    context = await browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE)
    await context.route("**/channel/admin_ui*", without_scripts)
    page = await context.new_page()
    await page.goto(served.settings.address)
    await page.get_by_role("button", name="Add an account").click()
    await page.get_by_role("button", name="Open the form in the frame").click()
    form = page.frame_locator("iframe[name=service]")
    await form.locator("[name=site]").fill("main")
    window = await window_of(page, form)
    await window.get_by_role("button", name="Allow as Corner Café").click()
    await window.get_by_role("button", name="Connect", exact=True).click()
    await expect(window.get_by_text("go on in Zendesk")).to_be_visible()

    await form.get_by_role("button", name="Check again").click()

    await expect(form.get_by_text("Connected as Corner Café")).to_be_visible()
    await expect(form.locator("[name=site]")).to_have_value("main")
    await context.close()
