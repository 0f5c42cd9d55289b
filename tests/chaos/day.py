"""Goes through a simulated day: the service's clock and that of the sandbox's Zendesk are one, which is moved.

    python day.py ACCOUNTS HOURS PULLS POSTS

It runs where a project that pulls and pushes can be imported, with its sandbox, as benchmarks/day.py lets it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import mmap
import os
import socket
import struct
import subprocess
import sys
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx2
from acme_reviews.core.accounts import Accounts
from acme_reviews.core.database import Database, tables
from acme_reviews.core.security import Sealer, Signer
from acme_reviews.origin import Configuration
from acme_reviews.push.credentials import Access, CredentialStore, PushToken
from acme_reviews.settings import Settings as ServiceSettings
from arrangement import Keys, service_environment
from pydantic import SecretStr
from replies import Site
from sandbox.zendesk import FakeClock, Settings, Zendesk
from sandbox.zendesk.model import Account, Token
from sqlalchemy import func, select

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SERVICE = Path(__file__).with_name("day_service.py")
SECRET = "the origin's"  # noqa: S105
PUSHED = 10
"""Every so many-th account may push."""

TOGETHER = 50
"""Accounts that are pulled at the same moment."""

DAY = 86_400
YEARS = timedelta(days=800)
GROWTH = 24
"""MiB that the process may take more at the end than in the middle."""

PATIENCE = 120
"""Seconds for what is under way."""


class SharedClock(FakeClock):
    """Moves the service's clock along."""

    def __init__(self, file: Path) -> None:
        super().__init__(datetime.now(UTC).replace(microsecond=0))
        file.write_bytes(bytes(8))
        with file.open("r+b") as opened:
            self._shared = mmap.mmap(opened.fileno(), 8)
        self.advance(0)

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self._shared[:8] = struct.pack("d", self.now().timestamp())


class Member:
    """An account, as Zendesk, the service and the origin know it."""

    def __init__(self, business: str, service_id: str, account: Account, *, pushes: bool) -> None:
        self.business = business
        self.service_id = service_id
        self.account = account
        self.pushes = pushes


class Day:
    """One simulated day, or some hours of one."""

    def __init__(self, accounts: int, hours: int, pulls: int, posts: int, folder: Path) -> None:
        self._number, self._hours, self._pulls, self._posts = accounts, hours, pulls, posts
        self._folder = folder
        self._keys = Keys()
        self._url = ServiceSettings.model_validate(
            {"database_url": f"sqlite:///{folder}/day.db"}
        ).database_url
        self._clock = SharedClock(folder / "clock")
        self._site = Site(Random(1), {})  # noqa: S311
        self._members: list[Member] = []
        self._imported: Counter[tuple[str, bool]] = Counter()
        self._codes: Counter[str] = Counter()
        self._pulled: Counter[int] = Counter()
        self._failed: list[str] = []
        self._sent: set[str] = set()
        self._cpu = {"pulls": 0.0, "webhooks and pushes": 0.0}

    async def run(self) -> dict[str, Any]:
        with socket.create_server(("127.0.0.1", 0), backlog=1000) as listener:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            zendesk = Zendesk(
                f"{address}/channel/manifest",
                settings=Settings(
                    allow_loopback_http=True,
                    pull_interval=DAY / self._pulls,
                    manifest_poll_interval=1e9,
                    exchanges_kept=10,
                ),
                clock=self._clock,
            )
            async with zendesk.serving() as zendesk_url, self._site.serving() as site_url:
                await self._add_accounts(zendesk)
                self._watch(zendesk)
                environment = service_environment(self._keys, self._url, zendesk_url, site_url)
                # Everything but the service shares this process, which may be slow.
                patient = {"ORIGIN_TIMEOUT": "30", "PULL_DEADLINE": "PT50S"}
                environment |= patient | {"PUBLIC_URL": address}
                async with (
                    self._service(listener, environment) as pid,
                    httpx2.AsyncClient(base_url=address, timeout=60, trust_env=False) as http,
                    zendesk,
                ):
                    return await self._go_through(zendesk, http, pid)

    async def _go_through(self, zendesk: Zendesk, http: httpx2.AsyncClient, pid: int) -> dict[str, Any]:
        begun, memory = time.monotonic(), []
        for hour in range(self._hours):
            self._site.ahead = self._clock.now() - datetime.now(UTC)
            before = _cpu_seconds(pid)
            await self._write(hour, http)
            between = _cpu_seconds(pid)
            # Nothing is due at the very end of an hour that is not due at the beginning of the next.
            await zendesk.advance(3599)
            self._clock.advance(1)
            self._cpu["webhooks and pushes"] += between - before
            self._cpu["pulls"] += _cpu_seconds(pid) - between
            memory.append(_resident_mebibytes(pid))
        report = {
            "accounts": self._number,
            "hours": self._hours,
            "pulls": self._pulled.total(),
            "posts": self._codes["success"],
            "pushed": sum(number for (_, pushed), number in self._imported.items() if pushed),
            "cpu_seconds": {name: round(seconds, 1) for name, seconds in self._cpu.items()},
            "mebibytes": [memory[0], memory[len(memory) // 2], memory[-1]],
            "rows": await self._rows(),
            "database_mebibytes": (self._folder / "day.db").stat().st_size // 2**20,
            "seconds": round(time.monotonic() - begun),
        }
        self._clock.advance(YEARS.total_seconds())
        rows_left = await self._rows_left()
        report["rows years later"] = rows_left
        report["faults"] = self._faults(memory, rows_left)
        return report

    async def _write(self, hour: int, http: httpx2.AsyncClient) -> None:
        """Have the customers of this hour write; those whose posts are pushed are waited for."""
        every = max(24 // self._posts, 1)
        writing = [member for number, member in enumerate(self._members) if number % every == hour % every]
        limit = asyncio.Semaphore(20)

        async def tell(member: Member, post: dict[str, Any]) -> None:
            async with limit:
                body = json.dumps({"id": post["id"], "posts": [post]}).encode()
                moment = str(int(self._clock.now().timestamp()))
                signature = hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256)
                headers = {"Webhook-Timestamp": moment, "Webhook-Signature": signature.hexdigest()}
                answer = await http.post(f"/webhook/{member.service_id}", content=body, headers=headers)
                if not answer.is_success:
                    self._failed.append(f"a webhook was answered {answer.status_code}: {answer.text[:200]}")

        telling = []
        for member in writing:
            post = self._site.write(member.business, "customer", "A review")
            if member.pushes:
                self._sent.add(post["id"])
                telling.append(tell(member, post))
        await asyncio.gather(*telling)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while any(not self._imported[name, True] for name in self._sent):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

    def _faults(self, memory: list[int], rows: dict[str, int]) -> list[str]:
        faults = self._failed[:10]
        due = Counter(
            number
            for member in self._members
            if (number := self._pulled[member.account.id]) != self._pulls * self._hours // 24
        )
        faults += [f"{count} accounts were pulled {number} times" for number, count in due.items()]
        written = {post["id"] for posts in self._site.posts.values() for post in posts}
        # What was written in the last hours waits for the next pull.
        late = [
            name for name in self._sent if (self._imported[name, True], self._imported[name, False]) != (1, 0)
        ]
        faults += [f"{len(late)} posts were not pushed once, {late[:3]} among them"] if late else []
        doubled = [name for name in written if self._imported[name, True] + self._imported[name, False] > 1]
        faults += [f"{len(doubled)} posts came twice, {doubled[:3]} among them"] if doubled else []
        if self._codes.keys() - {"success"}:
            faults.append(f"Zendesk took posts as {dict(self._codes)}")
        if memory[-1] - memory[len(memory) // 2] > GROWTH:
            faults.append(f"the process grew: {memory} MiB")
        bounded = {"accounts", "push_credentials", "leases"}
        return faults + [
            f"{number} rows are left in {table}" for table, number in rows.items() if table not in bounded
        ]

    def _watch(self, zendesk: Zendesk) -> None:
        """Count what is pulled, and what comes in which way."""
        pull, take = zendesk.pulls.pull, zendesk.imports.take

        async def counted_pull(account: Account) -> Any:
            self._pulled[account.id] += 1
            answer = await pull(account)
            if answer.error:
                self._failed.append(f"a pull failed: {answer.error}")
            return answer

        async def counted_take(account: Account, resource: Any, request_id: str, *, pushed: bool) -> Any:
            result = await take(account, resource, request_id, pushed=pushed)
            self._codes[result.code] += 1
            self._imported[resource["external_id"], pushed] += 1
            return result

        pulls: Any = zendesk.pulls
        imports: Any = zendesk.imports
        pulls.pull, imports.take = counted_pull, counted_take

    async def _add_accounts(self, zendesk: Zendesk) -> None:
        database = Database(self._url)
        await database.migrate()
        sealer = Sealer([self._keys.sealing])
        accounts = Accounts(database, Signer([self._keys.signing]), sealer, Configuration)
        store = CredentialStore(database, sealer)
        interval, moments = DAY / self._pulls, max(self._number // TOGETHER, 1)
        for number in range(self._number):
            name = f"business-{number}"
            configuration = Configuration(business=name, api_key=SecretStr("key"))
            created = await accounts.create("acme", name, configuration)
            pushes = number % PUSHED == 0
            if pushes:
                token = PushToken(name, SecretStr(f"token-{number}"))
                await store.save(created.id, SecretStr(SECRET), token, Access.valid)
                zendesk.state.tokens.append(Token(f"token-{number}", name, self._clock.now(), given=True))
            first = self._clock.now() + timedelta(seconds=interval * (number % moments) / moments)
            account = Account(
                zendesk.state.new_id(), name, accounts.metadata(created), "", push_id=name, next_pull=first
            )
            zendesk.state.accounts.append(account)
            self._members.append(Member(name, created.id, account, pushes=pushes))
        await database.close()

    @asynccontextmanager
    async def _service(self, listener: socket.socket, environment: dict[str, str]) -> AsyncIterator[int]:
        command = [sys.executable, str(SERVICE), str(listener.fileno()), str(self._folder / "clock")]
        process = subprocess.Popen(  # noqa: ASYNC220
            command, cwd=self._folder, env=os.environ | environment, pass_fds=[listener.fileno()]
        )
        try:
            yield process.pid
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)

    async def _rows(self) -> dict[str, int]:
        database = Database(self._url)
        rows = {}
        for table in tables.sorted_tables:
            (row,) = await database.rows(select(func.count().label("rows")).select_from(table))
            rows[table.name] = row.rows
        await database.close()
        return {table: number for table, number in rows.items() if number}

    async def _rows_left(self) -> dict[str, int]:
        """Give what is left when house has been kept."""
        bounded, until = {"accounts", "push_credentials", "leases"}, time.monotonic() + PATIENCE
        while (rows := await self._rows()).keys() - bounded and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
        return rows


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mebibytes(pid: int) -> int:
    statm = Path(f"/proc/{pid}/statm").read_text().split()
    return int(statm[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20


def main() -> None:
    accounts, hours, pulls, posts = map(int, sys.argv[1:5])
    with TemporaryDirectory() as folder:
        report = asyncio.run(Day(accounts, hours, pulls, posts, Path(folder)).run())
    print(json.dumps(report))  # noqa: T201
    if report["faults"]:
        sys.exit(1)


if __name__ == "__main__":
    main()
