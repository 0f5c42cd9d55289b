"""An admin uploads an app as a zip, and finds it with its settings in Admin Center."""

import json

import pytest
from playwright.async_api import FilePayload, Page, expect
from sandbox.app.logo import logo_of, png
from sandbox.app.packaging import zipped
from sandbox.zendesk import Zendesk
from test_apps import SETTINGS

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_app_is_installed_from_its_zip_and_brings_the_channel(zendesk: Zendesk, page: Page) -> None:
    channel = {"channel_integrations": {"scripted": {"manifest_url": zendesk.manifest.url}}}
    texts = dict.fromkeys(("name", "long_description", "installation_instructions"), "Scripted")
    app = {
        "manifest.json": json.dumps(SETTINGS).encode(),
        "requirements.json": json.dumps(channel).encode(),
        "translations/en.json": json.dumps(
            {"app": texts | {"short_description": "Posts for tests."}}
        ).encode(),
        "assets/logo-small.png": png(logo_of("Scripted"), 128),
    }
    await zendesk.uninstall()
    await page.goto(f"{zendesk.settings.address}/admin")
    upload: FilePayload = {"name": "app.zip", "mimeType": "application/zip", "buffer": zipped(app)}
    await page.get_by_label("Installer app as a zip").set_input_files(upload)
    await page.get_by_role("button", name="Upload and install").click()
    card = page.get_by_role("article", name="Scripted")
    await expect(card.get_by_text("Posts for tests.")).to_be_visible()
    await expect(page.get_by_role("button", name="Add an account")).to_be_visible()
    assert await card.locator("img").evaluate("image => image.naturalWidth") == 128
    await card.get_by_label("region").fill("us")
    await card.get_by_label("shop").fill("hush-hush")
    await card.get_by_role("button", name="Save settings").click()
    await expect(card.get_by_label("region")).to_have_value("us")
    await expect(card.get_by_label("shop")).to_have_value("")
    assert zendesk.state.apps[0].settings == {"region": "us", "shop": "hush-hush"}
