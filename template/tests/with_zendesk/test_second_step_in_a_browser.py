"""The form's second step in Zendesk's frame, with a keyboard."""

import pytest
from playwright.async_api import Page, expect

from sandbox.zendesk import Zendesk
from tests.choices.offering_origin import OfferingOrigin

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def origin() -> OfferingOrigin:
    return OfferingOrigin()


async def test_rooms_and_topics_are_chosen_with_the_keyboard(
    served: Zendesk, page: Page, origin: OfferingOrigin
) -> None:
    """SVC-24, SVC-25: an error is in focus, and its link leads to the field."""
    served.settings.locale = "de"
    await page.goto(served.settings.address)
    await page.get_by_role("button", name="Add an account").click()
    form = page.frame_locator("iframe[name=service]")
    await form.get_by_label("Name des Kontos").fill("Main")
    await form.get_by_label("Site").fill("main")
    await form.get_by_label("Password").fill("right-horse")
    await form.get_by_role("button", name="Weiter").press("Enter")

    await expect(form.get_by_text("Schritt 2 von 2")).to_be_visible()
    await form.get_by_role("button", name="Zur\u00fcck", exact=True).click()
    await expect(form.get_by_label("Site")).to_have_value("main")
    await expect(form.get_by_label("Password")).to_have_value("")
    await form.get_by_role("button", name="Weiter").click()

    await form.get_by_role("button", name="Speichern").click()
    await expect(form.get_by_role("alert")).to_be_focused()
    room = form.get_by_label("Room")
    await expect(room).to_have_attribute("aria-invalid", "true")
    await form.get_by_role("alert").get_by_role("link", name="Room").press("Enter")
    await expect(room).to_be_focused()
    await page.keyboard.type("Gar")
    topics = form.get_by_role("group", name="Topics")
    await topics.get_by_label("Tea").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await expect(topics.get_by_label("Cake")).to_be_focused()
    await page.keyboard.press("Space")
    await form.get_by_role("button", name="Speichern").press("Enter")

    await page.wait_for_url("**/admin")
    assert [account.name for account in served.accounts] == ["Main"]
    assert (origin.last_verified.room, origin.last_verified.topics) == ("r2", {"t1", "t2"})
