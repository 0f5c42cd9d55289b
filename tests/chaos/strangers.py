"""Sends a service what strangers may send: bent forms, JSON, paths and heads, noise, and calls that hang up.

    python strangers.py sqlite --requests 20000 --seed 1

It runs where a project with every capability can be imported, as benchmarks/strangers.py lets it: one that listens to
its origin, or one that is sent webhooks. Many of the requests hold what only Zendesk, the origin or an admin's browser
knows, so that they get past the first check, and the origin's own posts are odd.

No answer may be a 5xx, no complete request and no healthcheck may wait for more than five seconds, memory may not grow,
and the log stays small and holds no error.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import socket
import sys
import time
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from html import unescape
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

import httpx2
import uvicorn
from acme_reviews.core.security import Signer
from acme_reviews.settings import new_operator_password, new_sealing_key, new_signing_key
from acme_reviews.zis.connection_tokens import connection_token
from acme_reviews.zis.ticket_tags import tag_of
from course import database
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

AT_A_TIME = 8
LONGEST_WAIT = 5.0
"""Seconds."""

GLANCE = 0.2
"""Seconds for which the answer to something that is no complete request is waited for."""

GROWTH = 48
"""MiB that the process may take more at the end than after a quarter of the requests."""

LOG_PER_REQUEST = 2_000
"""Bytes, on average."""

LISTENS = find_spec("acme_reviews.listen") is not None
"""Whether the project hears of posts by a connection of its own."""

SILENCE = 2.0
"""Seconds between two answers of an origin that is listened to."""

SIGN_INS = 20
"""How many sign-ins are under way, each of which may come back once."""

PROXIED = "/channel/proxy/set_helpful"
SAVED = "/channel/admin_ui/save"
TICKET_EVENT = "/channel/zis/ticket_event"
OAUTH = "/channel/oauth"
FORMS = ("/channel/admin_ui", SAVED, "/channel/admin_ui/back", "/channel/admin_ui/check", f"{OAUTH}/confirm")
PATHS = (
    "/channel/manifest",
    *FORMS,
    *(f"{OAUTH}/start", f"{OAUTH}/callback", f"{OAUTH}/status"),
    "/channel/pull",
    "/channel/channelback",
    "/channel/clickthrough",
    "/channel/event_callback",
    PROXIED,
    TICKET_EVENT,
    "/channel/about",
    "/channel/dashboard",
    "/channel/healthcheck",
    "/channel/files/x/y.png",
    "/webhook/00000000-0000-4000-8000-000000000000",
    "/ready",
    "/metrics",
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW")
FIELDS = (
    *(
        "return_url",
        "subdomain",
        "locale",
        "name",
        "metadata",
        "state",
        "instance_push_id",
        "zendesk_access_token",
    ),
    *("message", "parent_id", "thread_id", "recipient_id", "request_unique_identifier", "handshake"),
    *("business", "api_key", "reviews", "import_since", "sign_replies", "signature", "external_id"),
    *("instance_metadata", "client_data", "branches", "confirmation", "answer"),
)
EVENTS = (
    *("create_integration", "create_integration_instance", "destroy_integration_instance"),
    *("activate_integration_instance", "deactivate_integration_instance", "destroy_user_identity"),
    *("resources_created_from_external_ids", "surprise"),
)
SURPRISES = (
    *(
        "",
        " ",
        "\0",
        "\ud83d",
        "\U0001f600",
        "..",
        "../../x",
        "%2e%2e%2f",
        "a\r\nSet-Cookie: x=1",
        "\x1b[2J",
        "\u202e",
    ),
    *(
        "<script>alert(1)</script>",
        "{{7*7}}",
        "' OR 1=1 --",
        "https://evil.example/",
        "//evil.example",
        "[::1",
        "\\",
    ),
    *(
        "null",
        "0",
        "-1",
        "1e400",
        "NaN",
        "9" * 5000,
        "acme",
        "en-US",
        "2026-11-20T12:00:00Z",
        "0001-01-01T00:00:00+14:00",
    ),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 42, 1.5, 2**31, 2**63, 10**400, float("inf"), float("nan"), "", [], {}),
    [1] * 70,
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as bytes; only a complete one has a right to an answer."""

    content: bytes
    complete: bool = True
    hangs_up: bool = False


@dataclass
class Known:
    """What only Zendesk, the origin and the admin's browser know of the one account."""

    metadata: str = ""
    account_id: str = ""
    handshake: str = ""
    connection_token: str = ""
    ticket: str = ""
    confirmation: str = ""
    states: list[str] = field(default_factory=list)
    webhook: str = ""
    secret: str = ""
    files: list[str] = field(default_factory=list)


class Stranger:
    """Makes up requests; the same seed always makes the same."""

    def __init__(self, seed: int, known: Known, modelled: Sequence[str] = ()) -> None:
        """Take requests that were made from the contract, as modelled_requests.py writes them."""
        self._modelled = list(modelled)
        self._random = Random(seed)  # noqa: S311
        self._known = known
        self._kinds: tuple[Callable[[], Sent], ...] = (
            self._form,
            self._form,
            self._events,
            self._events,
            self._webhook,
            *(() if LISTENS else (self._signed_webhook,)),
            self._sign_in,
            self._ticket_event,
            self._read,
            self._path,
            self._noise,
            self._bent_head,
            *((self._from_the_contract,) * 12 if modelled else ()),
        )

    def requests(self) -> Iterator[Sent]:
        while True:
            sent = self._random.choice(self._kinds)()
            yield Sent(sent.content, sent.complete, hangs_up=self._chance(0.05))

    def post(self) -> dict[str, Any]:
        """A post of the origin in which something is odd."""
        number = self._random.randrange(10**6)
        post: dict[str, Any] = {
            "id": f"post-{number}",
            "review_id": f"post-{number}",
            "answers_id": None,
            "time": "2026-11-20T12:00:00.000000Z",
            "author": {"id": "ada", "name": "Ada", "kind": "customer"},
            "branch": "centre",
            "rating": 3,
            "review_rating": 3,
            "title": "Title",
            "text": "Text",
            "files": [{"id": "file-1", "name": "photo.png"}],
        }
        for _ in range(self._random.randint(0, 2)):
            name = self._random.choice((*post, "odd"))
            if self._chance(0.2):
                post.pop(name, None)
            else:
                post[name] = self._json(3)
        return post

    def tokens(self, tokens: dict[str, Any]) -> Any:
        """What a provider gives for a code, odd in one place or altogether."""
        if self._chance(0.3):
            return self._json(2)
        return tokens | {self._random.choice((*tokens, "scope", "error")): self._json(2)}

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _text(self) -> str:
        match self._random.randrange(6):
            case 0:
                return self._random.choice(SURPRISES)
            case 1:
                return self._random.choice("xé😀") * self._random.choice((1, 255, 256, 5001, 70_000))
            case 2:
                return "".join(chr(self._random.randrange(0x250)) for _ in range(self._random.randrange(40)))
            case 3:
                return self._bent(self._known.metadata)
            case _:
                return f"value-{self._random.randrange(100)}"

    def _bent(self, text: str) -> str:
        """Change a character, or none."""
        place = self._random.randrange(len(text) or 1)
        other = self._random.choice(("A", "é", ".", "\0"))
        return text if self._chance(0.5) else text[:place] + other + text[place + 1 :]

    def _json(self, depth: int) -> Any:
        if depth and self._chance(0.2):
            return {self._text()[:300]: self._json(depth - 1) for _ in range(self._random.randrange(5))}
        if depth and self._chance(0.2):
            return [self._json(depth - 1)] * self._random.choice((0, 1, 2, 5))
        if self._chance(0.4):
            return self._text()[:6_000]
        return self._random.choice(VALUES)

    def _client_data(self) -> str:
        choice = {"review_id": self._text()[:300], "helpful": self._random.choice((True, self._text()[:20]))}
        return self._text() if self._chance(0.3) else json.dumps(choice)

    def _form(self) -> Sent:
        pairs = [
            (self._random.choice((*FIELDS, "file_urls[]", "file_urls", self._text()[:300])), self._text())
            for _ in range(self._random.choice((0, 1, 3, 8, 8, 8, 250)))
        ]
        path = self._random.choice(
            (*FORMS, *("/channel/pull", "/channel/channelback") * 2, "/channel/event_callback", PROXIED)
        )
        if self._chance(0.6):
            true = {
                "metadata": self._known.metadata,
                "handshake": self._known.handshake,
                "confirmation": self._known.confirmation,
                "subdomain": "acme",
            }
            pairs += [pair for pair in true.items() if self._chance(0.9)]
        if path == PROXIED:
            pairs += [("instance_metadata", self._known.metadata), ("client_data", self._client_data())]
        if path.endswith("channelback") and self._chance(0.6):
            pairs += [("message", "Thank you!"), ("parent_id", self._text()[:200])]
        if self._chance(0.1):
            pairs += [("file_urls[]", f"https://evil.example/{self._text()[:100]}")] * self._random.choice(
                (1, 64, 65, 120)
            )
        body = "&".join(
            f"{quote(name, errors='surrogatepass')}={quote(value, errors='surrogatepass')}"
            for name, value in pairs
        ).encode()
        if self._chance(0.1):
            body = body.replace(b"%", self._random.choice((b"%%", b"\xff", b"", b"%00")))
        return self._request("POST", path, body, "application/x-www-form-urlencoded")

    def _from_the_contract(self) -> Sent:
        """The next request that was made from the contract, with what proves it in place of its names."""
        if not self._modelled:
            return self._form()
        request = json.loads(self._modelled.pop())
        body = base64.b64decode(request["body"])
        true = {"metadata": self._known.metadata, "instance_metadata": self._known.metadata}
        if b"destroy_integration_instance" not in body:
            # It would be the end of the account.
            for name, proof in true.items():
                body = body.replace(f"%7B{name}%7D".encode(), quote(proof).encode())
                body = body.replace(f"{{{name}}}".encode(), proof.encode())
        return self._request(request["method"], request["path"], body, request["content_type"])

    def _event(self) -> Any:
        if self._chance(0.1):
            return self._json(2)
        data: Any = {
            "metadata": self._random.choice((self._known.metadata, self._text())),
            "author": {"external_id": self._text()},
            "request_id": self._text(),
            "resource_events": [{"type_id": "comment_on_new_ticket", "external_id": self._text()}],
            "deactivated_by": self._text(),
        }
        for _ in range(self._random.randrange(3)):
            data[self._random.choice((*data, self._text()[:300]))] = self._json(3)
        kind = self._random.choice(EVENTS)
        if kind == "destroy_integration_instance" and data.get("metadata") == self._known.metadata:
            # It would be the end of the account.
            del data["metadata"]
        event: dict[str, Any] = {
            "type_id": kind,
            "subdomain": self._random.choice(("acme", self._text())),
            "data": data,
        }
        if self._chance(0.2):
            event[self._random.choice(("type_id", "subdomain", "error", "data", "odd"))] = self._json(3)
        return event

    def _events(self) -> Sent:
        document: Any = {"events": [self._event() for _ in range(self._random.choice((0, 1, 1, 2, 20)))]}
        match self._random.randrange(12):
            case 0:
                document = {
                    "events": [self._random.choice((1, None, {}, [], "x"))]
                    * self._random.choice((1000, 1001, 100_000))
                }
            case 1:
                document = {"events": [{"type_id": kind} for kind in EVENTS] * 100}
            case 2:
                document = self._json(4)
            case 3:
                return self._request("POST", "/channel/event_callback", self._nested(), "application/json")
        encoding = self._random.choice(("utf-8",) * 6 + ("utf-16", "utf-32", "latin-1"))
        body = json.dumps(document, ensure_ascii=self._chance(0.7)).encode(
            encoding, "surrogatepass" if encoding[:3] == "utf" else "replace"
        )
        if self._chance(0.1):
            body = self._cut(body)
        return self._request("POST", "/channel/event_callback", body, "application/json")

    def _nested(self) -> bytes:
        depth = self._random.choice((100, 1_000, 100_000))
        opening, closing = self._random.choice(((b"[", b"]"), (b'{"events":', b"}")))
        return b'{"events":[' + opening * depth + b"1" + closing * depth + b"]}"

    def _webhook(self) -> Sent:
        path = self._random.choice(
            (
                self._known.webhook,
                "/webhook/",
                "/webhook",
                "/webhook/" + quote(self._text()[:200], errors="replace"),
            )
        )
        if self._chance(0.3):
            path += self._random.choice(("/", "/more", "x", "?a=b&a=c", "?%ff=%00", "/%00"))
        body = json.dumps(self._json(4)).encode() * self._random.choice((0, 1, 1, 1, 50))
        return self._request(self._random.choice(METHODS), path, body[: 17 * 2**20], "application/json")

    def _signed_webhook(self) -> Sent:
        posts = [self.post() for _ in range(self._random.choice((0, 1, 1, 5, 200)))]
        document = {"id": f"delivery-{self._random.randrange(1000)}", "posts": posts}
        body = json.dumps(document).encode()
        moment = str(int(time.time()))
        signature = hmac.new(
            self._known.secret.encode(), f"{moment}.".encode() + body, hashlib.sha256
        ).hexdigest()
        headers = f"Webhook-Timestamp: {moment}\r\nWebhook-Signature: {signature}\r\n".encode()
        return self._request("POST", self._known.webhook, body, "application/json", headers)

    def _sign_in(self) -> Sent:
        states = self._known.states
        query = {
            "form": self._bent(self._known.ticket),
            "state": states.pop() if states and self._chance(0.1) else self._bent(self._known.confirmation),
            "code": self._text()[:2_000],
        }
        if self._chance(0.3):
            query[self._random.choice((*query, "error", "error_description"))] = self._text()[:2_000]
        path = self._random.choice(("start", "callback", "callback", "status"))
        pairs = "&".join(f"{name}={quote(value, errors='surrogatepass')}" for name, value in query.items())
        return self._request("GET", f"{OAUTH}/{path}?{pairs}", b"", "text/plain")

    def _ticket_event(self) -> Sent:
        tags: Any = [
            tag_of(self._known.account_id, self._text()[:100]) + self._random.choice(("", "x", "_", "_zz"))
            for _ in range(self._random.choice((0, 1, 1, 3, 150)))
        ]
        document: Any = {
            "meta": {
                "occurred_at": "2026-11-20T12:00:00Z",
                "sequence": {"id": f"sequence-{self._random.randrange(100)}", "position": 1},
            },
            "ticket": {"id": self._random.randrange(100), "status": "solved", "tags": tags},
        }
        for part in (document, document["meta"], document["meta"]["sequence"], document["ticket"]):
            if self._chance(0.15):
                part[self._random.choice((*part, "odd"))] = self._json(3)
        body = json.dumps(document).encode()
        if self._chance(0.1):
            body = self._cut(body)
        token = f"Authorization: Bearer {self._bent(self._known.connection_token)}\r\n"
        return self._request("POST", TICKET_EVENT, body, "application/json", token.encode(errors="replace"))

    def _read(self) -> Sent:
        external_id = quote(self._text(), errors="surrogatepass")
        file = self._random.choice(self._known.files or ["/channel/files/x/y.png"])
        path = self._random.choice(
            (f"/channel/clickthrough?external_id={external_id}", quote(self._bent(file)), file)
        )
        return self._request(self._random.choice(("GET", "POST", "HEAD")), path[:60_000], b"", "text/plain")

    def _path(self) -> Sent:
        path = self._random.choice(PATHS)
        bent = self._random.choice(
            (
                path,
                f"{path}/",
                f"/{path}",
                path.upper(),
                path.replace("/", "//"),
                path.replace("/", "/./../"),
                f"{path}%00",
                f"{path}%ff%fe",
                f"{path}?{urlencode([(self._text()[:50], 'x')] * 3, errors='replace')}",
                f"http://evil.example{path}",
                f"{path}#fragment",
                "*",
                "/" + "a" * self._random.choice((1, 5_000, 70_000)),
            )
        )
        return self._request(
            self._random.choice(METHODS), bent, self._text()[:500].encode(errors="replace"), "text/plain"
        )

    def _noise(self) -> Sent:
        noise = self._random.randbytes(self._random.choice((1, 30, 3_000, 100_000)))
        opening = self._random.choice(
            (b"", b"GET / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01", b"POST /")
        )
        return Sent(opening + noise, complete=False)

    def _bent_head(self) -> Sent:
        """A head in which bytes were changed, lengths contradict each other, or something unusual is asked for."""
        lines = self._random.choice(
            (
                b"Content-Length: 5\r\nContent-Length: 6\r\n",
                b"Content-Length: -1\r\n",
                b"Content-Length: 99999999999999999999\r\n",
                b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
                b"Transfer-Encoding: chunked\r\n",
                b"Transfer-Encoding: gzip, chunked\r\n",
                b"Expect: 100-continue\r\nContent-Length: 5\r\n",
                b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n",
                b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: eA\r\n",
                b"Authorization: Basic \xff\xfe\r\n",
                b"Content-Type: \xf0\x9f\r\nCookie: \x80\r\n",
                b"X-Long: " + b"a" * 80_000 + b"\r\n",
                b"".join(b"X-%d: a\r\n" % number for number in range(2_000)),
                b"Host: [::1\r\nForwarded: for=\xff\r\nX-Forwarded-Proto: gopher\r\n",
            )
        )
        path = self._random.choice((*PATHS, self._known.webhook)).encode()
        method = self._random.choice(METHODS).encode()
        head = bytearray(
            b"%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n5\r\nhello\r\n0\r\n\r\n" % (method, path, lines)
        )
        for _ in range(self._random.choice((0, 0, 1, 3))):
            head[self._random.randrange(min(len(head), 200))] = self._random.randrange(256)
        return Sent(bytes(head), complete=False)

    def _request(self, method: str, path: str, body: bytes, content_type: str, headers: bytes = b"") -> Sent:
        host = self._random.choice(("x",) * 9 + ("[::1", "evil.example:99999", "a b", "é", ""))
        target = path.encode(errors="replace")
        if self._chance(0.05):
            content_type = self._text().replace("\r", "").replace("\n", "").replace("\0", "")[:200]
        head = f"Host: {host}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        begun = b"%s %s HTTP/1.1\r\n" % (method.encode(), target)
        return Sent(begun + head.encode(errors="replace") + headers + b"\r\n" + body)

    def _cut(self, body: bytes) -> bytes:
        return body[: self._random.randrange(len(body) + 1)]


class Origin:
    """What origin.py asks: it keeps the webhook's secret, and its posts are odd. Who signs in gets odd tokens, but one."""

    def __init__(self, stranger: Stranger, known: Known) -> None:
        self._stranger = stranger
        self._known = known
        business = "/api/businesses/{business}"
        self.app = Starlette(
            routes=[
                Route("/oauth/token", self._token, methods=["POST"]),
                Route("/oauth/revoke", self._webhook, methods=["POST"]),
                Route("/api/me", self._me),
                Route(business, self._business),
                Route(f"{business}/branches", self._branches),
                Route(f"{business}/webhook", self._webhook, methods=["PUT", "DELETE"]),
                Route(f"{business}/posts/{{post:path}}/resolution", self._resolve, methods=["PUT"]),
                Route(f"{business}/posts", self._posts),
                Route(f"{business}/posts/{{post:path}}/replies", self._reply, methods=["POST"]),
                Route(f"{business}/files/{{file:path}}", self._file),
            ],
            exception_handlers={404: self._missing},
        )

    async def _missing(self, _request: Request, _error: Exception) -> Response:
        return JSONResponse({"error": "There is no such thing."}, 404)

    async def _token(self, request: Request) -> Response:
        asked = dict(parse_qsl((await request.body()).decode()))
        given: Any = {
            "access_token": "right",
            "refresh_token": "again",
            "token_type": "bearer",
            "expires_in": 900,
        }
        if asked.get("code") not in (None, "right"):
            given = self._stranger.tokens(given)
        return Response(json.dumps(given), media_type="application/json")

    async def _me(self, _request: Request) -> Response:
        return JSONResponse({"name": "Corner Café"})

    async def _business(self, _request: Request) -> Response:
        return JSONResponse({})

    async def _branches(self, _request: Request) -> Response:
        return JSONResponse({"branches": [{"id": "centre", "name": "Centre"}]})

    async def _resolve(self, _request: Request) -> Response:
        return Response(status_code=204)

    async def _webhook(self, request: Request) -> Response:
        if request.method == "PUT":
            asked = await request.json()
            self._known.webhook = httpx2.URL(asked["url"]).path
            self._known.secret = asked["secret"]
        return Response(status_code=204)

    async def _posts(self, request: Request) -> Response:
        if "idempotency_key" in request.query_params:
            return JSONResponse({"posts": []})
        if "wait" in request.query_params:
            await asyncio.sleep(SILENCE)
        document = {"posts": [self._stranger.post() for _ in range(20)], "cursor": "next", "more": False}
        return Response(json.dumps(document), media_type="application/json")

    async def _reply(self, _request: Request) -> Response:
        return JSONResponse({"id": "reply"}, 201)

    async def _file(self, _request: Request) -> Response:
        return Response(b"content", media_type="image/png")


class Course:
    """One service, one account, and many strangers at a time."""

    def __init__(
        self, requests: int, seed: int, database_url: str, folder: Path, modelled: Sequence[str]
    ) -> None:
        self._number = requests
        self._database_url = database_url
        self._folder = folder
        self._known = Known()
        self._stranger = Stranger(seed, self._known, modelled)
        self._origin = Origin(Stranger(seed + 1, self._known), self._known)
        self._statuses: Counter[str] = Counter()
        self._faults: list[str] = []
        self._longest = 0.0
        self._done = 0

    async def run(self) -> dict[str, Any]:
        """Raises AssertionError with everything that went wrong."""
        log = self._folder / "service.log"
        async with self._serving_origin() as origin_url, self._service(origin_url, log) as (process, port):
            self._port = port
            await self._add_account()
            begun = time.monotonic()
            requests = self._stranger.requests()
            resting = await self._send_all(islice(requests, self._number // 4), process)
            at_the_end = await self._send_all(islice(requests, self._number - self._number // 4), process)
            seconds = time.monotonic() - begun
            failed = await self._counted_as_failed()
        self._judge_log(log.read_text(errors="replace"))
        if at_the_end - resting > GROWTH:
            self._faults.append(f"memory grew from {resting} to {at_the_end} MiB")
        self._faults += [f"counted as failed: {line}" for line in failed]
        assert not self._faults, "\n".join([f"{len(self._faults)} faults", *self._faults[:40]])
        return {
            "requests": self._done,
            "seconds": round(seconds, 1),
            "statuses": dict(sorted(self._statuses.items())),
            "longest_wait": round(self._longest, 2),
            "mebibytes": [resting, at_the_end],
            "log_bytes": log.stat().st_size,
        }

    @asynccontextmanager
    async def _serving_origin(self) -> AsyncIterator[str]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            config = uvicorn.Config(self._origin.app, log_level="error", access_log=False, lifespan="off")
            server = uvicorn.Server(config)
            task = asyncio.create_task(server.serve(sockets=[listener]))
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            server.should_exit = True
            await task

    @asynccontextmanager
    async def _service(self, origin_url: str, log: Path) -> AsyncIterator[tuple[Process, int]]:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self._password = new_operator_password()
        signing_key = new_signing_key()
        self._signer = Signer([signing_key])
        environment = {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "ENVIRONMENT": "production",
            "PUBLIC_URL": "https://reviews.example.com",
            "DATABASE_URL": self._database_url,
            "SIGNING_KEYS": signing_key,
            "SEALING_KEYS": new_sealing_key(),
            "OPERATOR_PASSWORD": self._password,
            "ORIGIN_URL": origin_url,
            "OAUTH_CLIENT_ID": "client",
            "OAUTH_CLIENT_SECRET": "the client's secret",
            # The provider is on this machine.
            "OAUTHLIB_INSECURE_TRANSPORT": "1",
            "INNER_HOSTS": "127.0.0.1",
            "HOST": "127.0.0.1",
            "PORT": str(port),
        }
        with log.open("w") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "acme_reviews", "serve"),
                cwd=self._folder,
                env=os.environ | environment,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
            )
            try:
                await _until_ready(process, port)
                yield process, port
            finally:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    async def _add_account(self) -> None:
        page = "/zendesk/channels/integration_service_instances/editor_finalizer"
        opened = {"return_url": f"https://acme.zendesk.com{page}", "subdomain": "acme", "locale": "en-US"}
        async with self._client() as http:
            form = await http.post("/channel/admin_ui", data=opened)
            self._known.handshake = _hidden(form.text, "handshake")
            await self._connect(http, form.text)
            typed = {"name": "Main", "business": "corner-cafe", "reviews": "all"}
            first = await http.post(SAVED, data=typed | {"handshake": self._known.handshake})
            saved = await http.post(SAVED, data={"handshake": _hidden(first.text, "handshake")})
            self._known.metadata = _hidden(saved.text, "metadata")
            self._known.account_id = self._signer.verify("metadata", self._known.metadata)["account"]
            self._known.connection_token = connection_token(self._signer, "acme")
            pulled = await http.post("/channel/pull", data={"metadata": self._known.metadata})
            self._known.files = re.findall(r"/channel/files/[^\"]+", pulled.text)

    async def _connect(self, http: httpx2.AsyncClient, form: str) -> None:
        """Sign in at the origin, once to the end, and leave more sign-ins under way."""
        found = re.search(rf'href="{OAUTH}/start\?form=([^"]+)"', form)
        assert found, form
        self._known.ticket = unquote(unescape(found[1]))
        for _ in range(SIGN_INS):
            left = await http.get(f"{OAUTH}/start", params={"form": self._known.ticket})
            self._known.states.append(httpx2.URL(left.headers["location"]).params["state"])
        back = {"state": self._known.states.pop(), "code": "right"}
        window = await http.get(f"{OAUTH}/callback", params=back)
        self._known.confirmation = _hidden(window.text, "confirmation")
        answer = {"confirmation": self._known.confirmation, "answer": "connect"}
        confirmed = await http.post(f"{OAUTH}/confirm", data=answer)
        assert confirmed.is_success, confirmed.text

    async def _send_all(self, requests: Iterator[Sent], process: Process) -> int:
        """Send each, with as many at a time as agreed; give the MiB that the service takes afterwards."""
        watching = asyncio.create_task(self._watch_health())
        await asyncio.gather(*(self._send_some(requests) for _ in range(AT_A_TIME)))
        watching.cancel()
        if process.returncode is not None:
            self._faults.append(f"the service ended with {process.returncode}")
        return _resident_mebibytes(process.pid)

    async def _send_some(self, requests: Iterator[Sent]) -> None:
        for sent in requests:
            self._done += 1
            begun = time.monotonic()
            try:
                answer = await self._answer(sent)
            except OSError:
                # Refused in the middle of what was still being sent.
                answer = b""
            waited = time.monotonic() - begun
            status = answer[9:12].decode(errors="replace") or "none"
            self._statuses[status] += 1
            if sent.complete:
                self._longest = max(self._longest, waited)
            if status.startswith("5") or (sent.complete and waited > LONGEST_WAIT):
                self._faults.append(f"{status} after {waited:.1f} s: {sent.content[:400]!r}")

    async def _answer(self, sent: Sent) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(sent.content)
            if sent.hangs_up:
                return b""
            async with asyncio.timeout(2 * LONGEST_WAIT if sent.complete else GLANCE):
                return await reader.readline()
        except TimeoutError:
            return b""
        finally:
            writer.transport.abort()

    async def _watch_health(self) -> None:
        async with self._client() as http:
            while True:
                begun = time.monotonic()
                response = await http.get("/channel/healthcheck")
                waited = time.monotonic() - begun
                self._longest = max(self._longest, waited)
                if waited > LONGEST_WAIT or response.status_code != 200:
                    self._faults.append(f"healthcheck: {response.status_code} after {waited:.1f} s")
                await asyncio.sleep(GLANCE)

    async def _counted_as_failed(self) -> list[str]:
        async with self._client() as http:
            metrics = await http.get("/metrics", auth=("operator", self._password))
        return re.findall(r'^http_requests_total\{.*status="5.*', metrics.text, re.MULTILINE)

    def _judge_log(self, log: str) -> None:
        lines = log.splitlines()
        if len(log) > LOG_PER_REQUEST * self._done:
            self._faults.append(f"{len(log)} bytes of log for {self._done} requests")
        self._faults += [
            f"log: {line[:2000]}" for line in lines if '"level": "error"' in line or "Traceback" in line
        ]
        self._faults += [f"log: {line[:300]}" for line in lines if not line.startswith("{")]

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self._port}", timeout=60, trust_env=False)


async def _until_ready(process: Process, port: int) -> None:
    async with asyncio.timeout(60), httpx2.AsyncClient(trust_env=False) as http:
        while process.returncode is None:
            with suppress(httpx2.TransportError):
                if (await http.get(f"http://127.0.0.1:{port}/ready")).is_success:
                    return
            await asyncio.sleep(0.1)
    raise AssertionError("the service ended at once")


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return found[1]


def _resident_mebibytes(pid: int) -> int:
    """Give 0 where no such file says it."""
    statm = Path(f"/proc/{pid}/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20 if statm.exists() else 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", choices=("sqlite", "postgresql"))
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--modelled", type=Path, help="a file of modelled_requests.py, whose requests come as well"
    )
    arguments = parser.parse_args()
    modelled = arguments.modelled.read_text().splitlines() if arguments.modelled else []
    with TemporaryDirectory() as folder, database(arguments.database, Path(folder)) as url:
        course = Course(arguments.requests, arguments.seed, url, Path(folder), modelled)
        report = asyncio.run(course.run())
    print(json.dumps(report))  # noqa: T201


if __name__ == "__main__":
    main()
