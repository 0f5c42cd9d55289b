"""The project's own service, as Zendesk's admins use it."""

import pytest

from sandbox.zendesk import HandshakeError, Zendesk


async def test_an_account_is_added_and_edited(installed: Zendesk) -> None:
    account = await installed.add_account("Main", site="main", password="right")
    assert account.metadata
    await installed.edit_account(account, name="Second", password="right")
    assert [each.name for each in installed.accounts] == ["Second"]


async def test_a_wrong_password_adds_nothing(installed: Zendesk) -> None:
    with pytest.raises(HandshakeError, match=r"This password is wrong\."):
        await installed.add_account("Main", site="main", password="wrong")
    assert installed.accounts == []


async def test_a_channel_is_removed(installed: Zendesk) -> None:
    await installed.add_account("Main", site="main", password="right")
    await installed.uninstall()
    assert [event["type_id"] for event in installed.events.emitted][-1] == "destroy_integration"


async def test_events_come_together_and_some_are_unknown(installed: Zendesk) -> None:
    """A service that offers no address for events hears of none."""
    account = await installed.add_account("Main", site="main", password="right")
    installed.settings.hold_events = True
    before = len(installed.log.of("event_callback"))
    await installed.deactivate(account)
    await installed.activate(account)
    installed.events.emit("something_new", {"metadata": account.metadata})
    await installed.events.flush()
    statuses = [exchange.status for exchange in installed.log.of("event_callback")[before:]]
    assert statuses == ([200] if "event_callback_url" in installed.manifest.urls else [])
