"""Each shape that `docs/origins.md` shows works against a small fake origin of exactly this shape."""

from __future__ import annotations

import dataclasses
import hmac
import importlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from acme_reviews.admin_ui.form import ConfigurationForm
from acme_reviews.admin_ui.second_step import SecondStep
from acme_reviews.choices.offers import Offers
from acme_reviews.core.security import Sealer
from acme_reviews.settings import new_sealing_key
from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

TEMPLATE = Path(__file__).parents[2] / "template"
SECRET = "the account's secret"  # noqa: S105
NOW = datetime.now(UTC)

Answer = dict[str, Any] | httpx2.Response | list[Any]


class Fake:
    """Answers by a function of the test's, and remembers what was asked."""

    def __init__(self, answer: Callable[[httpx2.Request], Answer]) -> None:
        self.requests: list[httpx2.Request] = []
        self._answer = answer

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self._answer(request)
        return answer if isinstance(answer, httpx2.Response) else httpx2.Response(200, json=answer)


def origin(
    examples: dict[str, Any], name: str, answer: Callable[[httpx2.Request], Answer]
) -> tuple[Any, Fake]:
    made, fake = examples[name](), Fake(answer)
    # The parts of an origin that its constructor would make.
    made._http = httpx2.AsyncClient(transport=httpx2.MockTransport(fake), base_url="https://origin.example")  # noqa: SLF001
    made._app_secret = b"the app's secret"  # noqa: SLF001
    return made, fake


def account(examples: dict[str, Any], **configuration: str) -> Any:
    return examples["Account"](
        "account-1", examples["Configuration"](**configuration), examples["UnsavedState"]()
    )


def nothing(_request: httpx2.Request) -> Answer:
    raise AssertionError("nothing is to be asked")


def request(
    examples: dict[str, Any], method: str = "POST", path: str = "", body: Any = None, **parts: dict[str, str]
) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    query, headers = parts.get("query", {}), parts.get("headers", {})
    return examples["WebhookRequest"](method, path, query, headers, content, received_at=NOW)


async def walk(made: Any, reader: Any, cursor: str = "", limit: int = 100) -> tuple[list[Any], str]:
    """Fetch as the service does: until nothing more is waiting."""
    items: list[Any] = []
    for _ in range(50):
        page = await made.fetch(reader, cursor, limit)
        items += page.items
        cursor = page.cursor
        if not page.more:
            return items, cursor
    raise AssertionError("it comes to no end")


def test_every_example_has_a_test_and_at_most_40_lines(examples: dict[str, Any]) -> None:
    shown = {
        name.removeprefix("text of "): text for name, text in examples.items() if name.startswith("text of ")
    }
    tested = Path(__file__).read_text("utf-8")

    assert len(shown) == 21
    assert [name for name in shown if f'"{name}"' not in tested] == []
    assert [name for name, text in shown.items() if len(text.splitlines()) > 40] == []


def test_every_shape_names_the_test_that_holds_it(shapes: list[list[str]]) -> None:
    held = {shape: by.partition("`, ")[0].strip("`") for shape, _, _, by in shapes}
    missing = {
        shape: name
        for shape, name in held.items()
        if not any(
            (TEMPLATE / folder / f"{name}{suffix}").is_file()
            for folder in ("", "tests")
            for suffix in ("", ".jinja")
        )
    }

    assert missing == {}
    assert len(held) == 21


async def test_opaque_cursors(examples: dict[str, Any]) -> None:
    def sync(request: httpx2.Request) -> Answer:
        since = int(request.url.params.get("since", "s0").removeprefix("s"))
        return {"events": [f"event-{since}"], "next_batch": f"s{since + 1}", "limited": since < 3}

    made, _ = origin(examples, "SyncTokens", sync)
    items, cursor = await walk(made, account(examples))

    assert (items, cursor) == ([f"event-{number}" for number in range(4)], "s4")


async def test_late_and_wrongly_dated_posts(examples: dict[str, Any]) -> None:
    posts = [{"id": "first", "modified": (NOW - timedelta(hours=2)).isoformat()}]

    def since(request: httpx2.Request) -> Answer:
        after = datetime.fromisoformat(request.url.params["modified_after"])
        return [post for post in posts if datetime.fromisoformat(post["modified"]) > after]

    made, _ = origin(examples, "ByTime", since)
    _, cursor = await walk(made, account(examples))
    posts.append({"id": "from the future", "modified": "2100-01-01T00:00:00+00:00"})
    _, cursor = await walk(made, account(examples), cursor)
    posts.append({"id": "late", "modified": (NOW - timedelta(hours=9)).isoformat()})
    posts.append({"id": "new", "modified": datetime.now(UTC).isoformat()})
    items, cursor = await walk(made, account(examples), cursor)

    assert {"late", "new"} <= {item["id"] for item in items}
    assert datetime.fromisoformat(cursor) <= datetime.now(UTC)


async def test_newest_first(examples: dict[str, Any]) -> None:
    reviews = [f"review-{number}" for number in range(7)]

    def pages(request: httpx2.Request) -> Answer:
        number = int(request.url.params["page"])
        newest_first = reviews[::-1]
        shown = newest_first[(number - 1) * 3 : number * 3]
        return {"reviews": [{"id": review} for review in shown], "last": number * 3 >= len(reviews)}

    made, _ = origin(examples, "NewestFirst", pages)
    items, cursor = await walk(made, account(examples))
    assert [item["id"] for item in items] == reviews

    reviews += ["review-7", "review-8"]
    items, cursor = await walk(made, account(examples), cursor)
    assert [item["id"] for item in items][-2:] == ["review-7", "review-8"]
    items, _ = await walk(made, account(examples), cursor)
    assert not {item["id"] for item in items} & {"review-0", "review-1"}


async def test_webhooks_of_any_form(examples: dict[str, Any]) -> None:
    made, _ = origin(examples, "Transactions", nothing)
    path, events = "/_matrix/app/v1/transactions/7", {"events": [{"id": "$1"}]}
    sent = request(examples, "PUT", path, events, query={"access_token": SECRET})
    forged = request(examples, "PUT", path, events, query={"access_token": "a guess"})

    webhook = await made.parse_webhook(account(examples), SECRET, sent)

    assert (webhook.items, webhook.delivery) == ([{"id": "$1"}], "7")
    with pytest.raises(examples["WebhookRejectedError"]):
        await made.parse_webhook(account(examples), SECRET, forged)


async def test_challenges(examples: dict[str, Any]) -> None:
    made, _ = origin(examples, "Challenged", nothing)
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": SECRET}

    checked = await made.parse_webhook(account(examples), SECRET, request(examples, "GET", query=query))
    delivered = await made.parse_webhook(
        account(examples), SECRET, request(examples, body={"entry": [{"id": "1"}]})
    )

    assert checked.answer.content == "1158201444"
    assert delivered.items == [{"id": "1"}]
    with pytest.raises(examples["WebhookRejectedError"]):
        await made.parse_webhook(account(examples), "another", request(examples, "GET", query=query))


async def test_one_webhook_for_all_accounts(examples: dict[str, Any]) -> None:
    made, _ = origin(examples, "OneApp", nothing)
    body = {"entry": [{"id": "page-1", "messaging": ["a"]}, {"id": "page-2", "messaging": ["b", "c"]}]}
    digest = hmac.new(b"the app's secret", json.dumps(body).encode(), "sha256").hexdigest()
    signed = request(examples, body=body, headers={"x-hub-signature-256": f"sha256={digest}"})

    shared = await made.parse_shared_webhook(signed)

    assert {key: webhook.items for key, webhook in shared.webhooks.items()} == {
        "page-1": ["a"],
        "page-2": ["b", "c"],
    }
    assert made.account_key(examples["Configuration"](page="page-2")) == "page-2"
    with pytest.raises(examples["WebhookRejectedError"]):
        await made.parse_shared_webhook(request(examples, body=body))


async def test_thin_webhooks(examples: dict[str, Any]) -> None:
    def history(request: httpx2.Request) -> Answer:
        start = int(request.url.params["start"])
        return {"history_id": str(start + 1), "messages": [{"id": f"message-{start}"}]}

    made, _ = origin(examples, "Thin", history)
    reader = account(examples)
    webhook = await made.parse_webhook(reader, SECRET, request(examples, query={"token": SECRET}))
    found = [await made.look_up(reader, key) for key in [*webhook.lookups, *webhook.lookups]]

    assert (list(webhook.items), list(webhook.lookups)) == ([], ["history"])
    assert found == [[{"id": "message-1"}], [{"id": "message-2"}]]
    with pytest.raises(examples["WebhookRejectedError"]):
        await made.parse_webhook(reader, SECRET, request(examples))


async def test_subscriptions_that_run_out(examples: dict[str, Any]) -> None:
    expires = datetime(2026, 12, 1, tzinfo=UTC)
    made, fake = origin(examples, "Expiring", lambda _: {"id": "s-1", "expires": expires.isoformat()})
    reader = account(examples)

    renew_at = await made.subscribe(reader, "https://service.example/webhook/1", SECRET)
    await made.unsubscribe(reader, "https://service.example/webhook/1")

    assert renew_at == expires - timedelta(hours=6)
    assert [(each.method, each.url.path) for each in fake.requests] == [
        ("POST", "/subscriptions"),
        ("DELETE", "/subscriptions/s-1"),
    ]


async def test_names_that_have_to_be_looked_up(examples: dict[str, Any]) -> None:
    made, fake = origin(examples, "WithNames", lambda _: {"name": "Ada"})
    reader = account(examples)
    item = {"id": "1", "user": "u1", "text": "Hello", "time": "2026-11-20T12:00:00+00:00"}

    resources = [await made.to_resource(reader, item | {"id": number}, str) for number in ("1", "2", "3")]

    assert {resource.author.name for resource in resources} == {"Ada"}
    assert len(fake.requests) == 1


async def test_edits_deletions_and_reactions(examples: dict[str, Any]) -> None:
    made, _ = origin(examples, "WithChanges", nothing)
    item = {"id": "1", "user": "u1", "text": "Hello", "time": "2026-11-20T12:00:00+00:00"}
    told = [
        item,
        item | {"id": "2", "post": "1", "change": "edited", "text": "Hallo"},
        item | {"id": "3", "post": "1", "change": "deleted"},
        item | {"id": "4", "post": "1", "change": "reacted", "reaction": "+1"},
    ]

    resources = [await made.to_resource(account(examples), each, str) for each in told]

    assert [(each.parent_id, each.internal_note, each.message) for each in resources] == [
        (None, None, "Hello"),
        ("1", None, "Edited: Hallo"),
        ("1", True, "The post was deleted."),
        ("1", True, "Reaction: u1 +1"),
    ]
    assert len({each.external_id for each in resources}) == 4
    assert await made.to_resource(account(examples), item | {"change": "typing"}, str) is None


async def test_large_or_batched_webhooks(examples: dict[str, Any]) -> None:
    made, _ = origin(examples, "Batched", nothing)
    event = {"id": "1", "content": "x" * 60_000}
    lines = [json.dumps({"id": f"batch-{number}", "events": [event] * 50}) for number in range(2)]
    body = "\n".join(lines).encode()
    sent = request(examples, body=body, headers={"x-token": SECRET})
    forged = request(examples, body=body)

    webhook = await made.parse_webhook(account(examples), SECRET, sent)

    assert (len(webhook.items), webhook.delivery) == (100, "batch-0")
    with pytest.raises(examples["WebhookRejectedError"]):
        await made.parse_webhook(account(examples), SECRET, forged)


async def test_webhooks_registered_by_hand(examples: dict[str, Any]) -> None:
    made, _ = origin(examples, "ByHand", nothing)
    body = b"message_id=7&text=Good+soup"
    right, wrong = (request(examples, "POST", path, body) for path in (f"/{SECRET}", "/a guess"))

    assert await made.subscribe(account(examples), "https://service.example/webhook/1", SECRET) is None
    webhook = await made.parse_webhook(account(examples), SECRET, right)

    assert (webhook.items, webhook.delivery) == ([{"message_id": "7", "text": "Good soup"}], "7")
    with pytest.raises(examples["WebhookRejectedError"]):
        await made.parse_webhook(account(examples), SECRET, wrong)


async def test_connections_that_stay_open(examples: dict[str, Any]) -> None:
    def stream(request: httpx2.Request) -> Answer:
        first = int(request.headers.get("last-event-id", "0")) + 1
        events = [f': alive\n\nid: {number}\ndata: {{"id": {number}}}\n\n' for number in range(first, 4)]
        return httpx2.Response(200, text="".join(events))

    made, fake = origin(examples, "Streaming", stream)
    listener, limits = account(examples), [1, 9]
    heard: list[Any] = []

    async def deliver(items: list[Any]) -> None:
        if len(heard) == limits[0]:
            raise OSError("the disk is full")
        heard.extend(items)

    with pytest.raises(OSError, match="full"):
        await made.listen(listener, deliver)
    limits.pop(0)
    await made.listen(listener, deliver)

    assert heard == [{"id": 1}, {"id": 2}, {"id": 3}]
    assert [request.headers.get("last-event-id") for request in fake.requests] == [None, "1"]


def reply(examples: dict[str, Any], text: str = "Thank you!", *files: Any) -> Any:
    return examples["Reply"](
        idempotency_key="key", text=text, parent_id="", thread_id="room", recipient_id="", attachments=files
    )


async def test_a_reply_that_becomes_several_posts(examples: dict[str, Any]) -> None:
    made, fake = origin(
        examples, "OnePostAFile", lambda request: {"id": f"post {request.headers['idempotency-key']}"}
    )
    file = examples["Attachment"]("photo.png", "image/png", iter(()))

    ids = await made.post(account(examples), reply(examples, "Thank you!", file))

    assert ids == ["post key-0", "post key-1"]
    assert [json.loads(each.content) for each in fake.requests] == [
        {"text": "Thank you!"},
        {"file": "photo.png"},
    ]


async def test_uploads_that_need_a_length(examples: dict[str, Any]) -> None:
    made, fake = origin(
        examples,
        "Uploading",
        lambda request: {"name": "stored"} if request.url.path == "/upload" else {"id": "message-1"},
    )

    async def chunks() -> AsyncIterator[bytes]:
        yield b"12345"
        yield b"67890"

    file = examples["Attachment"]("photo.png", "image/png", chunks(), 10)

    assert await made.post(account(examples), reply(examples, "Thank you!", file)) == ["message-1"]
    upload, message = fake.requests
    assert upload.headers["content-length"] == "10"
    assert "transfer-encoding" not in upload.headers
    assert json.loads(message.content) == {"text": "Thank you!", "files": ["stored"]}


async def test_sends_that_are_safe_to_repeat(examples: dict[str, Any]) -> None:
    made, fake = origin(
        examples, "Transactional", lambda request: {"event_id": f"${request.url.path.rpartition('/')[2]}"}
    )

    assert made.posts_once
    assert [await made.post(account(examples), reply(examples)) for _ in range(2)] == [["$key"], ["$key"]]
    assert {each.method for each in fake.requests} == {"PUT"}


async def test_choices_that_depend_on_the_account(examples: dict[str, Any]) -> None:
    """Through the whole form, as an admin goes: the fields of the first step, then what the origin offers."""
    rooms = {
        "key": [{"id": "!1:example", "name": "Lobby"}, {"id": "!2:example", "name": "Garden"}],
        "other": [],
    }

    def listed(request: httpx2.Request) -> Answer:
        key = request.headers["authorization"].removeprefix("Bearer ")
        return {"rooms": rooms[key]} if key in rooms else httpx2.Response(401)

    made, fake = origin(examples, "WithRooms", listed)
    form = ConfigurationForm(examples["InRooms"])
    step = SecondStep(form, Sealer([new_sealing_key()]), [Offers(made).for_account])

    def reader(key: str) -> Any:
        return examples["OriginAccount"](
            "account-1", examples["InRooms"](api_key=key), examples["UnsavedState"]()
        )

    assert form.offered == {"rooms"}
    (field,) = step.shown(
        form.fields(None, None, {}, str), await step.offers(reader("key")), str, choosing=True
    )
    assert (field.kind, field.required) == ("checkboxes", True)
    assert field.options == (("!1:example", "Lobby"), ("!2:example", "Garden"))
    assert fake.requests[0].url.path == "/rooms"
    assert not (await step.offers(reader("other")))["rooms"].choices
    with pytest.raises(examples["OriginUnavailableError"]):
        await step.offers(reader("wrong"))


async def test_rate_limits(examples: dict[str, Any]) -> None:
    made, _ = origin(examples, "Limited", lambda _: httpx2.Response(429, headers={"Retry-After": "90"}))

    with pytest.raises(examples["OriginUnavailableError"]) as limited:
        await made.verify(account(examples))

    assert limited.value.retry_after == 90


async def test_tokens_that_are_renewed(examples: dict[str, Any]) -> None:
    made, fake = origin(examples, "Exchanged", lambda _: {"token": "t-1"})
    reader = account(examples)

    assert [await made._token(reader) for _ in range(2)] == ["t-1", "t-1"]  # noqa: SLF001
    assert [json.loads(each.content) for each in fake.requests] == [{"key": "the key"}]


async def test_signing_in_with_oauth(examples: dict[str, Any]) -> None:
    """From the service's own requests to the provider on to a call whose token has run out."""
    provider_module = importlib.import_module("acme_reviews.oauth.provider")
    tokens = {"code=the+code": "token-1", "refresh_token=refresh-1": "token-2"}

    def answer(request: httpx2.Request) -> Answer:
        if request.url.path == "/token":
            given = next(token for part, token in tokens.items() if part in request.content.decode())
            return {
                "access_token": given,
                "token_type": "Bearer",
                "refresh_token": "refresh-1",
                "expires_in": 3600,
            }
        if request.url.path == "/me":
            return {"email": "ada@example.com"}
        if request.headers["authorization"] != "Bearer token-2":
            return httpx2.Response(401)
        return {"messages": [{"id": "1"}], "next": "1"}

    made, fake = origin(examples, "SignedIn", answer)
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(fake))
    provider = provider_module.Provider(
        http, made.oauth, "client", SecretStr("secret"), "https://service.example/back"
    )
    verifier = provider.new_verifier()
    asked = httpx2.URL(provider.authorize_url("state", verifier)).params
    held = await provider.exchange("the code", verifier)

    async def access_token(refused: str = "") -> str:
        token = (await provider.refresh(held.refresh_token)) if refused else held
        return str(token.access_token)

    connected_as = await made.oauth.connected_as(held.access_token)
    reader = dataclasses.replace(account(examples), access_token=access_token)
    page = await made.fetch(reader, "", 10)

    assert {name: asked[name] for name in ("scope", "access_type", "code_challenge_method")} == {
        "scope": "profile messages",
        "access_type": "offline",
        "code_challenge_method": "S256",
    }
    assert connected_as == "ada@example.com"
    assert page.items == [{"id": "1"}]
    assert [request.url.path for request in fake.requests] == [
        "/token",
        "/me",
        "/messages",
        "/token",
        "/messages",
    ]
