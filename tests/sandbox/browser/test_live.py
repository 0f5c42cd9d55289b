"""What changes on a page while somebody looks at it."""

import asyncio

import pytest
from playwright.async_api import Page, Route, expect
from sandbox.zendesk import Account, Fault, Zendesk
from scripted_integration import ScriptedIntegration, resource

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTILE = "<script>top.hacked = 1</script><img src=x onerror='top.hacked = 1'><b>Hello</b>"


@pytest.fixture
def posts(integration: ScriptedIntegration) -> list[dict[str, object]]:
    integration.manifest["push_client_id"] = "zdg-scripted"
    integration.posts = [resource("post-1")]
    return integration.posts


async def pulled(zendesk: Zendesk) -> Account:
    account = await zendesk.add_account("Main", key="password-1")
    await zendesk.pull(account)
    return account


async def test_a_comment_comes_without_a_reload_and_nothing_typed_is_lost(
    posts: list[dict[str, object]], zendesk: Zendesk, page: Page
) -> None:
    account = await pulled(zendesk)
    await page.goto(f"{zendesk.settings.address}/agent/tickets/{zendesk.tickets[0].id}")
    await page.evaluate("window.neverReloaded = true")
    message = page.get_by_label("Message")
    await message.press_sequentially("Half a sentence")
    await message.press("ArrowLeft")
    posts.append(resource("post-2", thread_id="post-1", html_message=HOSTILE))
    await zendesk.pull(account)
    text = page.frame_locator("iframe.body").get_by_text("Hello")
    await expect(text).to_be_visible()
    await message.press_sequentially("!")
    await expect(message).to_have_value("Half a sentenc!e")
    assert await page.evaluate("[window.neverReloaded, window.hacked]") == [True, None]


async def test_what_was_not_there_yet_comes_without_a_reload_and_what_is_gone_goes(
    integration: ScriptedIntegration, zendesk: Zendesk, page: Page
) -> None:
    """Whoever is quicker than the service at its start looks at a Zendesk in which nothing is installed."""
    manifest_url = zendesk.state.manifest.url if zendesk.state.manifest else ""
    await zendesk.uninstall()
    await page.goto(f"{zendesk.settings.address}/admin")
    add = page.get_by_role("button", name="Add an account")
    await expect(add).to_have_count(0)
    await zendesk.install(manifest_url)
    await expect(add).to_be_visible()
    await expect(page.get_by_role("heading", name=integration.manifest["name"])).to_be_visible()
    await expect(page.get_by_role("heading", name="Install another")).to_be_visible()
    await zendesk.uninstall()
    await expect(page.get_by_role("heading", name="Accounts")).to_be_hidden()


async def test_a_change_that_cannot_be_read_comes_with_the_next_one(
    posts: list[dict[str, object]], zendesk: Zendesk, page: Page
) -> None:
    """Nor is a page that looks on when the sandbox stops a fault in the console."""
    account = await pulled(zendesk)
    await page.goto(f"{zendesk.settings.address}/agent/tickets/{zendesk.tickets[0].id}")
    await page.evaluate("window.neverReloaded = true")
    broken = asyncio.Event()

    async def break_off(route: Route) -> None:
        await route.abort()
        broken.set()

    await page.route("**/agent/tickets/*", break_off)
    posts.append(resource("post-2", thread_id="post-1"))
    await zendesk.pull(account)
    await broken.wait()
    await page.unroute("**/agent/tickets/*")
    posts.append(resource("post-3", thread_id="post-1"))
    await zendesk.pull(account)
    await expect(page.locator("li.comment")).to_have_count(3)
    assert await page.evaluate("window.neverReloaded")


async def test_the_first_account_brings_its_token_without_a_reload(zendesk: Zendesk, page: Page) -> None:
    await page.goto(f"{zendesk.settings.address}/faults")
    tokens = page.get_by_role("heading", name="Push tokens")
    await expect(tokens).to_be_hidden()
    await zendesk.add_account("Main", key="password-1")
    await expect(tokens).to_be_visible()


async def test_a_reply_that_fails_is_told_where_it_stands_and_sent_again(
    posts: list[dict[str, object]], zendesk: Zendesk, page: Page
) -> None:
    """Also when the service reports it later (ZEN-53)."""
    await pulled(zendesk)
    zendesk.faults.add("channelback", Fault(status=400))
    await page.goto(f"{zendesk.settings.address}/agent/tickets/{zendesk.tickets[0].id}")
    await page.get_by_label("Message").fill("Thank you!")
    await page.get_by_label("Message").press("Control+Enter")
    await expect(page.get_by_text("Not delivered")).to_be_visible()
    await page.get_by_role("button", name="Send again").click()
    await expect(page.get_by_text("Arrived as")).to_be_visible()
    await expect(page.get_by_text("Not delivered")).to_be_hidden()
    zendesk.tickets[0].comments[-1].error = "The post was deleted."
    zendesk.changes.note()
    await expect(page.get_by_text("Not delivered: The post was deleted.")).to_be_visible()


async def test_the_log_is_used_by_keys(posts: list[dict[str, object]], zendesk: Zendesk, page: Page) -> None:
    account = await pulled(zendesk)
    await page.goto(f"{zendesk.settings.address}/exchanges")
    focused = page.locator(":focus")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    second = zendesk.log.entries[-2].number
    await expect(focused).to_have_id(f"x{second}")
    await zendesk.pull(account)
    newest = zendesk.log.entries[-1].number
    await expect(page.locator(f"#x{newest}")).to_be_visible()
    await expect(focused).to_have_id(f"x{second}")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/exchanges/{second}")
    await page.go_back()
    await page.keyboard.press("/")
    await page.keyboard.type("post-1")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/exchanges?q=post-1*")
    await expect(page.locator("[data-row]").first).to_be_visible()
    await expect(page.locator("[data-row]", has_text="manifest")).to_have_count(0)


async def test_pages_fit_a_small_window_and_name_their_fields(
    posts: list[dict[str, object]], zendesk: Zendesk, page: Page
) -> None:
    await pulled(zendesk)
    await page.set_viewport_size({"width": 900, "height": 700})
    ticket = f"/agent/tickets/{zendesk.tickets[0].id}"
    log = f"/exchanges/{zendesk.log.entries[-1].number}"
    for path in ("/", "/admin", "/admin/users", "/agent", ticket, "/exchanges", log, "/faults", "/settings"):
        await page.goto(zendesk.settings.address + path)
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not await page.evaluate(wide), path
        fields = "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]"
        unnamed = f"{fields}.filter((each) => !each.labels.length).map((each) => each.outerHTML)"
        assert await page.evaluate(unnamed) == [], path
        assert (await page.title()).endswith(" – Zendesk sandbox")
