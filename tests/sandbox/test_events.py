"""`sandbox/zendesk/events.py`: the service hears what happened; and links lead back to the origin."""

from datetime import datetime

import pytest
from sandbox import wire
from sandbox.zendesk import Account, FakeClock, Fault, Zendesk
from scripted_integration import MANIFEST_URL, ScriptedIntegration, resource


async def test_without_a_url_nobody_hears_of_anything(integration: ScriptedIntegration) -> None:
    """ZEN-55."""
    del integration.urls["event_callback_url"]
    async with Zendesk(MANIFEST_URL, integration.app, clock=FakeClock()) as zendesk:
        await zendesk.pull(await zendesk.add_account("Main"))
        assert [event["type_id"] for event in zendesk.events.emitted] == [
            "create_integration",
            "create_integration_instance",
            "pull_request",
        ]
    assert integration.events == []


async def test_events_come_as_json_in_batches(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-55: together as long as they are held back."""
    zendesk.settings.hold_events, zendesk.settings.event_batch_size = True, 3
    integration.batches.clear()
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    await zendesk.pull(account)
    await zendesk.deactivate(account)
    assert integration.batches == []
    await zendesk.events.flush()
    assert integration.batches == [3, 1]
    assert integration.requests[-1][3] == "application/json"


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(dropped="before"), Fault(delay=60)])
async def test_a_failing_endpoint_harms_nothing(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, fault: Fault
) -> None:
    """ZEN-55: one try each."""
    before = len(integration.events)
    zendesk.faults.add("event_callback", fault)
    assert (await zendesk.pull(account)).error is None
    await zendesk.events.flush()
    assert len(integration.events) == before


async def test_a_status_of_failure_is_remarked(zendesk: Zendesk, account: Account) -> None:
    """ZEN-55."""
    zendesk.faults.add("event_callback", Fault(status=500))
    await zendesk.pull(account)
    assert zendesk.log.of("event_callback")[-1].rules == {"SVC-54"}


async def test_every_event_keeps_to_the_contract(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-56: all ten types, each with its six members."""
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    await zendesk.pull(account)
    await zendesk.reply(zendesk.tickets[0], "Hello")
    zendesk.tickets[0].status = "closed"
    integration.posts = [resource("post-2", parent_id="post-1")]
    await zendesk.pull(account)
    await zendesk.deactivate(account)
    await zendesk.activate(account)
    await zendesk.erase_user(zendesk.state.users[0])
    await zendesk.uninstall()
    assert len(set(integration.types())) == 10
    wire.check("event-callback", {"events": integration.events})
    for event in integration.events:
        assert event["subdomain"] == "acme"
        assert (event["integration_name"], event["integration_id"]) == ("Scripted", "scripted")
        assert datetime.fromisoformat(event["timestamp"]) == zendesk.clock.now()


async def test_an_event_tells_when_it_happened(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-56: not when it is posted."""
    zendesk.settings.hold_events = True
    await zendesk.deactivate(account)
    before = zendesk.clock.now()
    await zendesk.advance(90)
    await zendesk.activate(account)
    await zendesk.events.flush()
    moments = [datetime.fromisoformat(event["timestamp"]) for event in integration.events[-2:]]
    assert [(moment - before).total_seconds() for moment in moments] == [0, 90]


async def test_erasing_a_user_is_an_event(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-57: and nothing of them is left here."""
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    await zendesk.erase_user(zendesk.state.users[0])
    event = integration.events[-1]
    assert event["type_id"] == "destroy_user_identity"
    assert event["data"] == {"author": {"external_id": "ada"}, "metadata": "secret-1"}
    assert zendesk.state.users == []
    comment = zendesk.tickets[0].comments[0]
    assert (comment.author_id, comment.body, zendesk.tickets[0].requester_id) == (None, "(deleted)", None)


async def test_events_come_twice_and_in_disorder(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-55: if that is asked for."""
    integration.events.clear()
    integration.posts = [resource("post-1")]
    zendesk.faults.duplicate_events = zendesk.faults.reorder_events = True
    await zendesk.pull(account)
    assert integration.types() == ["resources_created_from_external_ids", "pull_request"] * 2


async def test_a_comments_link_carries_its_id_alone(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-59: and is opened by GET."""
    integration.posts = [resource("a&b=c %+#:1")]
    await zendesk.pull(account)
    comment = zendesk.tickets[0].comments[0]
    url = "https://integration.test/channel/clickthrough?external_id=a%26b%3Dc+%25%2B%23%3A1"
    assert zendesk.clickthrough_url(comment) == url
    answer = await zendesk.click_through(comment)
    assert (answer.status, answer.headers["location"]) == (302, "https://origin.test/post")
    assert integration.requests[-1][0] == "GET"
    assert "secret-1" not in str(integration.requests[-1])


async def test_a_link_keeps_what_the_service_wants_to_know(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-59: a `clickthrough_url` may have a query of its own."""
    integration.urls["clickthrough_url"] = "./clickthrough?shop=1"
    await zendesk.refresh_manifest()
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    await zendesk.click_through(zendesk.tickets[0].comments[0])
    assert integration.requests[-1][1] == "/channel/clickthrough?shop=1&external_id=post-1"


async def test_a_note_has_no_link(
    zendesk: Zendesk, integration: ScriptedIntegration, account: Account
) -> None:
    """ZEN-59: the service knows nothing of it."""
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    assert zendesk.clickthrough_url(zendesk.note(zendesk.tickets[0], "For us")) is None
