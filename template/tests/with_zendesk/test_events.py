"""What Zendesk tells the project's own service of."""

from sandbox.zendesk import Zendesk


async def test_events_come_together_and_some_are_unknown(installed: Zendesk) -> None:
    account = await installed.add_account("Main", site="main", password="right")
    installed.settings.hold_events = True
    before = len(installed.log.of("event_callback"))
    await installed.deactivate(account)
    await installed.activate(account)
    installed.events.emit("something_new", {"metadata": account.metadata})
    await installed.events.flush()
    assert [exchange.status for exchange in installed.log.of("event_callback")[before:]] == [200]


async def test_a_channel_that_is_removed_is_the_last_event(installed: Zendesk) -> None:
    await installed.add_account("Main", site="main", password="right")
    await installed.uninstall()
    assert [event["type_id"] for event in installed.events.emitted][-1] == "destroy_integration"
    assert installed.log.of("event_callback")[-1].status == 200
