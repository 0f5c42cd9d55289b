"""Apps that know nothing of this sandbox, in their frames beside a ticket."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from sandbox.zendesk import Zendesk
from scripted_integration import ScriptedIntegration, resource

pytestmark = pytest.mark.asyncio(loop_scope="session")

FOREIGN = Path(__file__).parents[1] / "apps" / "foreign"


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
