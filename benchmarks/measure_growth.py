"""Runs inside a generated project: what requests and jobs cost while the database holds little, or much.

python measure_growth.py ACCOUNTS WAITING DELIVERED OTHERS     prints instructions of SQLite and CPU ms as JSON
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from base64 import b64encode
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path.cwd()))

import httpx2
from acme_reviews.app import set_up
from acme_reviews.core import account_state
from acme_reviews.core.sqlite import SqliteConnection
from acme_reviews.origin import Configuration
from acme_reviews.push.credentials import Access, CredentialStore, PushToken
from acme_reviews.services import services_for
from acme_reviews.settings import Settings, new_operator_password, new_sealing_key, new_signing_key
from pydantic import SecretStr
from sandbox.reviews import ReviewSite, create_app
from starlette.applications import Starlette
from told_review import told_review

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from acme_reviews.core.accounts import Accounts

STEP = 1
"""Instructions of SQLite's machine between two counts."""

TIMES = 5
SECRET = "the origin's"  # noqa: S105
PASSWORD = new_operator_password()
SILENT, PUSHING = (f"00000000-0000-4000-8000-{number:012d}" for number in (0, 1))
"""Accounts that hold half of everything; the first may not push."""

SITE = ReviewSite()
BUSINESS = SITE.businesses[0]

# The rows of each table, as SQL of a number `i`.
ACCOUNT = "printf('00000000-0000-4000-8000-%012d', CASE WHEN i % 4 < 2 THEN i % 4 ELSE i % {accounts} END)"
LATELY = "strftime('%Y-%m-%d %H:%M:%f', 'now', printf('-%d seconds', i % 500000)) || '000'"
NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'"
SOON = "strftime('%Y-%m-%d %H:%M:%f', 'now', '+9 minutes') || '000'"
LATER = "strftime('%Y-%m-%d %H:%M:%f', 'now', '+9 days') || '000'"
OUTBOX = {
    "account_id": ACCOUNT,
    "author_id": "'author-' || i",
    "resource": "''",
    "size": "10",
    "attempts": "1",
    "due_at": LATELY,
    "scheduled_at": LATELY,
    "accepted_at": LATELY,
}
ROWS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        "accounts",
        "accounts",
        {
            "id": "printf('00000000-0000-4000-8000-%012d', i)",
            "subdomain": "'acme'",
            "name": "'Account ' || i",
            "sealed_configuration": "''",
            "created_at": LATELY,
            "confirmed_at": LATELY,
        },
    ),
    (
        "push_credentials",
        "accounts",
        {
            "account_id": "printf('00000000-0000-4000-8000-%012d', i)",
            "sealed_webhook_secret": "''",
            "access": "'valid'",
            "detail": "''",
            "changed_at": LATELY,
        },
    ),
    (
        "outbox",
        "delivered",
        OUTBOX
        | {
            "external_id": "'delivered-' || i",
            "thread": "'delivered-' || i / 4",
            "state": "CASE WHEN i % 50 THEN 'delivered' ELSE 'quarantined' END",
            "settled_at": LATELY,
            "ticket_id": "i",
            "comment_id": "i",
        },
    ),
    (
        "outbox",
        "waiting",
        OUTBOX
        | {
            # The first message holds up its thread, which is as long as there are messages of the account.
            "account_id": "printf('00000000-0000-4000-8000-%012d', i % 10)",
            "external_id": "'waiting-' || i",
            "thread": "'waiting-' || i % 10",
            "state": "CASE WHEN i % 50 = 49 THEN 'dead' ELSE 'waiting' END",
            "due_at": f"CASE WHEN i < 10 THEN {SOON} ELSE {LATELY} END",
            "scheduled_at": NOW,
        },
    ),
    (
        "outbox_history",
        "waiting",
        {"message_id": "i + 1", "at": LATELY, "what": "'refused'"},
    ),
    (
        "webhook_deliveries",
        "others",
        {"account_id": ACCOUNT, "delivery": "'delivery-' || i", "at": LATELY},
    ),
    (
        "channelback_claims",
        "others",
        {
            "account_id": ACCOUNT,
            "request_unique_identifier": "'reply-' || i",
            "state": "'posted'",
            "claim": "''",
            "claimed_until": LATELY,
            "external_id": "'posted-' || i",
            "detail": "''",
            "at": LATELY,
        },
    ),
    (
        "channelback_further_posts",
        "others",
        {
            "account_id": ACCOUNT,
            "external_id": "'further-' || i",
            "request_unique_identifier": "'reply-' || i",
        },
    ),
    (
        "deferred_replies",
        "others",
        {
            "account_id": ACCOUNT,
            "request_unique_identifier": "'reply-' || i",
            "external_id": "'reply:' || i",
            "origin_id": "'posted-' || i",
            "thread": "'thread-' || i",
            "request": "''",
            "state": "'posted'",
            "tries": "1",
            "detail": "''",
            "accepted_at": LATELY,
            "due_at": LATELY,
            "settled_at": LATELY,
        },
    ),
    (
        "pulls",
        "others",
        {
            "account_id": ACCOUNT,
            "at": LATELY,
            "seconds": "0.1",
            "outcome": "'complete'",
            "returned": "1",
            "quarantined": "0",
            "detail": "''",
        },
    ),
    (
        "quarantine",
        "others",
        {"account_id": ACCOUNT, "item_id": "'item-' || i", "reason": "'odd'", "at": LATELY},
    ),
    (
        "account_state",
        "others",
        {
            "account_id": ACCOUNT,
            "key": "'key-' || i",
            "sealed_value": "''",
            "expires_at": LATER,
            "written_at": LATELY,
        },
    ),
    (
        "solved_tickets",
        "others",
        {
            "account_id": ACCOUNT,
            "event": "'event-' || i",
            "thread_id": "'thread-' || i",
            "ticket_id": "i",
            "solved_at": LATELY,
            "state": "'done'",
            "claim": "''",
            "claimed_at": LATELY,
            "told_at": LATELY,
            "detail": "''",
        },
    ),
    (
        "leases",
        "accounts",
        {
            "job": "'sender'",
            "account_id": "printf('00000000-0000-4000-8000-%012d', i)",
            "held_until": LATELY,
            "paused_until": LATELY,
            "reason": "''",
            "failures": "0",
            "spent_until": LATELY,
            "written_at": LATELY,
        },
    ),
    (
        "push_subscriptions",
        "accounts",
        {
            "account_id": "printf('00000000-0000-4000-8000-%012d', i)",
            "renew_at": LATER,
            "failures": "0",
            "detail": "''",
        },
    ),
    (
        "webhook_refusals",
        "accounts",
        {
            "account_id": "printf('00000000-0000-4000-8000-%012d', i)",
            "status": "401",
            "times": "1",
            "last_at": LATELY,
        },
    ),
)


class Elsewhere(httpx2.AsyncBaseTransport):
    """The origin, and a Zendesk that takes every post."""

    def __init__(self) -> None:
        self._origin = httpx2.ASGITransport(create_app(SITE))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not request.url.host.endswith(".zendesk.com"):
            return await self._origin.handle_async_request(request)
        posts = json.loads(await request.aread())["external_resources"]
        results = [
            {"external_resource_id": post["external_id"], "status": {"code": "success"}} for post in posts
        ]
        return httpx2.Response(200, json={"results": results})


class Instructions:
    """What SQLite's machine has executed, on every connection of the service."""

    def __init__(self) -> None:
        self.executed = 0

        def watch(connection: SqliteConnection, *_handler: object) -> None:
            # The service interrupts what is long, to begin again in a thread: here everything runs to its end.
            sqlite3.Connection.set_progress_handler(connection, self._count, STEP)

        SqliteConnection.set_progress_handler = watch  # type: ignore[assignment,method-assign]

    def _count(self) -> int:
        self.executed += STEP
        return 0


@dataclass
class Load:
    """What Zendesk, an origin, people and the service's own clock ask for."""

    http: httpx2.AsyncClient
    services: Any
    capabilities: Any
    metadata: str
    state: str = ""
    last_reply: str = ""

    @property
    def kinds(self) -> dict[str, Callable[[], Awaitable[object]]]:
        return {
            "pull, nothing new": self.pull,
            "pull of all": self.pull_all,
            "webhook, one post": partial(self.tell, SILENT),
            "webhook and delivery to Zendesk": partial(self.tell, PUSHING),
            "channelback": self.reply,
            "channelback, repeated": self.repeat,
            "click-through": self.click,
            "admin form": self.form,
            "health and metrics": self.health,
            "sweep of all jobs": self.sweep,
            "housekeeping, nothing to delete": self.keep_house,
            "dashboard, all accounts": self.dashboard,
            "dashboard, one account": self.dashboard_of_one,
        }

    async def pull(self) -> None:
        while (answer := await self._pull(self.state))["external_resources"]:
            self.state = answer["state"]

    async def pull_all(self) -> None:
        await self._pull("")

    async def _pull(self, state: str) -> dict[str, Any]:
        answer = await self._sent("POST", "/channel/pull", data={"metadata": self.metadata, "state": state})
        return dict(answer.json())

    async def reply(self) -> None:
        self.last_reply = str(uuid.uuid4())
        await self.repeat()

    async def repeat(self) -> None:
        review = SITE.reviews(BUSINESS)[0].id
        fields = {
            "metadata": self.metadata,
            "message": "Thank you for your review!",
            "parent_id": review,
            "thread_id": review,
            "recipient_id": "customer-1",
            "request_unique_identifier": self.last_reply,
        }
        await self._sent("POST", "/channel/channelback", data=fields)

    async def click(self) -> None:
        review = SITE.reviews(BUSINESS)[0].id
        await self._sent("GET", "/channel/clickthrough", params={"external_id": review})

    async def form(self) -> None:
        fields = {
            "name": "Main",
            "metadata": self.metadata,
            "state": "",
            "return_url": "https://acme.zendesk.com/zendesk/channels/integration_service_instances/editor_finalizer",
            "subdomain": "acme",
            "instance_push_id": "",
            "zendesk_access_token": "",
            "locale": "en-US",
        }
        await self._sent("POST", "/channel/admin_ui", data=fields)

    async def tell(self, account_id: str) -> None:
        await self._sent("POST", f"/webhook/{account_id}", **told_review(SECRET, "Coffee."))
        await asyncio.gather(*self.services.runner._running.values())  # noqa: SLF001

    async def sweep(self) -> None:
        for job in self.services.runner._jobs.values():  # noqa: SLF001
            await job.due()

    async def keep_house(self) -> None:
        await self.services.accounts.remove_abandoned(self.services.settings.abandoned_after)
        await account_state.remove_expired(self.services.database)
        for capability in self.capabilities:
            for task in capability.housekeeping:
                await task()

    async def health(self) -> None:
        await self._sent("GET", "/channel/healthcheck")
        await self._sent("GET", "/metrics", headers=OPERATOR)

    async def dashboard(self) -> None:
        await self._sent("GET", "/channel/dashboard/all", headers=OPERATOR)

    async def dashboard_of_one(self) -> None:
        link = self.services.signer.sign_expiring("dashboard", {"account": PUSHING})
        await self._sent("GET", "/channel/dashboard", params={"link": link})

    async def _sent(self, method: str, path: str, **request: Any) -> httpx2.Response:
        response = await self.http.request(method, path, **request)
        if response.status_code >= 400:
            raise AssertionError(f"{method} {path}: {response.status_code} {response.text[:300]}")
        return response


OPERATOR = {"Authorization": f"Basic {b64encode(f'operator:{PASSWORD}'.encode()).decode()}"}


def fill(database: Path, sizes: dict[str, int]) -> None:
    connection = sqlite3.connect(database)
    for table, size, columns in ROWS:
        values = ", ".join(value.replace("{accounts}", str(sizes["accounts"])) for value in columns.values())
        connection.execute(
            f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) "  # noqa: S608
            f"WITH n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?) SELECT {values} FROM n",
            [sizes[size]],
        )
    connection.commit()
    connection.close()


@asynccontextmanager
async def serving(database: Path) -> AsyncIterator[Load]:
    settings = Settings.model_validate(
        {
            "database_url": f"sqlite:///{database}",
            "inner_hosts": "127.0.0.1:8001",
            "signing_keys": new_signing_key(),
            "sealing_keys": new_sealing_key(),
            "operator_password": PASSWORD,
            "push_requests_per_minute": 1_000_000,
        }
    )
    services = services_for(settings, transport=Elsewhere())
    capabilities = set_up(services)
    routes = [route for capability in capabilities for route in capability.routes]
    await services.database.migrate()
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(Starlette(routes=routes)), base_url="http://service"
    ) as http:
        configuration = Configuration(business=BUSINESS.id, api_key=SecretStr(BUSINESS.api_key))
        accounts: Accounts[Any] = services.accounts
        for account_id, access in ((SILENT, Access.absent), (PUSHING, Access.valid)):
            account = await accounts.create("acme", access, configuration, account_id)
            token = PushToken(f"push-{access}", SecretStr("token"))
            store = CredentialStore(services.database, services.sealer)
            await store.save(account.id, SecretStr(SECRET), token, access)
        metadata = accounts.metadata(await accounts.by_id(SILENT))
        yield Load(http, services, capabilities, metadata)
    await services.outbound.aclose()
    await services.database.close()


async def measure(sizes: dict[str, int]) -> dict[str, tuple[int, float]]:
    """Give the instructions and the milliseconds of CPU time of each kind, as the median of a few."""
    instructions = Instructions()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "service.db"
        async with serving(file):
            pass
        fill(file, sizes)
        async with serving(file) as load:
            await load.reply()
            for kind, ask in load.kinds.items():
                await ask()
                counts, times = [], []
                for _ in range(TIMES):
                    before, began = instructions.executed, time.process_time()
                    await ask()
                    counts.append(instructions.executed - before)
                    times.append((time.process_time() - began) * 1000)
                found[kind] = (int(statistics.median(counts)), statistics.median(times))
    return found


if __name__ == "__main__":
    names = ("accounts", "waiting", "delivered", "others")
    json.dump(asyncio.run(measure(dict(zip(names, map(int, sys.argv[1:]), strict=True)))), sys.stdout)
