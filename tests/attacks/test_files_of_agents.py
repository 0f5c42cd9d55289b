"""Files of agents: the push token goes to the account's own Zendesk alone, and nothing leads inside (SVC-52)."""

from __future__ import annotations

import gzip
import uuid
from typing import TYPE_CHECKING, NamedTuple

import httpx2
import pytest
from acme_reviews.channelback.claims import Claims

if TYPE_CHECKING:
    from collections.abc import Callable

    from attacked import Attacked

pytestmark = pytest.mark.asyncio(loop_scope="session")

ZENDESK = "https://acme.zendesk.com"
TOKEN = "token-of-acme"  # noqa: S105
EVIL = "https://evil.example"

FILE_URLS = {
    "another host": f"{EVIL}/photo.png",
    "another account": "https://umbrella.zendesk.com/photo.png",
    "http": "http://acme.zendesk.com/photo.png",
    "no scheme": "//acme.zendesk.com/photo.png",
    "a path": "/photo.png",
    "a file": "file:///etc/passwd",
    "ftp": "ftp://acme.zendesk.com/photo.png",
    "gopher": "gopher://acme.zendesk.com/photo.png",
    "data": "data:image/png;base64,AAAA",
    "host as a user": f"{ZENDESK}@evil.example/photo.png",
    "user before the host": "https://evil.example@acme.zendesk.com/photo.png",
    "host in front": f"{ZENDESK}.evil.example/photo.png",
    "a backslash": f"{EVIL}\\@acme.zendesk.com/photo.png",
    "a port": f"{ZENDESK}:8443/photo.png",
    "a trailing dot": f"{ZENDESK}./photo.png",
    "this machine": "https://127.0.0.1/photo.png",
    "this machine of IPv6": "https://[::1]/photo.png",
    "the cloud's metadata": "http://169.254.169.254/latest/meta-data/",
    "an address as a number": "https://2130706433/photo.png",
    "a line end": f"{ZENDESK}/photo.png\r\nHost: evil.example",
    "another script": "https://\u0430cme.zendesk.com/photo.png",
}


class Answer(NamedTuple):
    """What Zendesk answers for a file, and what becomes of the reply."""

    made: Callable[[httpx2.Request], httpx2.Response]
    status: int
    description: str
    elsewhere: str = ""
    """A host that is asked, without the token."""


def _redirect(target: str, status: int = 302) -> Callable[[httpx2.Request], httpx2.Response]:
    return lambda _: httpx2.Response(status, headers={"Location": target})


def _content(content: bytes, **headers: str) -> Callable[[httpx2.Request], httpx2.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx2.Response(200, content=content, headers=named)


ANSWERS = {
    "to http": Answer(_redirect("http://acme.zendesk.com/x"), 422, "away from https"),
    "to a file": Answer(_redirect("file:///etc/passwd"), 422, "away from https"),
    "to this machine": Answer(_redirect("https://127.0.0.1/x"), 422, "127.0.0.1 is no public address"),
    "to this machine by name": Answer(_redirect("https://localhost/x"), 422, "is no public address"),
    "to this machine of IPv6": Answer(_redirect("https://[::1]/x"), 422, "is no public address"),
    "to a mapped address": Answer(_redirect("https://[::ffff:127.0.0.1]/x"), 422, "is no public address"),
    "to an address as a number": Answer(_redirect("https://2130706433/x"), 422, "is no public address"),
    "to the cloud's metadata": Answer(_redirect("https://169.254.169.254/x"), 422, "is no public address"),
    "to a private network": Answer(_redirect("https://10.0.0.1/x"), 422, "is no public address"),
    "to another port of this machine": Answer(_redirect("https://0.0.0.0:8000/x"), 422, "no public address"),
    "to another host": Answer(_redirect(f"{EVIL}/x"), 503, "did not answer", "evil.example"),
    "to another account": Answer(
        _redirect("https://umbrella.zendesk.com/x"), 503, "did not answer", "umbrella.zendesk.com"
    ),
    "to itself for ever": Answer(_redirect(f"{ZENDESK}/attachments/photo.png", 307), 422, "too often"),
    "to a page for signing in": Answer(_redirect(f"{ZENDESK}/access/login"), 422, "asks to sign in"),
    "too large": Answer(_content(b"x" * 200_000, Content_Type="image/png"), 422, "larger than"),
    "small and packed": Answer(
        _content(gzip.compress(bytes(5_000_000)), Content_Type="image/png", Content_Encoding="gzip"),
        422,
        "larger than",
    ),
    "a page": Answer(_content(b"<script>", Content_Type="text/html"), 422, "asks to sign in"),
}


@pytest.fixture(autouse=True)
def answered_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replies are posted before they are answered, so that the answer tells what became of the file."""

    async def begun(*_: object) -> bool:
        return True

    monkeypatch.setattr(Claims, "knows", begun)


@pytest.mark.parametrize("url", FILE_URLS.values(), ids=FILE_URLS)
async def test_files_lie_at_the_accounts_own_zendesk(attacked: Attacked, url: str) -> None:
    attacked.elsewhere.asked.clear()
    replies = len(attacked.origin.replies)

    answer = await _reply(attacked, url)

    assert answer.status_code == 422, answer.text
    assert answer.json()["description"].startswith("refused to download a file")
    assert not attacked.elsewhere.asked
    assert len(attacked.origin.replies) == replies


@pytest.mark.parametrize("answered", ANSWERS.values(), ids=ANSWERS)
async def test_what_zendesk_answers_does_no_harm(attacked: Attacked, answered: Answer) -> None:
    attacked.elsewhere.asked.clear()
    attacked.elsewhere.answers = {f"{ZENDESK}/attachments": answered.made}
    replies = len(attacked.origin.replies)

    answer = await _reply(attacked, f"{ZENDESK}/attachments/photo.png")

    assert answer.status_code == answered.status, answer.text
    assert answered.description in answer.json()["description"]
    assert len(attacked.origin.replies) == replies
    asked = {request.url.host: request.headers.get("authorization") for request in attacked.elsewhere.asked}
    assert asked.pop("acme.zendesk.com") == f"Bearer {TOKEN}"
    assert asked == ({answered.elsewhere: None} if answered.elsewhere else {})


async def test_a_file_reaches_the_origin(attacked: Attacked) -> None:
    attacked.elsewhere.answers = {
        f"{ZENDESK}/attachments": _redirect("https://files.example/x"),
        "https://files.example/": _content(b"photo", Content_Type="image/png"),
    }
    assert (await _reply(attacked, f"{ZENDESK}/attachments/photo.png")).status_code == 200
    assert attacked.origin.attachments[-1] == b"photo"


async def _reply(attacked: Attacked, url: str) -> httpx2.Response:
    fields = {
        "metadata": attacked.metadata,
        "message": "Hello",
        "parent_id": "post-1",
        "thread_id": "post-1",
        "recipient_id": "ada",
        "request_unique_identifier": str(uuid.uuid4()),
        "file_urls[]": url,
    }
    return await attacked.http.post("/channel/channelback", data=fields)
