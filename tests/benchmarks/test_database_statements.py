"""What a request asks of the database: statements and commits are counted, and do not grow unseen."""

from __future__ import annotations

import asyncio
import json
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from counted_reviews.app import create_app
from counted_reviews.core import sqlite
from counted_reviews.core.accounts import Accounts
from counted_reviews.core.database import Database
from counted_reviews.core.security import Sealer, Signer
from counted_reviews.core.signatures import sign
from counted_reviews.origin import Configuration
from counted_reviews.push.credentials import Access, CredentialStore
from counted_reviews.settings import Settings, new_sealing_key, new_signing_key
from pydantic import SecretStr
from sandbox.reviews import ReviewSite
from sandbox.reviews import create_app as create_site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

SECRET = "the origin's"  # noqa: S105
PER_REQUEST = {
    "manifest": (0, 0),
    "pull of new posts": (7, 2),
    "pull, nothing new for the first time": (5, 2),
    "pull, nothing new": (3, 0),
    "channelback": (8, 2),
    "channelback, repeated": (4, 0),
    "click-through": (0, 0),
    "webhook": (4, 1),
    "webhook, repeated": (2, 1),
}
"""Statements, without those that begin and end transactions, and commits."""


class Statements:
    """What has been executed for requests; jobs and housekeeping run in other tasks."""

    def __init__(self) -> None:
        self.task: asyncio.Task[Any] | None = None
        self._executed = 0
        self._commits = 0

    def note(self, *, commit: bool = False) -> None:
        if asyncio.current_task() is self.task:
            self._executed += not commit
            self._commits += commit

    def take(self) -> tuple[int, int]:
        """Give the number of statements and of commits since the last time."""
        counts = self._executed, self._commits
        self._executed = self._commits = 0
        return counts


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    found = Statements()
    run, in_a_thread = sqlite.run, sqlite.in_a_thread

    async def run_counted(*arguments: Any) -> Any:
        found.note()
        return await run(*arguments)

    async def in_a_thread_counted(connection: Any, work: Any) -> Any:
        if work == connection.commit:
            found.note(commit=True)
        return await in_a_thread(connection, work)

    monkeypatch.setattr(sqlite, "run", run_counted)
    monkeypatch.setattr(sqlite, "in_a_thread", in_a_thread_counted)
    return found


async def test_requests_ask_the_database_as_often_as_they_did(tmp_path: Path, statements: Statements) -> None:
    found = {}
    async with requests(tmp_path) as kinds:
        statements.task = asyncio.current_task()
        for kind, send in kinds.items():
            response = await send()
            assert response.status_code < 400, (kind, response.text)
            found[kind] = statements.take()
    assert found == PER_REQUEST


@asynccontextmanager
async def requests(
    folder: Path,
) -> AsyncIterator[dict[str, Callable[[], Awaitable[httpx2.Response]]]]:
    """A service with one account that may not push, and what is sent to it, in order."""

    settings = Settings.model_validate(
        {
            "database_url": f"sqlite:///{folder}/service.db",
            "inner_hosts": "127.0.0.1:8001",
            "signing_keys": new_signing_key(),
            "sealing_keys": new_sealing_key(),
        }
    )
    site = ReviewSite()
    business = site.businesses[0]
    app = create_app(settings, transport=httpx2.ASGITransport(create_site(site)))
    async with app.router.lifespan_context(app):
        database = Database(settings.database_url)
        sealer = Sealer([key.get_secret_value() for key in settings.sealing_keys])
        signer = Signer([key.get_secret_value() for key in settings.signing_keys])
        accounts = Accounts(database, signer, sealer, Configuration)
        configuration = Configuration(business=business.id, api_key=SecretStr(business.api_key))
        account = await accounts.create("acme", "Acme", configuration)
        await CredentialStore(database, sealer).save(account.id, SecretStr(SECRET), None, Access.absent)
        await database.close()
        metadata = accounts.metadata(account)
        http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://service")
        state = ""

        async def pull() -> httpx2.Response:
            nonlocal state
            response = await http.post("/channel/pull", data={"metadata": metadata, "state": state})
            state = response.json().get("state", state)
            return response

        async def manifest() -> httpx2.Response:
            return await http.get("/channel/manifest")

        review = site.reviews(business)[0].id

        async def reply() -> httpx2.Response:
            fields = {
                "metadata": metadata,
                "message": "Thank you!",
                "parent_id": review,
                "thread_id": review,
                "recipient_id": "customer-1",
                "request_unique_identifier": "reply-1",
            }
            return await http.post("/channel/channelback", data=fields)

        async def click() -> httpx2.Response:
            return await http.get("/channel/clickthrough", params={"external_id": review})

        async def tell() -> httpx2.Response:
            now = datetime.now(UTC)
            post: dict[str, Any] = {
                "id": str(uuid.uuid5(uuid.NAMESPACE_URL, "post")),
                "review_id": "told",
                "answers_id": None,
                "time": now.isoformat(),
                "author": {"id": "ada", "name": "Ada Lovelace", "kind": "customer"},
                "rating": 5,
                "review_rating": 5,
                "title": "Still the best",
                "text": "Coffee.",
                "files": [],
            }
            body = json.dumps({"id": "delivery-1", "posts": [post]}).encode()
            headers = {
                "Webhook-Timestamp": str(int(now.timestamp())),
                "Webhook-Signature": sign(SECRET, now, body),
            }
            return await http.post(f"/webhook/{account.id}", content=body, headers=headers)

        # The first request of an account confirms it, which is written down once.
        await pull()
        state = ""
        yield {
            "manifest": manifest,
            "pull of new posts": pull,
            "pull, nothing new for the first time": pull,
            "pull, nothing new": pull,
            "channelback": reply,
            "channelback, repeated": reply,
            "click-through": click,
            "webhook": tell,
            "webhook, repeated": tell,
        }
        await http.aclose()
