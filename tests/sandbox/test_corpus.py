"""Awkward values: each arrives as it was sent, whichever way it goes."""

from typing import Any

import httpx2
import pytest
from sandbox.zendesk import Account, InProcess, Ticket, Zendesk
from scripted_integration import ScriptedIntegration, resource
from starlette.responses import JSONResponse

API = "https://acme.zendesk.com/api/v2/any_channel"
IDS = ["a&b=c", "100%", "%41", "a+b", "a#b?c", "urn:a:b/c", "a b", "x" * 255]
METADATA = ('{"key": "ü \\"é\\" 日本\n&=%+#\';"}' * 200)[:5000]


@pytest.fixture
def integration() -> ScriptedIntegration:
    integration = ScriptedIntegration()
    integration.manifest["push_client_id"] = "zdg-scripted"
    return integration


async def call(zendesk: Zendesk, opened: dict[str, str], path: str, **document: Any) -> httpx2.Response:
    """Call Zendesk's API as the service that was handed these credentials."""
    headers = {"authorization": f"Bearer {opened['zendesk_access_token']}"}
    document = {"instance_push_id": opened["instance_push_id"]} | document
    async with httpx2.AsyncClient(transport=InProcess(zendesk)) as service:
        return await service.post(f"{API}/{path}", json=document, headers=headers)


async def codes(zendesk: Zendesk, opened: dict[str, str], *posts: dict[str, Any]) -> list[str]:
    answer = await call(zendesk, opened, "push", external_resources=list(posts))
    return [result["status"]["code"] for result in answer.json()["results"]]


@pytest.mark.parametrize("key", IDS)
async def test_an_id_comes_back_as_it_was(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, key: str
) -> None:
    """ZEN-26, ZEN-37, ZEN-39, ZEN-40: in a reply, and as another post's parent."""
    reply_id = key[::-1]
    integration.answers["channelback"] = lambda: JSONResponse({"external_id": reply_id})
    integration.posts = [resource(key, author={"external_id": key})]
    await zendesk.pull(account)
    reply = await zendesk.reply(zendesk.tickets[0], "Hello")
    sent = integration.replies[0]
    assert (sent["parent_id"], sent["thread_id"], sent["recipient_id"]) == ([key], [key], [key])
    assert (reply.error, reply.external_id) == (None, reply_id)
    integration.posts = [resource(f"{reply_id[:250]}-new", parent_id=reply_id)]
    await zendesk.pull(account)
    assert [len(ticket.comments) for ticket in zendesk.tickets] == [3]
    assert not any(exchange.remarks for exchange in zendesk.log.entries)


@pytest.mark.parametrize("key", IDS)
async def test_a_pushed_id_threads_and_is_known_again(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, key: str
) -> None:
    """ZEN-25, ZEN-51: and a link carries it."""
    posts = [resource(key, thread_id=key), resource("b", thread_id=key), resource("c", parent_id=key)]
    assert await codes(zendesk, integration.opened[0], *posts) == ["success"] * 3
    assert await codes(zendesk, integration.opened[0], *posts) == ["already_imported"] * 3
    (ticket,) = zendesk.tickets
    await zendesk.click_through(ticket.comments[0])
    url = httpx2.URL(f"https://integration.test{integration.requests[-1][1]}")
    assert url.params.multi_items() == [("external_id", key)]


async def test_the_longest_metadata_goes_every_way(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-08, ZEN-14, ZEN-17, ZEN-37, ZEN-58: 5,000 characters with quotes, line breaks and letters beyond ASCII."""
    assert len(METADATA) == 5000
    integration.posts, integration.pull_answer = [resource("post-1")], {"metadata": METADATA}
    await zendesk.pull(account)
    await zendesk.pull(account)
    await zendesk.reply(zendesk.tickets[0], "Hello")
    integration.returned = {"metadata": METADATA}
    await zendesk.edit_account(account)
    await zendesk.deactivate(account)
    assert account.metadata == METADATA
    assert integration.pulled[-1]["metadata"] == integration.replies[-1]["metadata"] == [METADATA]
    assert integration.opened[-1]["metadata"] == integration.events[-1]["data"]["metadata"] == METADATA
    assert "日本" not in "".join(map(zendesk.log.text_of, zendesk.log.entries))


async def test_a_state_can_be_emptied(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-17: what is present replaces, also if it is empty."""
    account.state = "page 2"
    integration.pull_answer = {"state": ""}
    assert (await zendesk.pull(account)).error is None
    await zendesk.pull(account)
    assert [form["state"] for form in integration.pulled] == [["page 2"], [""]]


@pytest.mark.parametrize(("count", "taken"), [(0, 0), (1, 1), (200, 200), (201, 201), (256, 256), (257, 0)])
@pytest.mark.parametrize("pushed", [False, True])
async def test_how_many_come_at_once(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, count: int, taken: int, pushed: bool
) -> None:
    """ZEN-19, ZEN-49: above 200 there is a remark, above 256 nothing is taken."""
    posts = [resource(f"post-{number}", thread_id="one") for number in range(count)]
    if pushed:
        answer = await call(zendesk, integration.opened[0], "push", external_resources=posts)
        assert (answer.status_code == 200) == (count <= 256)
    else:
        integration.posts = posts
        pull = await zendesk.pull(account)
        assert (pull.error is None) == (count <= 256)
    assert sum(len(ticket.comments) for ticket in zendesk.tickets) == taken
    assert bool(zendesk.log.of("push" if pushed else "pull")[-1].remarks) == (count > 200)
    created = integration.types().count("resources_created_from_external_ids")
    assert created == (taken > 0)


async def test_a_pulled_child_before_its_parent_stays_apart(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-16, ZEN-33: order is what threads them."""
    integration.posts = [resource("child", parent_id="parent"), resource("parent")]
    await zendesk.pull(account)
    assert [ticket.thread_key for ticket in zendesk.tickets] == ["child", "parent"]


async def test_a_pushed_child_before_its_parent_is_taken_the_second_time(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-33, ZEN-51."""
    posts = [resource("child", parent_id="parent"), resource("parent")]
    first = await codes(zendesk, integration.opened[0], *posts)
    assert first == ["could_not_locate_parent_external_resource", "success"]
    assert await codes(zendesk, integration.opened[0], *posts) == ["success", "already_imported"]
    assert len(zendesk.tickets) == 1


async def test_an_edit_rotates_what_pushing_needs(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-10, ZEN-48."""
    await zendesk.edit_account(account)
    old, new = integration.opened
    assert (await call(zendesk, old, "push", external_resources=[resource("a")])).status_code == 401
    assert await codes(zendesk, new, resource("a")) == ["success"]


@pytest.fixture
async def tickets(integration: ScriptedIntegration, zendesk: Zendesk, account: Account) -> list[Ticket]:
    """Of two accounts that know the same ids."""
    integration.posts = [resource("post-1", thread_id="one")]
    await zendesk.pull(account)
    integration.returned = {"metadata": "secret-2"}
    await zendesk.pull(await zendesk.add_account("Second"))
    return zendesk.tickets


async def test_accounts_keep_their_threads_and_users_apart(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, tickets: list[Ticket]
) -> None:
    """ZEN-25, ZEN-32, ZEN-37: although keys and ids are the same."""
    first, second = tickets
    assert first.requester_id != second.requester_id
    await zendesk.reply(second, "Hello")
    assert integration.replies[-1]["metadata"] == ["secret-2"]
    integration.posts = [resource("post-2", thread_id="one"), resource("post-3", parent_id="post-1")]
    await zendesk.pull(account)
    assert [len(ticket.comments) for ticket in tickets] == [3, 2]


async def test_an_app_gets_the_metadata_of_its_tickets_account(
    integration: ScriptedIntegration, zendesk: Zendesk, tickets: list[Ticket]
) -> None:
    """ZEN-58."""
    query = {"ticket_id": str(tickets[1].id), "post_to_path": "like"}
    async with httpx2.AsyncClient(transport=InProcess(zendesk)) as app:
        await app.post(f"{API}/proxy.json", params=query, json={})
    assert integration.requests[-1][2].startswith(b"instance_metadata=secret-2&")


async def test_a_reported_failure_stays_with_its_account(
    integration: ScriptedIntegration, zendesk: Zendesk, tickets: list[Ticket]
) -> None:
    """ZEN-53: both accounts have a reply of this id."""
    integration.answers["channelback"] = lambda: JSONResponse({"external_id": "reply"})
    replies = [await zendesk.reply(ticket, "Hello") for ticket in tickets]
    report = {"external_id": "reply", "description": "The post is gone."}
    await call(zendesk, integration.opened[1], "channelback/report_error", **report)
    assert [reply.error for reply in replies] == [None, "The post is gone."]


async def test_ids_that_differ_in_case_are_two(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-20, ZEN-32."""
    authors = [{"external_id": name} for name in ("ada", "Ada")]
    integration.posts = [resource("post-a", author=authors[0]), resource("post-A", author=authors[1])]
    await zendesk.pull(account)
    assert (len(zendesk.tickets), len(zendesk.state.users)) == (2, 2)
