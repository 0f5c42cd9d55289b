"""Runs inside a generated project: asks a service behind a load balancer, and receives what it pushes.

python measure_scale.py REQUESTS POSTS

A conversation in lines of JSON: it tells where its Zendesk is, hears the service's settings, and then measures every
URL that it hears, with the processes behind it: the ids of each kind. At last it tells what the tables take.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import time
import uuid
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "chaos"))
sys.path.insert(0, str(Path.cwd()))

import httpx2
from acme_reviews.core.accounts import Accounts
from acme_reviews.core.database import Database
from acme_reviews.core.security import Sealer, Signer
from acme_reviews.origin import Configuration
from acme_reviews.push.credentials import Access, CredentialStore, PushToken
from acme_reviews.settings import Settings
from pydantic import SecretStr
from sandbox.reviews import ReviewSite
from sqlalchemy import func, select, table, text
from storm_zendesk import StormZendesk
from told_review import told_review

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Numbers = dict[str, float]

ACCOUNTS = 10
SILENT_ACCOUNTS = 500
"""They come at the end, to see what they take."""

AT_ONCE = 16
"""Requests that are under way at the same time."""

WARM_UP = 32
"""Requests that are not counted: connections are opened, and code is run for the first time."""

SECRET = "the origin's"  # noqa: S105
TEXT = "I have been coming here for years, and it is still the best coffee in town. " * 4
BUSINESS = ReviewSite().businesses[0]
REVIEW = ReviewSite().reviews(BUSINESS)[0].id
"""Every site begins with the same ones."""


class Load:
    """What Zendesk and an origin send to a service, wherever it is."""

    def __init__(self, zendesk: StormZendesk, accounts: list[tuple[str, str]]) -> None:
        """Take the accounts: the id and the metadata of each."""
        self._zendesk = zendesk
        self._accounts = accounts
        self._http = httpx2.AsyncClient(timeout=60, trust_env=False)
        self._random = Random(1)  # noqa: S311
        self._states = dict.fromkeys((metadata for _, metadata in accounts), "")
        self._told = 0

    async def measure(
        self, url: str, processes: dict[str, list[int]], requests: int, posts: int
    ) -> dict[str, Numbers]:
        await self._pull_all_there_is(url)
        measured = {}
        for name, work, count in (
            ("pull", self._pull, requests),
            ("channelback", self._reply, requests),
            ("webhook, to the arrival of its post at Zendesk", self._tell, posts),
        ):
            await _times(partial(work, url), WARM_UP)
            await self._arrivals()
            before = {kind: cpu(*ids) for kind, ids in processes.items()}
            started = time.perf_counter()
            times = sorted(await _times(partial(work, url), count))
            await self._arrivals()
            measured[name] = {
                "per second": count / (time.perf_counter() - started),
                "ms": statistics.median(times) * 1000,
                "ms in nine tenths": times[int(len(times) * 0.9)] * 1000,
                **{
                    f"CPU ms of {kind}": (cpu(*ids) - before[kind]) * 1000 / count
                    for kind, ids in processes.items()
                },
            }
        return measured

    async def _pull_all_there_is(self, url: str) -> None:
        """The replies of the last measurement are new posts to every account but the one that sent them."""
        for metadata in self._states:
            while (answer := await self._pulled(url, metadata))["external_resources"]:
                self._states[metadata] = answer["state"]
            self._states[metadata] = answer.get("state", self._states[metadata])

    async def _pull(self, url: str) -> None:
        _, metadata = self._random.choice(self._accounts)
        if new := (await self._pulled(url, metadata))["external_resources"]:
            raise AssertionError(f"a pull that should find nothing new found {len(new)} posts")

    async def _pulled(self, url: str, metadata: str) -> dict[str, Any]:
        request = {"metadata": metadata, "state": self._states[metadata]}
        answer: dict[str, Any] = (await self._post(f"{url}/channel/pull", data=request)).json()
        return answer

    async def _reply(self, url: str) -> httpx2.Response:
        _, metadata = self._random.choice(self._accounts)
        fields = {
            "metadata": metadata,
            "message": "Thank you for your review!",
            "parent_id": REVIEW,
            "thread_id": REVIEW,
            "recipient_id": "customer-1",
            "request_unique_identifier": str(uuid.uuid4()),
        }
        return await self._post(f"{url}/channel/channelback", data=fields)

    async def _tell(self, url: str) -> httpx2.Response:
        """Tell of a new review, signed as the review site does it."""
        account_id, _ = self._random.choice(self._accounts)
        self._told += 1
        return await self._post(f"{url}/webhook/{account_id}", **told_review(SECRET, TEXT))

    async def _post(self, url: str, **request: Any) -> httpx2.Response:
        return (await self._http.post(url, **request)).raise_for_status()

    async def _arrivals(self) -> None:
        """Wait until Zendesk has all that it was told of."""
        while self._zendesk.total < self._told:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def cpu(*ids: int) -> float:
    """Seconds that processes, and those that they started, have run."""
    total = 0.0
    for process in ids:
        folder = Path(f"/proc/{process}")
        try:
            fields = (folder / "stat").read_text("utf-8").rpartition(")")[2].split()
            children = (folder / "task" / str(process) / "children").read_text("utf-8").split()
        except FileNotFoundError:
            # It has ended, and its parent has its time.
            continue
        total += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") + cpu(*map(int, children))
    return total


async def _times(work: Callable[[], Awaitable[Any]], count: int) -> list[float]:
    """Do it so often, and give the seconds of each."""
    seconds: list[float] = []
    left = iter(range(count))

    async def one_after_the_other() -> None:
        for _ in left:
            started = time.perf_counter()
            await work()
            seconds.append(time.perf_counter() - started)

    await asyncio.gather(*(one_after_the_other() for _ in range(AT_ONCE)))
    return seconds


async def add_accounts(settings: Settings, count: int) -> list[tuple[str, str]]:
    database = Database(settings.database_url)
    sealer = Sealer([key.get_secret_value() for key in settings.sealing_keys])
    signer = Signer([key.get_secret_value() for key in settings.signing_keys])
    accounts = Accounts(database, signer, sealer, Configuration)
    made = []
    for number in range(count):
        configuration = Configuration(business=BUSINESS.id, api_key=SecretStr(BUSINESS.api_key))
        account = await accounts.create("acme", f"Account {number}", configuration)
        credentials = PushToken(f"push-{number}", SecretStr("token"))
        await CredentialStore(database, sealer).save(account.id, SecretStr(SECRET), credentials, Access.valid)
        made.append((account.id, accounts.metadata(account)))
    await database.close()
    return made


async def sizes(settings: Settings) -> dict[str, tuple[int, int]]:
    """Give the rows and the bytes of each table, indexes included."""
    database = Database(settings.database_url)
    found = {}
    async with database.reading() as connection:
        tables = "SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables ORDER BY relname"
        for name, size in (await connection.execute(text(tables))).all():
            rows = await connection.scalar(select(func.count()).select_from(table(name)))
            found[name] = (rows, size)
    await database.close()
    return found


async def main(requests: int, posts: int) -> None:
    zendesk = StormZendesk(1, fair=True)
    async with zendesk.serving() as zendesk_url:
        tell(zendesk_url)
        settings = Settings.model_validate({name.lower(): value for name, value in (await hear()).items()})
        load = Load(zendesk, await add_accounts(settings, ACCOUNTS))
        while asked := await hear():
            tell(await load.measure(asked["url"], asked["processes"], requests, posts))
        await add_accounts(settings, SILENT_ACCOUNTS)
        tell(await sizes(settings))


async def hear() -> Any:
    return json.loads(await asyncio.to_thread(sys.stdin.readline) or "null")


def tell(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
