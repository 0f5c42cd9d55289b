"""What a newcomer does with a project made from the default answers, from its first start on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect
from running_command import free_ports, running, with_signals

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import FilePayload
    from projects import Project

pytestmark = pytest.mark.asyncio(loop_scope="session")

PICTURE: FilePayload = {"name": "menu.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\nmenu"}
TEXT: FilePayload = {"name": "Öffnungszeiten.txt", "mimeType": "text/plain", "buffer": b"Nine to five"}

TITLE = "Half an hour for a sandwich"


async def reply(page: Page, message: str, *files: FilePayload) -> None:
    await page.get_by_label("Message").fill(message)
    await page.get_by_label("Files").set_input_files(files)
    await page.get_by_role("button", name="Send public reply").click()
    await expect(page.locator("li.comment", has_text=message).get_by_text("Arrived as")).to_be_visible()


@with_signals
async def test_a_channel_is_tried_from_the_first_account_to_a_follow_up_ticket(
    default_project: Project, folder: Path, page: Page
) -> None:
    default_project.installed(folder / "src")
    async with running(*free_ports()) as command:
        await command.says("Press Ctrl-C")
        zendesk, site, _ = re.findall(r"^  [A-Z].* (http://\S+)", command.said, re.MULTILINE)

        await page.goto(zendesk)
        await page.get_by_role("button", name="Add an account").click()
        form = page.frame_locator("iframe[name=service]")
        await form.get_by_label("Account name").fill("Corner Café")
        await form.get_by_label("Business").fill("corner-cafe")
        await form.get_by_label("API key").fill("demo-key")
        await form.get_by_role("button").last.click()
        await page.wait_for_url("**/admin")
        await expect(page.get_by_role("row", name="Corner Café active")).to_be_visible()

        await page.goto(zendesk)
        await expect(page.get_by_text("3 tickets")).to_be_visible()
        await page.goto(f"{zendesk}agent")
        await page.get_by_role("link", name=TITLE).click()
        ticket = page.url
        await reply(page, "You can order by telephone.")
        await reply(page, "This is what there is.", PICTURE)
        await reply(page, "And this is when.", PICTURE, TEXT)

        async with page.expect_popup() as opened:
            await page.get_by_role("link", name="Original").first.click()
        review = await opened.value
        await review.wait_for_url(f"{site}posts/**")
        for message, count in (("by telephone", 0), ("This is what", 1), ("And this is when", 2)):
            shown = review.locator("article.reply", has_text=message)
            await expect(shown.locator("a.photo, .attachments a")).to_have_count(count)

        await page.get_by_role("button", name="Solve").click()
        await page.get_by_role("button", name="Close").click()
        await review.get_by_label("Your name").fill("Jonas")
        await review.get_by_label("Your comment").fill("The line is always busy.")
        await review.get_by_role("button", name="Publish comment").click()
        await expect(review.locator("article.comment").last).to_contain_text("The line is always busy.")
        await page.goto(f"{zendesk}settings")
        await page.get_by_role("button", name="Pull").click()
        await page.goto(ticket)
        await page.get_by_text("Followed by").locator("+ dd").get_by_role("link").click()
        await expect(page.get_by_role("heading", name="The line is always busy.")).to_be_visible()
        await reply(page, "We have a second one now.", TEXT)

        await page.goto(f"{zendesk}exchanges?endpoint=attachment")
        await expect(page.locator("[data-row]")).to_have_count(4)
        await page.goto(f"{zendesk}exchanges?wrong=1")
        await expect(page.locator("[data-row]")).to_have_count(0)
        await review.close()
