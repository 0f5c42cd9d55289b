"""What happens at the same time: pulls beside pushes, replies beside pulls, and removing beside all of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from sandbox.zendesk import Account, Fault, InProcess, Zendesk
from scripted_integration import ScriptedIntegration, resource
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

TURNS = 2000


class Late(JSONResponse):
    """An answer that is not given before something else is done."""

    def __init__(self, first: Callable[[], Awaitable[object]], document: Any) -> None:
        super().__init__(document)
        self._first = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._first()
        await super().__call__(scope, receive, send)


async def turns(condition: Callable[[], bool]) -> bool:
    """Let everything run that can, until something holds; tell whether it does."""
    for _ in range(TURNS):
        if condition():
            return True
        await asyncio.sleep(0)
    return condition()


async def push(zendesk: Zendesk, opened: dict[str, str], *posts: dict[str, Any]) -> None:
    async with httpx2.AsyncClient(transport=InProcess(zendesk)) as service:
        answer = await service.post(
            "https://acme.zendesk.com/api/v2/any_channel/push",
            json={"instance_push_id": opened["instance_push_id"], "external_resources": list(posts)},
            headers={"authorization": f"Bearer {opened['zendesk_access_token']}"},
        )
        assert answer.status_code == 200


@pytest.fixture
def integration() -> ScriptedIntegration:
    integration = ScriptedIntegration()
    integration.manifest["push_client_id"] = "zdg-scripted"
    return integration


@pytest.fixture
def gate() -> asyncio.Event:
    return asyncio.Event()


async def test_what_is_pulled_and_pushed_at_once_is_taken_once(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-20, ZEN-51."""
    posts = integration.posts = [resource(f"post-{number}", thread_id="one") for number in range(20)]
    opened = integration.opened[0]
    await asyncio.gather(zendesk.pull(account), push(zendesk, opened, *posts), push(zendesk, opened, *posts))
    (ticket,) = zendesk.tickets
    assert [comment.external_id for comment in ticket.comments] == [post["external_id"] for post in posts]


async def test_accounts_are_pulled_beside_each_other(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, gate: asyncio.Event
) -> None:
    """ZEN-14."""
    await zendesk.add_account("Second")
    integration.answers["pull"] = lambda: Late(gate.wait, {"external_resources": []})
    running = asyncio.create_task(zendesk.scheduler.run_due())
    assert await turns(lambda: len(integration.pulled) == 2)
    gate.set()
    assert len(await running) == 2


async def test_an_account_is_pulled_once_at_a_time(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, gate: asyncio.Event
) -> None:
    """ZEN-14, ZEN-17: a pull by hand waits for the one that runs, or is left out."""
    integration.answers["pull"] = lambda: Late(gate.wait, {"external_resources": [], "state": "page 2"})
    pulls = [asyncio.create_task(zendesk.pull(account)) for _ in range(2)]
    overlapping = await turns(lambda: len(integration.pulled) == 2)
    gate.set()
    await asyncio.gather(*pulls, return_exceptions=True)
    assert not overlapping


async def test_a_reply_that_is_pulled_before_its_answer_is_there_once(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-20."""
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)

    async def pulled() -> None:
        integration.posts = [resource("reply-1", parent_id="post-1")]
        await zendesk.pull(account)

    integration.answers["channelback"] = lambda: Late(pulled, {"external_id": "reply-1"})
    await zendesk.reply(zendesk.tickets[0], "Hello")
    ids = [comment.external_id for comment in zendesk.state.comments()]
    assert ids.count("reply-1") == 1


async def test_a_slow_file_holds_up_its_own_account_only(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, gate: asyncio.Event
) -> None:
    second = await zendesk.add_account("Second")
    integration.answers["files/slow.txt"] = lambda: Late(gate.wait, {})
    integration.posts = [resource("post-1", file_urls=["files/slow.txt"])]
    slow = asyncio.create_task(zendesk.pull(account))
    assert await turns(lambda: bool(zendesk.log.of("file")))
    integration.posts = [resource("post-2")]
    quick = asyncio.create_task(zendesk.pull(second))
    done = await turns(quick.done)
    gate.set()
    await asyncio.gather(slow, quick)
    assert done


async def test_a_service_may_push_while_it_is_told_of_events(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-55."""

    async def pushed() -> None:
        del integration.answers["events"]
        await push(zendesk, integration.opened[0], resource("post-1"))

    integration.answers["events"] = lambda: Late(pushed, {})
    pull = asyncio.create_task(zendesk.pull(account))
    done = await turns(pull.done)
    pull.cancel()
    await asyncio.gather(pull, return_exceptions=True)
    assert done


async def test_equal_events_are_all_told(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-55: also with room for one in a batch."""
    zendesk.settings.hold_events, zendesk.settings.event_batch_size = True, 1
    integration.events.clear()
    await zendesk.deactivate(account)
    await zendesk.activate(account)
    await zendesk.deactivate(account)
    await zendesk.events.flush()
    assert [type_id.partition("_")[0] for type_id in integration.types()] == [
        "deactivate",
        "activate",
        "deactivate",
    ]


async def test_time_never_runs_back(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-14: although a pull takes longer than the pause between two."""
    zendesk.settings.pull_interval = 30
    zendesk.faults.add("pull", Fault(delay=50, times=None))
    await zendesk.advance(300)
    moments = [exchange.started_at for exchange in zendesk.log.entries]
    assert moments == sorted(moments)


@pytest.mark.parametrize(
    "removed",
    [
        "account",
        "integration",
    ],
)
async def test_what_is_removed_while_it_is_pulled_imports_nothing(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, gate: asyncio.Event, removed: str
) -> None:
    """ZEN-14: and harms no other pull."""
    integration.answers["pull"] = lambda: Late(gate.wait, {"external_resources": [resource("post-1")]})
    running = asyncio.create_task(zendesk.scheduler.run_due())
    assert await turns(lambda: bool(integration.pulled))
    if removed == "account":
        await zendesk.remove_account(account)
    else:
        await zendesk.uninstall()
    gate.set()
    await running
    assert zendesk.tickets == []


async def test_what_is_removed_while_its_manifest_is_read_stays_removed(
    integration: ScriptedIntegration, zendesk: Zendesk, gate: asyncio.Event
) -> None:
    """ZEN-03."""
    document = integration.manifest | {"urls": integration.urls}
    integration.answers["manifest"] = lambda: Late(gate.wait, document)
    running = asyncio.create_task(zendesk.refresh_manifest())
    assert await turns(lambda: len(zendesk.log.of("manifest")) == 2)
    await zendesk.uninstall()
    gate.set()
    await asyncio.gather(running, return_exceptions=True)
    assert zendesk.state.manifest is None


async def test_a_pull_that_is_broken_off_loses_nothing(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, gate: asyncio.Event
) -> None:
    """ZEN-17, ZEN-21: the state stays behind posts that have not been imported."""
    integration.answers["files/slow.txt"] = lambda: Late(gate.wait, {})
    integration.posts = [resource("post-1", file_urls=["files/slow.txt"])]
    integration.pull_answer = {"state": "page 2"}
    running = asyncio.create_task(zendesk.pull(account))
    assert await turns(lambda: bool(zendesk.log.of("file")))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (account.state, zendesk.tickets) == ("", [])


async def test_an_answer_that_comes_late_is_no_answer(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, gate: asyncio.Event
) -> None:
    """ZEN-22: by the clock on the wall as well."""
    zendesk.settings.pull_timeout = 0.01
    integration.answers["pull"] = lambda: Late(gate.wait, {"external_resources": []})
    assert (await zendesk.pull(account)).error == "no answer within 0.01 seconds"
    gate.set()


async def test_a_fault_waits_its_turn(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """Each of them happens to one request, in order, at its own endpoint."""
    for fault in (Fault(status=500), Fault(dropped="before"), Fault(status=404)):
        zendesk.faults.add("pull", fault)
    errors = [(await zendesk.pull(account)).error for _ in range(4)]
    assert [str(error).rpartition(" ")[2] for error in errors] == ["500", "purpose", "404", "None"]


async def test_the_answer_of_an_event_does_not_matter(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-55."""
    integration.answers["events"] = lambda: Response(b"<p>", 201)
    await zendesk.pull(account)
    assert zendesk.log.of("event_callback")[-1].remarks == []
