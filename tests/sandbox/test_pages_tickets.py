"""`sandbox/zendesk/pages/`: Agent Workspace."""

import html
import re

import httpx2
import pytest
from sandbox.zendesk import Account, Ticket, Zendesk
from sandbox.zendesk.forms import Page
from scripted_integration import ScriptedIntegration, resource
from starlette.responses import JSONResponse, Response

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
async def ticket(integration: ScriptedIntegration, zendesk: Zendesk, account: Account) -> Ticket:
    integration.posts = [resource("post-1", message="Hello there")]
    await zendesk.pull(account)
    return zendesk.tickets[0]


def path_of(ticket: Ticket) -> str:
    return f"/agent/tickets/{ticket.id}"


async def test_what_strangers_write_is_text(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, pages: httpx2.AsyncClient
) -> None:
    """HTML is shown by a frame only, in which nothing runs."""
    integration.posts = [
        resource(
            "post-1",
            message=HOSTILE,
            html_message=f'{HOSTILE}"><b>Hello</b>',
            author={"external_id": "ada", "name": HOSTILE, "image_url": 'https://x.test/"onload="alert(1)'},
            fields=[{"id": "subject", "value": HOSTILE}, {"id": HOSTILE, "value": [HOSTILE]}],
            display_info=[{"type": HOSTILE, "data": {"stars": HOSTILE}}],
        ),
        resource("post-2", message=HOSTILE, thread_id="post-1"),
    ]
    await zendesk.pull(account)
    ticket = zendesk.tickets[0]
    for path in ("/", "/agent", path_of(ticket), "/admin/users"):
        shown = (await pages.get(path)).text
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown
        assert '"onload="' not in shown
    shown = (await pages.get(path_of(ticket))).text
    (frame,) = re.findall(r'<iframe class="body" ([^>]*)>', shown)
    assert re.findall(r'sandbox="([^"]*)"', frame) == ["allow-same-origin"]
    (document,) = re.findall(r'srcdoc="([^"]*)"', frame)
    assert "<b>Hello</b>" in html.unescape(document)


async def test_tickets_are_listed_and_filtered(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, pages: httpx2.AsyncClient
) -> None:
    integration.posts = [resource("post-1", message="First"), resource("post-2", message="Second")]
    await zendesk.pull(account)
    zendesk.tickets[0].status = "solved"
    listed = Page((await pages.get("/agent")).text).text
    assert listed.index("Second") < listed.index("First")
    solved = (await pages.get("/agent", params={"status": "solved", "account": account.id})).text
    assert "First" in solved
    assert "Second" not in solved
    assert "No ticket is like that" in (await pages.get("/agent", params={"account": "99"})).text


async def test_a_ticket_shows_all_that_zendesk_knows(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, pages: httpx2.AsyncClient
) -> None:
    """ZEN-31, ZEN-34, ZEN-36, ZEN-59."""
    integration.posts = [
        resource(
            "post-1",
            fields=[{"id": "subject", "value": "A subject"}, {"id": "tags", "value": ["cake"]}],
            display_info=[{"type": "urn:stars", "data": {"stars": 4}}],
            file_urls=["files/a.txt", "files/b.png"],
        ),
        resource("post-2", thread_id="post-1", internal_note=True, allow_channelback=False),
    ]
    integration.answers["files/b.png"] = lambda: Response(b"picture", media_type="image/png")
    await zendesk.pull(account)
    ticket = zendesk.tickets[0]
    answer = await pages.get(path_of(ticket))
    text = Page(answer.text).text
    for known in ("A subject", '"cake"', "Thread key post-1", "urn:stars", '"stars": 4', "internal note"):
        assert known in text, known
    assert "supports_clickthrough true" in text
    assert "integration_service_instance_name Main" in text
    assert "No public reply here: The last post says allow_channelback false." in text
    assert "https://integration.test/channel/clickthrough?external_id=post-1" in answer.text
    base = f"/agent/comments/{ticket.comments[0].id}/files"
    assert f'<img src="{base}/1"' in answer.text
    kept, shown = await pages.get(f"{base}/0"), await pages.get(f"{base}/1")
    assert kept.headers["content-disposition"] == "attachment; filename*=UTF-8''a.txt"
    assert shown.headers["content-disposition"].startswith("inline")
    assert shown.content == b"picture"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert (await pages.get(f"{base}/2")).status_code == 404
    assert (await pages.get("/agent/comments/99/files/0")).status_code == 404


async def test_a_reply_goes_out_with_its_files(
    integration: ScriptedIntegration, ticket: Ticket, pages: httpx2.AsyncClient
) -> None:
    files = [("files", ("a.txt", b"one", "text/plain")), ("files", ("b & c.txt", b"two", "text/plain"))]
    message = {"message": "Thank you!\r\nBye", "kind": "reply"}
    answer = await pages.post(f"{path_of(ticket)}/comments", data=message, files=files)
    assert answer.url.path == path_of(ticket)
    (reply,) = integration.replies
    assert reply["message"] == ["Thank you!\nBye"]
    assert [url.partition("?name=")[2] for url in reply["file_urls[]"]] == ["a.txt", "b%20%26%20c.txt"]
    text = Page(answer.text).text
    assert "Arrived as reply-1" in text
    assert "b & c.txt" in text


async def test_a_note_reaches_nobody(
    integration: ScriptedIntegration, ticket: Ticket, pages: httpx2.AsyncClient
) -> None:
    message = {"message": "Between us", "kind": "note"}
    answer = await pages.post(f"{path_of(ticket)}/comments", data=message)
    assert "internal note" in answer.text
    assert "Between us" in answer.text
    assert integration.replies == []


async def test_a_reply_that_is_refused_keeps_what_was_typed(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket, pages: httpx2.AsyncClient
) -> None:
    ticket.status = "closed"
    answer = await pages.post(f"{path_of(ticket)}/comments", data={"message": "Too <late>"})
    assert answer.status_code == 422
    assert "The ticket is closed." in answer.text
    assert "Too &lt;late&gt;</textarea>" in answer.text
    assert integration.replies == []
    del zendesk.manifest.urls["channelback_url"]
    assert "The manifest has no channelback_url." in (await pages.get(path_of(ticket))).text


async def test_a_failed_reply_is_shown_and_sent_again(
    integration: ScriptedIntegration, ticket: Ticket, pages: httpx2.AsyncClient
) -> None:
    """ZEN-41: under the same `request_unique_identifier`."""
    integration.answers["channelback"] = lambda: JSONResponse({"error": "no"}, 400)
    failed = await pages.post(f"{path_of(ticket)}/comments", data={"message": "Thank you!"})
    assert "Not delivered: the reply was answered with 400" in Page(failed.text).text
    del integration.answers["channelback"]
    send = f"/agent/comments/{ticket.comments[-1].id}/send"
    assert f'action="{send}"' in failed.text
    arrived = await pages.post(send)
    assert "Arrived as reply-2" in Page(arrived.text).text
    assert "Not delivered" not in arrived.text
    first, second = (reply["request_unique_identifier"] for reply in integration.replies)
    assert first == second
    assert (await pages.post(send)).status_code == 422


async def test_a_reply_that_failed_later_is_shown(
    zendesk: Zendesk, ticket: Ticket, pages: httpx2.AsyncClient
) -> None:
    """ZEN-53."""
    comment = await zendesk.reply(ticket, "Thank you!")
    comment.error = "The post was deleted."
    text = Page((await pages.get(path_of(ticket))).text).text
    assert "Not delivered: The post was deleted." in text
    assert "Send again" not in text


async def test_a_ticket_is_solved_reopened_and_closed_for_good(
    integration: ScriptedIntegration,
    zendesk: Zendesk,
    account: Account,
    ticket: Ticket,
    pages: httpx2.AsyncClient,
) -> None:
    """ZEN-29: what comes for a closed ticket opens a follow-up, and each leads to the other."""
    for status in ("solved", "open", "solved", "closed"):
        await pages.post(f"{path_of(ticket)}/status", data={"status": status})
        assert ticket.status == status
    assert (await pages.post(f"{path_of(ticket)}/status", data={"status": "open"})).status_code == 404
    assert (await pages.post(f"{path_of(ticket)}/status", data={"status": "lost"})).status_code == 404
    integration.posts = [resource("post-2", thread_id="post-1")]
    await zendesk.pull(account)
    follow_up = zendesk.tickets[1]
    assert f'Follow-up of</dt><dd><a href="{path_of(ticket)}"' in (await pages.get(path_of(follow_up))).text
    assert f'href="{path_of(follow_up)}"' in (await pages.get(path_of(ticket))).text


async def test_tickets_outlive_their_account_and_integration(
    zendesk: Zendesk, ticket: Ticket, pages: httpx2.AsyncClient
) -> None:
    await zendesk.uninstall()
    answer = await pages.get(path_of(ticket))
    assert answer.status_code == 200
    assert "removed account" in answer.text
    assert "removed account" in (await pages.get("/agent")).text
