"""`sandbox/zendesk/channelback.py`: agents' replies go to the origin."""

from typing import Any

import httpx2
import pytest
from sandbox.zendesk import Account, Fault, InProcess, ReplyRefusedError, Ticket, Upload, Zendesk
from scripted_integration import ScriptedIntegration, resource
from starlette.responses import JSONResponse, Response


@pytest.fixture
async def ticket(integration: ScriptedIntegration, zendesk: Zendesk, account: Account) -> Ticket:
    integration.posts = [resource("post-1", thread_id="thread-1"), resource("post-2", parent_id="post-1")]
    await zendesk.pull(account)
    return zendesk.tickets[0]


async def test_a_reply_is_a_form(integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket) -> None:
    """ZEN-37, ZEN-39, ZEN-40: with the last resource as parent, the thread's key and the requester's id, no state."""
    comment = await zendesk.reply(ticket, "Thank you & bye =%+#ü")
    assert integration.replies == [
        {
            "message": ["Thank you & bye =%+#ü"],
            "parent_id": ["post-2"],
            "thread_id": ["thread-1"],
            "recipient_id": ["ada"],
            "metadata": ["secret-1"],
            "request_unique_identifier": [comment.request_unique_identifier],
        }
    ]
    sent = next(request for request in integration.requests if request[1] == "/channel/channelback")
    assert sent[3].startswith("application/x-www-form-urlencoded")


async def test_files_are_a_repeated_field(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket
) -> None:
    """ZEN-37, ZEN-38."""
    await zendesk.reply(ticket, "See", [Upload("a b.txt", b"a"), Upload("c.txt", b"c")])
    first, second = integration.replies[0]["file_urls[]"]
    assert first.startswith("https://acme.zendesk.com/attachments/token/")
    assert first.endswith("/?name=a%20b.txt")
    assert second.endswith("/?name=c.txt")


async def test_files_need_channelback_files(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket
) -> None:
    """ZEN-38."""
    integration.manifest["channelback_files"] = False
    await zendesk.refresh_manifest()
    with pytest.raises(ReplyRefusedError, match="channelback_files"):
        await zendesk.reply(ticket, "See", [Upload("a.txt", b"a")])
    assert (await zendesk.reply(ticket, "Hello")).error is None
    assert "file_urls[]" not in integration.replies[0]


async def test_a_reply_to_a_reply_names_it(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket
) -> None:
    """ZEN-39: an internal note in between does not count."""
    await zendesk.reply(ticket, "One")
    zendesk.note(ticket, "For us only")
    await zendesk.reply(ticket, "Two")
    assert integration.replies[1]["parent_id"] == ["reply-1"]


async def test_the_recipient_is_the_requester_by_id(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-40: not by name, and not whoever wrote last."""
    bob = {"external_id": "bob-7", "name": "Bob"}
    integration.posts = [resource("a", author=bob), resource("b", parent_id="a")]
    await zendesk.pull(account)
    await zendesk.reply(zendesk.tickets[0], "Hello")
    assert (integration.replies[0]["parent_id"], integration.replies[0]["recipient_id"]) == (["b"], ["bob-7"])


async def test_without_a_requester_the_recipient_is_empty(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket
) -> None:
    """ZEN-40."""
    ticket.requester_id = None
    await zendesk.reply(ticket, "Hello")
    assert integration.replies[0]["recipient_id"] == [""]


async def test_every_reply_has_its_own_identifier(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket
) -> None:
    """ZEN-41."""
    await zendesk.reply(ticket, "Same")
    await zendesk.reply(ticket, "Same")
    one, two = (reply["request_unique_identifier"] for reply in integration.replies)
    assert one != two


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [
        (Fault(dropped="after"), 2),
        (Fault(dropped="before"), 1),
        (Fault(status=503), 1),
        (Fault(status=401), 1),
        (Fault(delay=60), 1),
        (Fault(dropped="after", times=2), 3),
    ],
)
async def test_a_reply_is_repeated_unchanged(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket, fault: Fault, arrived: int
) -> None:
    """ZEN-41, ZEN-42: after a dropped answer the service meets the same request again."""
    zendesk.faults.add("channelback", fault)
    comment = await zendesk.reply(ticket, "Hello")
    assert comment.error is None
    assert comment.external_id == f"reply-{arrived}"
    assert integration.replies == [integration.replies[0]] * arrived


async def test_tries_come_to_an_end(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket
) -> None:
    """ZEN-41, ZEN-42: an agent can send it again, as the same request."""
    zendesk.faults.add("channelback", Fault(dropped="after", times=3))
    comment = await zendesk.reply(ticket, "Hello")
    assert comment.error is not None
    assert (comment.external_id, len(integration.replies)) == (None, 3)
    await zendesk.channelback.send(ticket, comment)
    assert comment.external_id == "reply-4"
    assert zendesk.tickets[0].comments[-1].error is None
    assert integration.replies == [integration.replies[0]] * 4


async def test_a_refusal_is_not_repeated(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket
) -> None:
    integration.answers["channelback"] = lambda: JSONResponse({"error": "Too long"}, 400)
    comment = await zendesk.reply(ticket, "Hello")
    assert comment.error is not None
    assert "Too long" in comment.error
    assert len(integration.replies) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"external_id": ""}', b'{"external_id": 7}', b'{"external_id": " a"}', b"external_id=a"],
)
async def test_an_invalid_answer_is_a_failure(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket, body: bytes
) -> None:
    """ZEN-43."""
    integration.answers["channelback"] = lambda: Response(body)
    comment = await zendesk.reply(ticket, "Hello")
    assert comment.error is not None
    assert comment.external_id is None
    assert zendesk.log.of("channelback")[0].remarks


async def test_the_first_schema_lets_the_id_be_empty(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket
) -> None:
    """ZEN-43: switchable; there is no id to store then."""
    zendesk.settings.channelback_takes_empty_id = True
    integration.answers["channelback"] = lambda: JSONResponse({"external_id": ""})
    comment = await zendesk.reply(ticket, "Hello")
    assert (comment.error, comment.external_id) == (None, None)


async def test_what_the_answer_says_is_applied(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket, account: Account
) -> None:
    """ZEN-43, ZEN-44: id, metadata, and whether the new item may be replied to."""
    answer = {
        "external_id": "r",
        "allow_channelback": False,
        "metadata": "secret-2",
        "metadata_needs_update": True,
    }
    integration.answers["channelback"] = lambda: JSONResponse(answer)
    comment = await zendesk.reply(ticket, "Hello")
    assert (comment.external_id, account.metadata, account.needs_update) == ("r", "secret-2", True)
    with pytest.raises(ReplyRefusedError, match="allow_channelback"):
        await zendesk.reply(ticket, "Again")


async def test_201_is_taken_with_a_remark(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket
) -> None:
    """ZEN-43: as has been seen."""
    integration.answers["channelback"] = lambda: JSONResponse({"external_id": "r"}, 201)
    assert (await zendesk.reply(ticket, "Hello")).external_id == "r"
    assert zendesk.log.of("channelback")[0].rules == {"SVC-47"}


async def test_a_post_that_allows_no_reply_gets_none(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket, account: Account
) -> None:
    """ZEN-44: the last item counts."""
    integration.posts = [resource("post-3", parent_id="post-1", allow_channelback=False)]
    await zendesk.pull(account)
    with pytest.raises(ReplyRefusedError, match="allow_channelback"):
        await zendesk.reply(ticket, "Hello")
    integration.posts = [resource("post-4", parent_id="post-1")]
    await zendesk.pull(account)
    await zendesk.reply(ticket, "Hello")
    assert len(integration.replies) == 1


@pytest.mark.parametrize("change", ["closed", "inactive"])
async def test_nobody_replies_where_nothing_can_arrive(
    zendesk: Zendesk, ticket: Ticket, account: Account, change: str
) -> None:
    if change == "closed":
        ticket.status = "closed"
    else:
        await zendesk.deactivate(account)
    with pytest.raises(ReplyRefusedError, match=change.replace("inactive", "not active")):
        await zendesk.reply(ticket, "Hello")


async def test_an_agents_file_needs_the_push_token(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket, account: Account
) -> None:
    """ZEN-45: unless attachments are open."""
    zendesk.manifest.push_client_id = "zdg-scripted"
    await zendesk.reply(ticket, "See", [Upload("ü.txt", b"content", "text/plain")])
    (url,) = integration.replies[0]["file_urls[]"]
    mine = {"authorization": f"Bearer {zendesk.tokens.mint(account.push_id)}"}
    other = {"authorization": f"Bearer {zendesk.tokens.mint('another')}"}
    async with httpx2.AsyncClient(transport=InProcess(zendesk)) as service:
        answers: list[Any] = [await service.get(url, headers=headers) for headers in ({}, other, mine)]
        assert [answer.status_code for answer in answers] == [401, 401, 200]
        assert answers[2].content == b"content"
        assert answers[2].headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%BC.txt"
        zendesk.settings.attachments_need_token = False
        assert (await service.get(url)).status_code == 200
        assert (await service.get("https://acme.zendesk.com/attachments/token/x/")).status_code == 404


async def test_files_are_open_to_an_integration_that_is_given_no_token(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket
) -> None:
    """ZEN-45: without `push_client_id` there is no token that it could send."""
    assert zendesk.settings.attachments_need_token
    await zendesk.reply(ticket, "See", [Upload("a.txt", b"content", "text/plain")])
    (url,) = integration.replies[0]["file_urls[]"]
    async with httpx2.AsyncClient(transport=InProcess(zendesk)) as service:
        assert (await service.get(url)).content == b"content"


async def test_a_file_without_its_token_may_lead_to_where_agents_sign_in(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket, account: Account
) -> None:
    """ZEN-45: a service that follows and takes the page for the file is told so."""
    zendesk.manifest.push_client_id = "zdg-scripted"
    zendesk.settings.attachments_lead_to_sign_in = True
    await zendesk.reply(ticket, "See", [Upload("a.txt", b"content", "text/plain")])
    (url,) = integration.replies[0]["file_urls[]"]
    mine = {"authorization": f"Bearer {zendesk.tokens.mint(account.push_id)}"}
    async with httpx2.AsyncClient(transport=InProcess(zendesk)) as service:
        assert (await service.get(url, headers=mine)).content == b"content"
        led = await service.get(url)
        assert (led.status_code, led.headers["location"].partition("?")[0]) == (
            302,
            "/access/unauthenticated",
        )
        assert not any(exchange.remarks for exchange in zendesk.log.entries)
        page = await service.get(url, follow_redirects=True)
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert zendesk.log.entries[-1].rules == {"SVC-52"}


async def test_a_reply_is_an_event_and_so_is_its_id(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket
) -> None:
    """ZEN-46."""
    comment = await zendesk.reply(ticket, "Hello")
    sent, stored = integration.events[-2:]
    assert (sent["type_id"], stored["type_id"]) == ("channelback", "resources_created_from_external_ids")
    assert sent["data"] == {
        "integration_instance_name": "Main",
        "url": "https://integration.test/channel/channelback",
        "request_id": comment.request_id,
    }
    assert stored["data"]["resource_events"] == [
        {
            "type_id": "external_id_associated_with_channelback",
            "external_id": "reply-1",
            "comment_id": comment.id,
            "ticket_id": ticket.id,
        }
    ]


async def test_a_failed_reply_is_an_event_with_its_error(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket
) -> None:
    """ZEN-46."""
    zendesk.faults.add("channelback", Fault(status=400))
    comment = await zendesk.reply(ticket, "Hello")
    assert integration.events[-1]["type_id"] == "channelback"
    assert integration.events[-1]["error"] == comment.error
