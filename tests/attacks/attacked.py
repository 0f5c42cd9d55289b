"""A service with every capability, in this process, with two accounts of two Zendesks and an origin that obeys."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2
from acme_reviews.app import create_app
from acme_reviews.core.accounts import Accounts
from acme_reviews.core.database import Database
from acme_reviews.core.messages import Author, ExternalResource
from acme_reviews.core.security import Sealer, Signer
from acme_reviews.core.signatures import is_signed
from acme_reviews.origin_protocol import (
    Action,
    Choice,
    Deliver,
    OAuth,
    Offered,
    OriginAccount,
    OriginFile,
    OriginProtocol,
    Page,
    Reply,
    SolvedTicket,
    Webhook,
    WebhookRejectedError,
    WebhookRequest,
)
from acme_reviews.settings import Settings, new_sealing_key, new_signing_key
from pydantic import BaseModel, Field, SecretStr

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

OPERATOR_PASSWORD = "correct horse battery"  # noqa: S105
PUBLIC_URL = "https://reviews.example.com"
ORIGIN = "https://origin.example"
RETURN = "https://{}.zendesk.com/zendesk/channels/integration_service_instances/editor_finalizer"
FILE = b"what only Zendesk may fetch"


class Configuration(BaseModel):
    site: str = Field(min_length=1, max_length=500)
    password: SecretStr = Field(min_length=1)
    greeting: str = ""
    rooms: Annotated[set[str], Offered()] = set()


class Like(BaseModel):
    post_id: str = Field(min_length=1)


OpenedAccount = OriginAccount[Configuration]


class ObedientOrigin(OriginProtocol[Configuration]):
    """Does what a test tells it to, and remembers what was asked of it."""

    configuration = Configuration
    oauth: OAuth | None = None

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        """The secrets of webhooks, by their addresses."""
        self.posts: list[dict[str, Any]] = []
        self.fetched = 0
        self.replies: list[Reply] = []
        self.attachments: list[bytes] = []
        self.solved: list[SolvedTicket] = []
        self.liked: list[str] = []
        self.offered = {"rooms": [Choice("lobby", "Lobby")]}
        self.connected_as = "Ada"
        self.trouble: Exception | None = None
        self.gossips: Callable[[str], Exception] | None = None
        """Makes the error with which each call fails that knows secrets, of all of these."""
        self.oauth = OAuth(
            authorize_url=f"{ORIGIN}/oauth/authorize",
            token_url=f"{ORIGIN}/oauth/token",
            revocation_url=f"{ORIGIN}/oauth/revoke",
            connected_as=self._connected_as,
        )

    async def _connected_as(self, _access_token: str) -> str:
        return self.connected_as

    async def verify(self, account: OpenedAccount) -> None:
        await self._gossip(account)
        if self.trouble:
            raise self.trouble

    async def choices(self, account: OpenedAccount) -> Mapping[str, list[Choice]]:
        return self.offered

    async def subscribe(self, account: OpenedAccount, url: str, secret: str) -> None:
        self.secrets[urlsplit(url).path] = secret
        await self._gossip(account, secret)

    async def parse_webhook(self, account: OpenedAccount, secret: str, request: WebhookRequest) -> Webhook:
        await self._gossip(account, secret)
        headers = request.headers
        moment, signature = headers.get("webhook-timestamp", ""), headers.get("webhook-signature", "")
        if not is_signed(secret, moment, signature, request.body, request.received_at):
            raise WebhookRejectedError("the signature is wrong")
        document = json.loads(request.body)
        return Webhook(document["posts"], delivery=document["id"])

    async def listen(self, account: OpenedAccount, deliver: Deliver) -> None:
        await asyncio.Event().wait()

    async def fetch(self, account: OpenedAccount, cursor: str, limit: int) -> Page:
        await self._gossip(account)
        if self.trouble:
            raise self.trouble
        self.fetched += 1
        read = int(cursor or "0")
        return Page(self.posts[read : read + limit], str(len(self.posts)), more=False)

    async def to_resource(
        self, account: OpenedAccount, item: dict[str, Any], file_url: Callable[[str, str], str]
    ) -> ExternalResource:
        return ExternalResource(
            external_id=item["id"],
            message=item.get("text", "Text"),
            created_at=datetime.now(UTC),
            author=Author(external_id="ada", name="Ada"),
            file_urls=(file_url(item["file"], "photo.png"),) if "file" in item else None,
        )

    @asynccontextmanager
    async def open_file(self, account: OpenedAccount, reference: str) -> AsyncIterator[OriginFile]:
        async def chunks() -> AsyncIterator[bytes]:
            yield FILE

        yield OriginFile(content_type="text/html", size=len(FILE), chunks=chunks())

    async def post(self, account: OpenedAccount, reply: Reply) -> list[str]:
        await self._gossip(account)
        for attachment in reply.attachments:
            self.attachments.append(b"".join([chunk async for chunk in attachment.chunks]))
        self.replies.append(reply)
        return [f"reply-{len(self.replies)}"]

    async def ticket_solved(self, account: OpenedAccount, ticket: SolvedTicket) -> None:
        self.solved.append(ticket)

    async def _gossip(self, account: OpenedAccount, *secrets: str) -> None:
        if self.gossips:
            known = [
                account.configuration.password.get_secret_value(),
                await account.access_token(),
                *secrets,
            ]
            raise self.gossips(f"refused with {' and '.join(known)}")

    @property
    def link_origins(self) -> frozenset[str]:
        return frozenset({ORIGIN})

    def permalink(self, external_id: str) -> str | None:
        """An id is an address, as in an origin whose ids are those of its pages."""
        return external_id

    @property
    def actions(self) -> Mapping[str, Action[Configuration, Any]]:
        return {"like": Action(Like, self.like)}

    async def like(self, account: OpenedAccount, asked: Like) -> Like:
        await self._gossip(account)
        self.liked.append(asked.post_id)
        return asked


class Elsewhere(httpx2.AsyncBaseTransport):
    """Every other host. `answers` say what some of them do, by the beginning of the address."""

    def __init__(self) -> None:
        self.asked: list[httpx2.Request] = []
        self.answers: dict[str, Callable[[httpx2.Request], httpx2.Response]] = {}
        self.tokens = {"access_token": "granted", "token_type": "Bearer", "expires_in": 3600}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self.asked.append(request)
        address = str(request.url)
        for beginning, answer in self.answers.items():
            if address.startswith(beginning):
                return answer(request)
        if address == f"{ORIGIN}/oauth/token":
            return httpx2.Response(200, json=self.tokens)
        if request.url.path.endswith("/validate_token"):
            return httpx2.Response(200, content=b"null")
        raise httpx2.ConnectError("no such host in this test", request=request)


@dataclass
class Attacked:
    """What an attacker may know of `acme`'s account and of `umbrella`'s, and what nobody but the test sees."""

    http: httpx2.AsyncClient
    settings: Settings
    origin: ObedientOrigin
    elsewhere: Elsewhere
    accounts: Accounts[Any]
    signer: Signer
    app: Any
    metadata: str = ""
    others_metadata: str = ""

    async def open(self, subdomain: str = "acme", **fields: str) -> httpx2.Response:
        """Open the form as Zendesk's page does."""
        return await self.http.post("/channel/admin_ui", data=opening(subdomain) | fields)

    async def connect(self, form: httpx2.Response, code: str = "a-code") -> httpx2.Response:
        """Sign in at the origin; give the page that asks whether this Zendesk is meant."""
        started = await self.http.get(link(form, "/channel/oauth/start"))
        state = parse_qs(urlsplit(started.headers["location"]).query)["state"][0]
        return await self.http.get("/channel/oauth/callback", params={"state": state, "code": code})

    async def confirm(self, page: httpx2.Response) -> httpx2.Response:
        answer = {"confirmation": hidden(page, "confirmation"), "answer": "connect"}
        return await self.http.post("/channel/oauth/confirm", data=answer)

    async def save(self, form: httpx2.Response, **typed: str) -> httpx2.Response:
        values = {"handshake": hidden(form, "handshake"), "name": "Main", "site": "main", "password": "right"}
        return await self.http.post("/channel/admin_ui/save", data=values | typed)

    async def add_account(self, subdomain: str, **typed: str) -> str:
        """Go through the whole handshake; give the metadata that Zendesk would keep."""
        pushing = {"instance_push_id": f"push-{subdomain}", "zendesk_access_token": f"token-of-{subdomain}"}
        form = await self.open(subdomain, **pushing)
        await self.confirm(await self.connect(form))
        second = await self.save(form, **typed)
        returned = await self.save(second)
        assert returned.status_code == 200, returned.text
        return hidden(returned, "metadata")

    async def account(self, metadata: str = "") -> Any:
        return await self.accounts.by_metadata(metadata or self.metadata)

    async def ask(
        self,
        target: str,
        method: str = "GET",
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
    ) -> tuple[int, bytes]:
        """Ask for exactly this target, which a client would tidy up before it sends it; give status and body."""
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers or []],
            "client": ("127.0.0.1", 1),
            "server": ("reviews.example.com", 443),
        }
        answered: list[Any] = []
        received = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Any:
            return next(received, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            answered.append(message)

        await self.app(scope, receive, send)
        content = b"".join(message.get("body", b"") for message in answered)
        return answered[0]["status"], str(answered[0]["headers"]).encode() + content

    async def counted(self, line: str) -> float:
        """Give what the metrics say of a line that begins like this."""
        metrics = await self.http.get("/metrics", auth=("operator", OPERATOR_PASSWORD))
        found = [
            float(text.rpartition(" ")[2]) for text in metrics.text.splitlines() if text.startswith(line)
        ]
        return sum(found)


@asynccontextmanager
async def running(folder: Path, **settings: object) -> AsyncIterator[Attacked]:
    values = {
        "database_url": f"sqlite:///{folder}/service.db",
        "public_url": PUBLIC_URL,
        "signing_keys": new_signing_key(),
        "sealing_keys": new_sealing_key(),
        "operator_password": OPERATOR_PASSWORD,
        "push_client_id": "attacked",
        "oauth_client_id": "client",
        "oauth_client_secret": "the client's secret",
        "file_size_limit": 100_000,
    }
    checked = Settings.model_validate(values | settings)
    origin, elsewhere = ObedientOrigin(), Elsewhere()
    app = create_app(checked, origin, elsewhere)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url=PUBLIC_URL) as http,
    ):
        database = Database(checked.database_url)
        signer = Signer([key.get_secret_value() for key in checked.signing_keys])
        sealer = Sealer([key.get_secret_value() for key in checked.sealing_keys])
        accounts: Accounts[Any] = Accounts(database, signer, sealer, Configuration)
        attacked = Attacked(http, checked, origin, elsewhere, accounts, signer, app)
        attacked.metadata = await attacked.add_account("acme")
        attacked.others_metadata = await attacked.add_account("umbrella")
        for metadata in (attacked.metadata, attacked.others_metadata):
            # The first request confirms an account; attacks come later.
            await attacked.account(metadata)
        yield attacked
        await database.close()


def opening(subdomain: str) -> dict[str, str]:
    return {
        "return_url": RETURN.format(subdomain),
        "subdomain": subdomain,
        "locale": "en-US",
        "name": "",
        "metadata": "",
        "state": "",
        "instance_push_id": "",
        "zendesk_access_token": "",
    }


def hidden(page: httpx2.Response, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, page.text
    return unescape(found[1])


def link(page: httpx2.Response, beginning: str) -> str:
    found = re.search(rf'"({re.escape(beginning)}\?[^"]*)"', page.text)
    assert found, page.text
    return unescape(found[1])
