"""The origin for Matrix reads and writes a real homeserver."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from acme_chat.core.account_state import UnsavedState
from acme_chat.origin import Account, Configuration, Origin, OriginSettings
from acme_chat.origin_protocol import (
    Attachment,
    ConfigurationRejectedError,
    OriginUnavailableError,
    Reply,
    ReplyRejectedError,
    WebhookRejectedError,
    WebhookRequest,
)
from synapse import AS_TOKEN, HS_TOKEN, SERVER, Person, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from acme_chat.core.messages import ExternalResource
    from receiver import Receiver
    from synapse import Synapse


@pytest.fixture(scope="module")
def ada(synapse: Synapse) -> Person:
    return synapse.register("ada")


@pytest.fixture(scope="module")
def bot(synapse: Synapse) -> Person:
    """Its token is what an admin types."""
    made = synapse.register("support")
    TYPED["access_token"] = made.token
    return made


@pytest.fixture
async def origin(synapse: Synapse) -> AsyncIterator[Origin]:
    async with httpx2.AsyncClient(trust_env=False) as http:
        yield Origin(http, OriginSettings(url=synapse.url))


TYPED: dict[str, object] = {}


def account(**changes: object) -> Account:
    fields = TYPED | changes
    return Account("account-1", Configuration.model_validate(fields), UnsavedState())


def in_room(room: str, **changes: object) -> Account:
    return account(rooms=[room], **changes)


def file_url(reference: str, name: str) -> str:
    return f"/{reference}/{name}"


async def walk(origin: Origin, reader: Account, cursor: str = "") -> tuple[list[Any], str]:
    events: list[Any] = []
    for _ in range(100):
        page = await origin.fetch(reader, cursor, 100)
        # As after a crash: the same cursor gives the same page.
        again = await origin.fetch(reader, cursor, 100)
        assert [event["event_id"] for event in page.items] == [event["event_id"] for event in again.items]
        events += page.items
        cursor = page.cursor
        if not page.more:
            return events, cursor
    raise AssertionError("it comes to no end")


async def shown(origin: Origin, reader: Account, events: list[Any]) -> list[ExternalResource]:
    made = [await origin.to_resource(reader, event, file_url) for event in events]
    return [resource for resource in made if resource]


def texts(events: list[Any]) -> list[str]:
    return [event["content"].get("body", event["type"]) for event in events]


@pytest.mark.usefixtures("bot")
async def test_tokens_and_rooms_are_tried(origin: Origin, ada: Person) -> None:
    room = ada.open_room("Closed")

    await origin.verify(account())
    for token in ("wrong", AS_TOKEN):
        with pytest.raises(ConfigurationRejectedError) as wrong:
            await origin.verify(account(access_token=token))
        assert list(wrong.value.errors) == ["access_token"]
    with pytest.raises(ConfigurationRejectedError) as closed:
        await origin.verify(in_room(room))
    assert list(closed.value.errors) == ["rooms"]


async def test_a_room_is_read_from_its_beginning_and_then_its_news(
    origin: Origin, ada: Person, bot: Person
) -> None:
    room = ada.open_room("Long", bot.id)
    reader = in_room(room)
    for number in range(130):
        ada.say(room, f"early {number}")
    await origin.verify(reader)
    first, cursor = await walk(origin, reader)
    for number in range(230):
        ada.say(room, f"late {number}")
    second, cursor = await walk(origin, reader, cursor)
    third, cursor = await walk(origin, reader, cursor)
    ada.say(room, "last")
    fourth, _ = await walk(origin, reader, cursor)

    assert texts(first) == [f"early {number}" for number in range(130)]
    assert texts(second) == [f"late {number}" for number in range(230)]
    assert (texts(third), texts(fourth)) == ([], ["last"])


async def test_an_invitation_is_accepted_and_the_history_read(
    origin: Origin, ada: Person, bot: Person
) -> None:
    reader = account()
    _, cursor = await walk(origin, reader)
    room = ada.open_room("Invited", bot.id)
    ada.say(room, "Is anybody there?")

    events, cursor = await walk(origin, reader, cursor)
    ada.say(room, "Hello?")
    news, _ = await walk(origin, reader, cursor)

    assert texts([event for event in events if event["room_id"] == room]) == ["Is anybody there?"]
    assert texts(news) == ["Hello?"]


async def test_late_and_future_dates_come_in_the_order_of_the_room(
    origin: Origin, ada: Person, bot: Person, synapse: Synapse
) -> None:
    """An application service may say when something was sent, as bridges do."""
    room = ada.open_room("Dates", bot.id)
    reader = in_room(room)
    await origin.verify(reader)
    bridge = synapse.bridge()
    ada.call("POST", f"/rooms/{room}/invite", {"user_id": bridge.id})
    bridge.call("POST", f"/join/{room}")
    future = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1000)
    ada.say(room, "now")
    _, cursor = await walk(origin, reader)
    bridge.say(room, "future", ts=future)
    _, cursor = await walk(origin, reader, cursor)
    bridge.say(room, "late", ts=1_000_000_000_000)
    ada.say(room, "now again")
    events, _ = await walk(origin, reader, cursor)
    everything: list[Any] = []
    cursor = ""
    # Synapse remembers for two minutes what it answered to a token, and tells the rest when it is asked again.
    for _ in range(4):
        more, cursor = await walk(origin, reader, cursor)
        everything += more

    assert texts(events) == ["late", "now again"]
    assert texts(everything) == ["now", "future", "late", "now again"]
    resources = await shown(origin, reader, everything)
    assert max(resource.created_at for resource in resources) <= datetime.now(UTC)
    assert resources[2].created_at.year == 2001


async def test_what_happens_in_a_room_appears_in_zendesk(origin: Origin, ada: Person, bot: Person) -> None:
    ada.call("PUT", f"/profile/{ada.id}/displayname", {"displayname": "Ada Lovelace"})
    room = ada.open_room("Help desk", bot.id)
    reader = in_room(room)
    await origin.verify(reader)
    picture = ada.upload("cat.png", b"\x89PNG content", "image/png")
    root = ada.say(room, "Hello!")
    content = {"m.relates_to": {"rel_type": "m.thread", "event_id": root}}
    threaded = ada.say(room, "In a thread", content=content)
    replaced = {"rel_type": "m.replace", "event_id": threaded}
    edit = {"m.relates_to": replaced, "m.new_content": {"msgtype": "m.text", "body": "Better"}}
    ada.say(room, "* Better", content=edit)
    ada.say(room, "cat.png", content={"msgtype": "m.image", "url": picture})
    deleted = ada.say(room, "Oh no")
    ada.redact(room, deleted, "mistake")
    ada.call("PUT", f"/rooms/{room}/send/m.reaction/r1", {})

    events, _ = await walk(origin, reader)
    found = await shown(origin, reader, events)

    assert [(each.message, each.thread_id, each.parent_id, each.internal_note) for each in found] == [
        ("Hello!", room, None, None),
        ("In a thread", f"{room}/{root}", None, None),
        ("Edited: Better", f"{room}/{root}", None, None),
        ("cat.png", room, None, None),
        ("(deleted)", room, None, None),
        ("Ada Lovelace deleted a message. mistake", None, f"{room}/{deleted}", True),
    ]
    assert {each.author.name for each in found} == {"Ada Lovelace"}
    assert [field.value for field in found[0].fields or ()] == ["Help desk"]
    ((reference, _, name),) = [url[1:].rpartition("/") for url in found[3].file_urls or ()]
    assert name == "cat.png"
    async with origin.open_file(reader, reference) as file:
        assert (file.content_type, file.size) == ("image/png", 12)
        assert b"".join([chunk async for chunk in file.chunks]) == b"\x89PNG content"
    with pytest.raises(FileNotFoundError):
        async with origin.open_file(reader, f"{SERVER}/nothing"):
            pass


async def test_a_homeserver_sends_whole_batches_which_are_read_once(
    origin: Origin, ada: Person, bot: Person, receiver: Receiver
) -> None:
    """While one transaction is under way the next one grows, beyond a mebibyte here."""
    room = ada.open_room("Batches", bot.id)
    reader = in_room(room)
    await origin.verify(reader)
    receiver.received.clear()
    receiver.answering.clear()
    ada.say(room, "first")
    for number in range(40):
        ada.say(room, f"{number} {'x' * 40_000}", transaction=f"large-{number}")
    receiver.answering.set()
    await asyncio.to_thread(receiver.wait_for, b"39 x")

    found = []
    for received in receiver.received:
        path = received.path.removeprefix("/webhook")
        request = WebhookRequest(
            received.method, path, {}, received.headers, received.body, datetime.now(UTC)
        )
        webhook = await origin.parse_webhook(reader, HS_TOKEN, request)
        found += await shown(origin, reader, list(webhook.items))
        with pytest.raises(WebhookRejectedError):
            await origin.parse_webhook(reader, "another", request)
    assert max(len(received.body) for received in receiver.received) > 1024 * 1024
    texts = [resource.message.partition(" ")[0] for resource in found]
    assert texts == ["first", *(str(number) for number in range(40))]


def reply(key: str, thread: str, *files: Attachment, text: str = "Thank you!") -> Reply:
    return Reply(
        idempotency_key=key,
        text=text,
        parent_id="",
        thread_id=thread,
        recipient_id="",
        attachments=files,
    )


def attachment(name: str, content: bytes, content_type: str) -> Attachment:
    async def chunks() -> AsyncIterator[bytes]:
        yield content

    return Attachment(name, content_type, chunks(), len(content))


async def test_a_reply_becomes_several_messages_each_posted_once(
    origin: Origin, ada: Person, bot: Person, synapse: Synapse
) -> None:
    """Also when the homeserver is killed in between."""
    room = ada.open_room("Replies", bot.id)
    writer = in_room(room)
    await origin.verify(writer)
    root = ada.say(room, "Where is it?")

    def whole() -> Reply:
        return reply("reply-1", room, attachment("invoice.pdf", b"PDF", "application/pdf"))

    ids = await origin.post(writer, whole())
    in_thread = await origin.post(writer, reply("reply-2", f"{room}/{root}"))
    synapse.kill()
    with pytest.raises(OriginUnavailableError):
        await origin.post(writer, reply("reply-3", room))
    synapse.start()
    synapse.wait()

    assert await origin.post(writer, whole()) == ids
    messages = ada.messages(room)
    assert texts(messages) == ["Where is it?", "Thank you!", "invoice.pdf", "Thank you!"]
    assert [f"{room}/{message['event_id']}" for message in messages[1:3]] == ids
    assert messages[3]["content"]["m.relates_to"]["rel_type"] == "m.thread"
    assert f"{room}/{messages[3]['event_id']}" == in_thread[0]
    assert ada.download(messages[2]["content"]["url"]) == b"PDF"


async def test_a_reply_that_the_homeserver_never_takes(origin: Origin, ada: Person, bot: Person) -> None:
    room = ada.open_room("Refused", bot.id)
    writer = in_room(room)
    await origin.verify(writer)

    with pytest.raises(ReplyRejectedError):
        await origin.post(writer, reply("long", room, text="x" * 65_000))
    ada.call("POST", f"/rooms/{room}/kick", {"user_id": bot.id})
    with pytest.raises(ReplyRejectedError):
        await origin.post(writer, reply("gone", room))
    assert texts(ada.messages(room)) == []


async def talk(origin: Origin, writer: Account, room: str) -> None:
    number = 0
    while True:
        number += 1
        await origin.post(writer, reply(f"reply-{number}", room))


async def test_the_homeservers_rate_limit_is_honoured() -> None:
    slow = {"per_second": 0.2, "burst_count": 1}
    for synapse in running(rc_message=slow):
        person, writer = synapse.register("person"), synapse.register("writer")
        room = person.open_room("Limited", writer.id)
        async with httpx2.AsyncClient(trust_env=False) as http:
            origin = Origin(http, OriginSettings(url=synapse.url))
            limited = in_room(room, access_token=writer.token)
            await origin.verify(limited)
            with pytest.raises(OriginUnavailableError) as error:
                await asyncio.wait_for(talk(origin, limited, room), 30)
        assert 0 < (error.value.retry_after or 0) <= 10
