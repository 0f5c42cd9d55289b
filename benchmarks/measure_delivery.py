"""Runs inside a generated project: measures how posts get to Zendesk, and prints the numbers as JSON.

python measure_delivery.py MESSAGES ACCOUNTS WEBHOOKS     measure
python measure_delivery.py --bare URL ACCOUNTS EACH     send so many posts of each account to a Zendesk
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "chaos"))
sys.path.insert(0, str(Path.cwd()))

import httpx2
from acme_reviews.core.accounts import Accounts
from acme_reviews.core.clock import Clock
from acme_reviews.core.database import Database
from acme_reviews.core.messages import Author, ExternalResource
from acme_reviews.core.security import Sealer, Signer, ZendeskHosts
from acme_reviews.push.credentials import Access, CredentialStore, PushToken, credentials_table
from acme_reviews.push.messages import RESOURCES_PER_PUSH
from acme_reviews.push.outbox import Outbox
from acme_reviews.push.zendesk_api import ZendeskApi
from acme_reviews.settings import Settings, new_sealing_key, new_signing_key
from course import SECRET, Processes, database
from pydantic import SecretStr
from sqlalchemy import update
from storm_zendesk import StormZendesk
from tests.doubles import Configuration

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOMENT = datetime(2026, 11, 20, 12, tzinfo=UTC)
IDLE = 0.3
"""Seconds between two webhooks that are timed."""


class ClockedZendesk(StormZendesk):
    """Notes when posts arrive."""

    def __init__(self) -> None:
        super().__init__(1, fair=True)
        self.arrivals: list[float] = []

    def _import(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        self.arrivals.append(time.perf_counter())
        return super()._import(request)

    async def wait_for(self, total: int) -> None:
        while self.total < total:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    def forget(self) -> None:
        self.imported.clear()
        self.arrivals.clear()


@dataclass(frozen=True)
class Scene:
    """A service on one database, and the accounts that it works for."""

    database: Database
    zendesk: ClockedZendesk
    accounts: list[str]
    port: int
    processes: Processes


async def main(messages: int, accounts: int, webhooks: int) -> None:
    rates: dict[str, float] = {}
    milliseconds: dict[str, list[float]] = {}
    each = messages // accounts
    rates["bare client"] = await bare_client(accounts, each)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in ("sqlite", "postgresql"):
            with database(kind, folder) as url:
                async with scene(url, folder, accounts, inside=True) as service:
                    rates[f"{kind}, serve alone"] = await backlog(service, each)
                    milliseconds[f"{kind}, serve alone"] = await latencies(service, webhooks)
                for workers in (1, 2, 4) if kind == "postgresql" else ():
                    async with scene(url, folder, accounts, workers=workers) as service:
                        rates[f"{kind}, workers: {workers}"] = await backlog(service, each)
                        if workers == 1:
                            milliseconds[f"{kind}, a worker"] = await latencies(service, webhooks)
    json.dump({"rates": rates, "milliseconds": milliseconds}, sys.stdout)


async def bare_client(accounts: int, each: int) -> float:
    """In a process of its own, as the service is."""
    zendesk = ClockedZendesk()
    async with zendesk.serving() as url:
        command = [sys.executable, __file__, "--bare", url, str(accounts), str(each)]
        client = await asyncio.create_subprocess_exec(*command)
        await client.wait()
    return rate(zendesk)


async def send_bare(url: str, accounts: int, each: int) -> None:
    async with httpx2.AsyncClient(trust_env=False) as http:
        client = ZendeskApi(http, ZendeskHosts(url), Clock())

        async def send(push_id: str) -> None:
            resources = posts(each)
            for start in range(0, each, RESOURCES_PER_PUSH):
                batch = tuple(resources[start : start + RESOURCES_PER_PUSH])
                await client.push("acme", PushToken(push_id, SecretStr("token")), "request", batch)

        await asyncio.gather(*(send(f"push-{number}") for number in range(accounts)))


async def backlog(service: Scene, each: int) -> float:
    """How fast the service sends what has been waiting until its accounts may push."""
    service.zendesk.forget()
    await allow(service, Access.absent)
    outbox = Outbox(service.database)
    for account_id in service.accounts:
        await outbox.accept(account_id, "backlog", posts(each))
    await allow(service, Access.valid)
    await service.zendesk.wait_for(each * len(service.accounts))
    return rate(service.zendesk)


async def latencies(service: Scene, webhooks: int) -> list[float]:
    """Milliseconds from sending a webhook to the arrival of its post at Zendesk."""
    found = []
    path = f"http://127.0.0.1:{service.port}/webhook/{service.accounts[0]}"
    async with httpx2.AsyncClient(trust_env=False) as http:
        for number in range(webhooks):
            await asyncio.sleep(IDLE)
            service.zendesk.forget()
            post = [MOMENT.isoformat(), f"webhook-{number}", {}]
            sent = time.perf_counter()
            await http.post(
                path, json={"delivery": f"w-{number}", "posts": [post]}, headers={"x-secret": SECRET}
            )
            await service.zendesk.wait_for(1)
            found.append((service.zendesk.arrivals[0] - sent) * 1000)
    return found


def rate(zendesk: ClockedZendesk) -> float:
    # The first batch is not counted: the clock starts when it arrives.
    first = min(RESOURCES_PER_PUSH, zendesk.total)
    elapsed = zendesk.arrivals[-1] - zendesk.arrivals[0]
    return (zendesk.total - first) / elapsed if elapsed else 0.0


def posts(count: int) -> list[ExternalResource]:
    author = Author(external_id="ada", name="Ada Lovelace")
    message = "I have been coming here for years, and it is still the best coffee in town. " * 4
    return [
        ExternalResource(external_id=f"post-{number}", message=message, created_at=MOMENT, author=author)
        for number in range(count)
    ]


async def allow(service: Scene, access: Access) -> None:
    async with service.database.writing() as connection:
        await connection.execute(
            update(credentials_table)
            .where(credentials_table.c.account_id.in_(service.accounts))
            .values(access=access)
        )


@asynccontextmanager
async def scene(
    url: str, folder: Path, accounts: int, *, inside: bool = False, workers: int = 0
) -> AsyncIterator[Scene]:
    keys = {"SIGNING_KEYS": new_signing_key(), "SEALING_KEYS": new_sealing_key()}
    database_url = Settings.model_validate({"database_url": url}).database_url
    database = Database(database_url)
    await database.migrate()
    account_ids = await add_accounts(database, keys, accounts)
    zendesk = ClockedZendesk()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with zendesk.serving() as zendesk_url:
            environment = keys | {
                "DATABASE_URL": database_url,
                "ZENDESK_URL": zendesk_url,
                "PUSH_REQUESTS_PER_MINUTE": "1000000",
                "WORKER_INSIDE": str(inside).lower(),
            }
            async with Processes.run(environment, listener, folder) as processes:
                processes.start("serve")
                for _ in range(workers):
                    processes.start("worker")
                for kind, number in (("serve", 1), ("worker", workers)):
                    while len(processes.running(kind)) < number:  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                yield Scene(database, zendesk, account_ids, listener.getsockname()[1], processes)
    await database.close()


async def add_accounts(database: Database, keys: dict[str, str], count: int) -> list[str]:
    sealer = Sealer([keys["SEALING_KEYS"]])
    accounts = Accounts(database, Signer([keys["SIGNING_KEYS"]]), sealer, Configuration)
    made = []
    for number in range(count):
        configuration = Configuration(site="main", password=SecretStr("right"))
        account = await accounts.create("acme", f"Account {number}", configuration)
        credentials = PushToken(f"push-{number}", SecretStr("token"))
        await CredentialStore(database, sealer).save(account.id, SecretStr(SECRET), credentials, Access.valid)
        made.append(account.id)
    return made


if __name__ == "__main__":
    if sys.argv[1] == "--bare":
        asyncio.run(send_bare(sys.argv[2], *map(int, sys.argv[3:])))
    else:
        asyncio.run(main(*map(int, sys.argv[1:])))
