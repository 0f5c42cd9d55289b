"""From a customer's post to an agent's reply at the origin, with the project's own service, in a browser."""

import asyncio

import pytest
from playwright.async_api import Page, expect

from sandbox.zendesk import Zendesk
from tests.doubles import ScriptedOrigin

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_post_becomes_a_ticket_and_is_answered(
    served: Zendesk, origin: ScriptedOrigin, page: Page
) -> None:
    origin.write("post-1", message="The cake was great")
    await served.add_account("Main", site="main", password="right")
    await page.goto(served.settings.address)
    await page.get_by_role("button", name="Pull now").click()
    await page.get_by_role("link", name="Open the ticket").click()
    await expect(page.get_by_role("heading", name="The cake was great")).to_be_visible()
    await page.get_by_label("Message").fill("Thank you!")
    await page.get_by_role("button", name="Send public reply").click()
    await expect(page.get_by_text("Arrived as")).to_be_visible()
    async with asyncio.timeout(10):
        while not origin.replies:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert [reply.text for reply in origin.replies] == ["Thank you!"]
