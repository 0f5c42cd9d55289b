"""`sandbox/zendesk/pulls.py` and `scheduler.py`: Zendesk asks for what is new."""

import asyncio
import json
from typing import Any

import pytest
from sandbox.zendesk import Account, FakeClock, Fault, FeatureOffError, Zendesk
from scripted_integration import MANIFEST_URL, ScriptedIntegration, resource
from starlette.responses import JSONResponse, Response


async def test_a_pull_is_a_form_with_metadata_and_state(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-14."""
    account.metadata = 'a&b=c%+#ü"\n'
    await zendesk.pull(account)
    assert integration.pulled == [{"metadata": ['a&b=c%+#ü"\n'], "state": [""]}]
    assert integration.requests[-2][3].startswith("application/x-www-form-urlencoded")


async def test_active_accounts_are_pulled_every_two_minutes(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-14: the first pull is due at once."""
    integration.returned = {"metadata": "secret-2"}
    second = await zendesk.add_account("Second")
    await zendesk.deactivate(second)
    await zendesk.advance(359)
    assert [form["metadata"] for form in integration.pulled] == [["secret-1"]] * 3
    await zendesk.activate(second)
    await zendesk.advance(1)
    assert [form["metadata"] for form in integration.pulled[3:]] == [["secret-2"], ["secret-1"]]


async def test_a_pull_by_hand_puts_the_next_one_off(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-14."""
    await zendesk.advance(60)
    await zendesk.pull(account)
    await zendesk.advance(119)
    assert len(integration.pulled) == 2
    await zendesk.advance(1)
    assert len(integration.pulled) == 3


async def test_the_scheduler_pulls_by_itself(integration: ScriptedIntegration) -> None:
    """ZEN-14: with the real clock too."""
    arrived = asyncio.Event()

    def answer() -> Response:
        arrived.set()
        return JSONResponse({"external_resources": []})

    integration.answers["pull"] = answer
    async with Zendesk(MANIFEST_URL, integration.app) as zendesk:
        await zendesk.add_account("Main")
        running = asyncio.create_task(zendesk.scheduler.run())
        await arrived.wait()
        running.cancel()


async def test_an_inactive_account_is_not_pulled(zendesk: Zendesk, account: Account) -> None:
    """ZEN-14."""
    await zendesk.deactivate(account)
    with pytest.raises(FeatureOffError):
        await zendesk.pull(account)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<p>",
        b"external_resources=",
        b"[]",
        b"{}",
        b'{"external_resources": null}',
        b'{"external_resources": [{"external_id": "post-1"}]}',
        b'{"external_resources": [], "state": {}}',
        b'{"external_resources": [], "metadata": null}',
        json.dumps({"external_resources": [], "state": "s" * 5001}).encode(),
        b"\xff",
    ],
)
async def test_an_invalid_answer_changes_nothing(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, body: bytes
) -> None:
    """ZEN-15, ZEN-21."""
    account.state = "before"
    integration.answers["pull"] = lambda: Response(body, media_type="application/json")
    pull = await zendesk.pull(account)
    assert pull.error
    assert zendesk.log.of("pull")[0].remarks
    assert (account.state, account.metadata, account.failures) == ("before", "secret-1", 1)
    assert zendesk.tickets == []


async def test_resources_are_taken_in_order(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-16."""
    integration.posts = [resource(f"post-{number}", thread_id="one") for number in (3, 1, 2)]
    await zendesk.pull(account)
    assert [comment.external_id for comment in zendesk.tickets[0].comments] == ["post-3", "post-1", "post-2"]


async def test_state_and_metadata_stay_unless_the_answer_has_them(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-17."""
    integration.pull_answer = {"state": "page 2", "metadata": "secret-2"}
    await zendesk.pull(account)
    integration.pull_answer = {}
    await zendesk.pull(account)
    await zendesk.pull(account)
    assert integration.pulled[-1] == {"metadata": ["secret-2"], "state": ["page 2"]}


async def test_an_account_that_needs_an_admin_is_flagged(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-18: until an admin has saved it, or the service says otherwise."""
    integration.pull_answer = {"metadata_needs_update": True}
    await zendesk.pull(account)
    assert account.needs_update
    await zendesk.edit_account(account)
    assert not account.needs_update
    await zendesk.pull(account)
    integration.pull_answer = {}
    await zendesk.pull(account)
    assert not account.needs_update


@pytest.mark.parametrize(
    ("count", "remarked", "taken"), [(200, False, 200), (201, True, 201), (257, True, 0)]
)
async def test_too_many_resources(
    integration: ScriptedIntegration,
    zendesk: Zendesk,
    account: Account,
    count: int,
    remarked: bool,
    taken: int,
) -> None:
    """ZEN-19: more than 200 get a remark, more than 256 are refused."""
    integration.posts = [resource(f"post-{number}", thread_id="one") for number in range(count)]
    pull = await zendesk.pull(account)
    assert len(pull.results) == taken
    assert ("SVC-28" in zendesk.log.of("pull")[0].rules) == remarked


async def test_known_resources_are_skipped_and_listed(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-20: imported before, or learnt from a channelback."""
    integration.posts = [resource("post-1")]
    first = await zendesk.pull(account)
    reply = await zendesk.reply(zendesk.tickets[0], "Thank you!")
    integration.posts = [resource("post-1"), resource("reply-1", parent_id="post-1"), resource("post-2")]
    await zendesk.pull(account)
    assert [len(ticket.comments) for ticket in zendesk.tickets] == [2, 1]
    duplicates = [e["data"] for e in integration.events if e["type_id"] == "pull_request"][-1]
    comment = zendesk.tickets[0].comments[0]
    assert duplicates["duplicate_external_ids"] == [
        {
            "external_id": "post-1",
            "request_id": first.request_id,
            "ticket_id": comment.ticket_id,
            "comment_id": comment.id,
        },
        {
            "external_id": "reply-1",
            "request_id": reply.request_id,
            "ticket_id": comment.ticket_id,
            "comment_id": reply.id,
        },
    ]


@pytest.mark.parametrize(("per_account", "tickets"), [(True, 2), (False, 1)])
async def test_whether_accounts_share_their_ids_is_a_setting(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, per_account: bool, tickets: int
) -> None:
    """ZEN-20."""
    zendesk.settings.external_ids_are_per_account = per_account
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    await zendesk.pull(await zendesk.add_account("Second"))
    assert len(zendesk.tickets) == tickets


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 429, 500, 503])
async def test_a_status_of_failure_changes_nothing(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, status: int
) -> None:
    """ZEN-21: 401 says that an admin must act."""
    answer = {"external_resources": [resource("post-1")], "state": "after", "metadata": "other"}
    integration.answers["pull"] = lambda: JSONResponse(answer, status)
    pull = await zendesk.pull(account)
    assert pull.error is not None
    assert str(status) in pull.error
    assert (account.state, account.metadata, zendesk.tickets) == ("", "secret-1", [])
    assert account.needs_update == (status == 401)


async def test_a_pull_ends_after_a_minute(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-21, ZEN-22: by default; a slower answer counts as none."""
    zendesk.faults.add("pull", Fault(delay=60))
    start = zendesk.clock.now()
    pull = await zendesk.pull(account)
    assert (pull.error, integration.pulled) == ("no answer within 60 seconds", [])
    assert (zendesk.clock.now() - start).total_seconds() == 60
    assert zendesk.log.of("pull")[0].rules == {"SVC-30"}


async def test_the_timeout_is_a_setting(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-22."""
    zendesk.settings.pull_timeout = 90
    zendesk.faults.add("pull", Fault(delay=60))
    assert (await zendesk.pull(account)).error is None


@pytest.mark.parametrize("dropped", ["before", "after"])
async def test_a_dropped_connection_changes_nothing(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, dropped: Any
) -> None:
    """ZEN-21."""
    account.state = "before"
    integration.posts, integration.pull_answer = [resource("post-1")], {"state": "after", "metadata": "other"}
    zendesk.faults.add("pull", Fault(dropped=dropped))
    assert (await zendesk.pull(account)).error
    assert (account.state, account.metadata, zendesk.tickets) == ("before", "secret-1", [])
    assert len(integration.pulled) == (dropped == "after")
    assert (await zendesk.pull(account)).error is None
    assert len(zendesk.tickets) == 1


async def test_failures_in_a_row_deactivate(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-23: a success in between starts the count again."""
    zendesk.settings.failures_before_deactivation = 3
    for failures in (2, 3):
        zendesk.faults.add("pull", Fault(status=503, times=failures))
        for _ in range(3):
            await zendesk.pull(account)
    assert not account.active
    deactivation = integration.events[-1]
    assert deactivation["type_id"] == "deactivate_integration_instance"
    assert deactivation["data"] == {
        "metadata": "secret-1",
        "deactivated_by": "error",
        "deactivating_error": "the pull was answered with 503",
    }
    await zendesk.advance(1000)
    assert integration.events[-1] is deactivation


async def test_a_command_deactivates_and_activates(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-23."""
    await zendesk.deactivate(account)
    assert integration.events[-1]["data"] == {"metadata": "secret-1", "deactivated_by": "api"}
    await zendesk.activate(account)
    assert integration.events[-1]["type_id"] == "activate_integration_instance"


async def test_every_pull_is_an_event(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-24: a failed one with its error."""
    pull = await zendesk.pull(account)
    zendesk.faults.add("pull", Fault(status=503))
    await zendesk.pull(account)
    success, failure = integration.events[-2:]
    assert success["type_id"] == failure["type_id"] == "pull_request"
    assert success["data"] == {
        "integration_instance_name": "Main",
        "url": "https://integration.test/channel/pull",
        "request_id": pull.request_id,
        "duplicate_external_ids": [],
    }
    assert "error" not in success
    assert failure["error"] == "the pull was answered with 503"


async def test_only_a_fake_clock_can_be_advanced(integration: ScriptedIntegration) -> None:
    async with Zendesk(MANIFEST_URL, integration.app) as zendesk:
        with pytest.raises(TypeError, match=FakeClock.__name__):
            await zendesk.advance(1)
