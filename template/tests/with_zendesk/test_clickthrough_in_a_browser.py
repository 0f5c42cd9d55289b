"""From a ticket to the post at the origin, with the project's own service, in a browser."""

import pytest
from playwright.async_api import Page

from sandbox.zendesk import Zendesk
from tests.doubles import ScriptedOrigin

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_agent_opens_the_original(served: Zendesk, origin: ScriptedOrigin, page: Page) -> None:
    origin.write("post-1")
    await served.pull(await served.add_account("Main", site="main", password="right"))
    await page.goto(f"{served.settings.address}/agent/tickets/{served.tickets[0].id}")
    original = page.get_by_role("link", name="Original").first
    async with page.context.expect_event("request", lambda sent: "origin.example" in sent.url) as opened:
        await original.click()
    assert (await opened.value).url == "https://origin.example/posts/post-1"
