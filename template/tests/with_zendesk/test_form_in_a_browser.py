"""The project's own form in Zendesk's frame, as an admin's browser shows it."""

import pytest
from playwright.async_api import Page, expect

from sandbox.zendesk import Zendesk

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_account_is_added_through_the_frame(served: Zendesk, page: Page) -> None:
    """From the start page to an account, with a wrong password on the way (ZEN-07)."""
    await page.goto(served.settings.address)
    await page.get_by_role("button", name="Add an account").click()
    form = page.frame_locator("iframe[name=service]")
    await form.locator("[name=name]").fill("Main")
    await form.locator("[name=site]").fill("main")
    await form.locator("[name=password]").fill("wrong")
    await form.locator("button").last.click()
    await expect(form.get_by_text("This password is wrong.", exact=True)).to_be_visible()
    await form.locator("[name=password]").fill("right")
    await form.locator("button").last.click()
    await page.wait_for_url("**/admin")
    await expect(page.get_by_role("row", name="Main active")).to_be_visible()
    assert [account.name for account in served.accounts] == ["Main"]
