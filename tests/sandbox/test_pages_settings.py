"""`sandbox/zendesk/pages/`: settings, and time."""

from dataclasses import asdict, fields

import httpx2
import pytest
from sandbox.zendesk import Account, Settings, Zendesk
from sandbox.zendesk.forms import Form, Page
from scripted_integration import ScriptedIntegration, resource


async def form_of(pages: httpx2.AsyncClient) -> Form:
    forms = Page((await pages.get("/settings")).text).forms
    return next(form for form in forms if form.action == "/settings")


async def test_each_setting_is_explained(pages: httpx2.AsyncClient) -> None:
    shown = (await pages.get("/settings")).text
    for field in fields(Settings):
        assert f"<code>{field.name}</code>" in shown
    assert "Hours pass before a changed manifest is used (ZEN-03)." in shown
    assert "<p></p>" not in shown
    assert 'name="address"' not in shown


async def test_saving_what_is_shown_changes_nothing(zendesk: Zendesk, pages: httpx2.AsyncClient) -> None:
    zendesk.settings.token_lifetime = 60
    before = asdict(zendesk.settings)
    await pages.post("/settings", data=(await form_of(pages)).filled({}))
    assert asdict(zendesk.settings) == before


async def test_settings_are_read_by_their_types(zendesk: Zendesk, pages: httpx2.AsyncClient) -> None:
    typed = {
        "subdomain": "other",
        "pull_interval": "0.5",
        "failures_before_deactivation": "0",
        "token_lifetime": "3600",
        "inactive_account_status": "",
        "file_methods": "POST, GET",
        "channelback_statuses_to_repeat": "500 503",
        "hold_events": "True",
    }
    posted = (await form_of(pages)).filled(typed)
    del posted["edit_voids_old_token"]
    answer = await pages.post("/settings", data=posted | {"address": "https://elsewhere.example"})
    assert answer.status_code == 200
    settings = zendesk.settings
    assert (settings.subdomain, settings.pull_interval, settings.token_lifetime) == ("other", 0.5, 3600)
    assert (settings.failures_before_deactivation, settings.inactive_account_status) == (0, None)
    assert settings.file_methods == ("POST", "GET")
    assert settings.channelback_statuses_to_repeat == (500, 503)
    assert (settings.hold_events, settings.edit_voids_old_token) == (True, False)
    assert settings.address == Settings().address


@pytest.mark.parametrize(
    ("name", "typed", "explanation"),
    [
        ("pull_interval", "often", "Input should be a valid number"),
        ("pull_interval", "-1", "Input should be greater than or equal to 0"),
        ("pull_interval", "nan", "Input should be"),
        ("event_batch_size", "0", "Input should be greater than 0"),
        ("unknown_token_status", "200", "Input should be greater than or equal to 400"),
        ("channelback_statuses_to_repeat", "500, x", "Input should be a valid integer"),
        ("subdomain", "", "Input should be a valid string"),
    ],
)
async def test_a_wrong_value_saves_nothing_and_stands_beside_its_error(
    name: str, typed: str, explanation: str, zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    before = asdict(zendesk.settings)
    answer = await pages.post("/settings", data=(await form_of(pages)).filled({"locale": "fr", name: typed}))
    assert answer.status_code == 422
    assert asdict(zendesk.settings) == before
    assert f'name="{name}" value="{typed}"' in answer.text
    assert f'aria-describedby="{name}-error"' in answer.text
    assert explanation in answer.text
    assert 'name="locale" value="fr"' in answer.text


async def test_time_is_hurried(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, pages: httpx2.AsyncClient
) -> None:
    zendesk.settings.hold_events = True
    integration.posts = [resource("post-1")]
    events = len(integration.events)
    await pages.post("/settings/pull")
    assert len(zendesk.tickets) == 1
    assert len(integration.events) == events
    assert "Send waiting events (2)" in (await pages.get("/settings")).text
    await pages.post("/settings/events")
    assert len(integration.events) == events + 2
