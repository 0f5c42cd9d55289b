"""Everything at once, for long: origin, Zendesk, database, disk and clock fail while customers write and agents reply.

    python soak.py sqlite --seed 1
    python soak.py postgresql --seed 1

It runs where a project with every capability can be imported, as benchmarks/soak.py lets it. The service is killed, told
to end, and struck in every way that is named below, at moments that follow from the seed.

At the end every post of the origin stands once in its ticket, in order; every reply stands once at the origin; no agent's
reply has come back as a customer's; nothing has grown that should not; and the log holds no secret and no error whose
reason is not one of the faults.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import math
import os
import re
import shutil
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from acme_reviews.core.database import Database, tables
from acme_reviews.settings import Settings
from arrangement import API_KEY, LATER, SECRET, TOKEN, Added, Keys, add_accounts, service_environment
from course import Processes
from replies import Site
from sqlalchemy import func, select
from storm_zendesk import StormZendesk
from struck import STRUCK, Fault, Struck, struck
from wild_origin import HUGE, WildOrigin

FINALIZER = "/zendesk/channels/integration_service_instances/editor_finalizer"

STANDSTILL = 45.0
"""Seconds after which a soak that does not move on has failed."""

PATIENCE = 30.0
"""Seconds that a service which was told to end may take."""

JUMP = timedelta(hours=1)

LOST = 0.1
"""How often the answer to a pull or a reply is lost on its way to Zendesk."""

YEARS = timedelta(days=800)
"""After so long nothing is kept but the accounts."""

GROWTH = 8
"""MiB that the process may take more after as many requests again, when all is calm."""

EXPLAINED = (
    *("readonly database", "disk is full", "database is locked", "disk I/O error"),
    *(
        "connection to server",
        "server closed the connection",
        "AdminShutdown",
        "ConnectorException",
        "PoolTimeout",
    ),
    "Zendesk answered 401",
)
"""What an error says that a fault of the database has caused, or a token that was revoked."""


@dataclass(frozen=True)
class Soak:
    """How much happens, and how often each blow falls."""

    posts: int = 3000
    replies: int = 800
    threads: int = 40
    kills: int = 164
    ends: int = 10
    database_faults: int = 20
    jumps: int = 10
    absences: int = 10
    revocations: int = 5
    calm_requests: int = 150
    """How many are sent when all is over, to see whether memory grows."""

    pause: float = 0.05
    """Seconds between two posts, and between two replies, of an account."""

    pull_every: float = 8.0
    """Seconds, for the account whose posts come by webhooks as well; the other is pulled four times as often."""

    seed: int = 1


@dataclass
class Ticketing:
    """An account as Zendesk has it: what was imported is in the storm's own Zendesk."""

    added: Added
    metadata: str
    state: str = ""
    pulls: int = 0
    threads: list[list[str]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def business(self) -> str:
        return self.added.business


class Course:
    """One soak from its beginning to its end."""

    def __init__(self, soak: Soak, database: Struck, folder: Path) -> None:
        self._soak = soak
        self._folder = folder
        self._random = Random(soak.seed)  # noqa: S311
        self._database = database
        self._url = Settings.model_validate({"database_url": database.url}).database_url
        self._keys = Keys()
        self._site = Site(self._random, {})
        self._origin = WildOrigin(self._site, self._random)
        self._zendesk = StormZendesk(soak.seed)
        self._accounts: list[Ticketing] = []
        self._answered: Counter[str] = Counter()
        self._blows: Counter[str] = Counter()
        self._faults: list[str] = []
        self._longest_end = 0.0
        self._allowed = 0.0

    async def run(self) -> dict[str, Any]:
        """Raises AssertionError with everything that went wrong."""
        for added in await add_accounts(self._url, self._keys):
            self._site.secrets[added.business] = SECRET
            self._accounts.append(Ticketing(added, added.metadata))
            for _ in range(self._soak.threads):
                self._begin_thread(self._accounts[-1])
        begun = time.monotonic()
        with socket.create_server(("127.0.0.1", 0), backlog=1000) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with (
                self._zendesk.serving() as zendesk_url,
                self._origin.serving() as origin_url,
                Processes.run(
                    service_environment(self._keys, self._url, zendesk_url, origin_url)
                    | {
                        "ANSWER_SIZE_LIMIT": str(HUGE - 1),
                        "PARENT_WAIT": "PT1S",
                        "DEFERRED_REPLY_PATIENCE": "P1D",
                    },
                    listener,
                    self._folder,
                    *("--hurry", "--replies", "--struck"),
                ) as processes,
                httpx2.AsyncClient(base_url=url, timeout=15, trust_env=False) as http,
            ):
                self._processes, self._http, self._zendesk_url = processes, http, zendesk_url
                processes.start("serve")
                try:
                    await self._rage()
                    await self._clear_up()
                except TimeoutError:
                    raise AssertionError("\n".join([*self._missing(), *processes.output])) from None
                grown = await self._calm() if self._soak.calm_requests else []
                rows = await self._years_later()
        self._judge()
        self._judge_log((self._folder / "service.log").read_text(errors="replace"))
        assert not self._faults, "\n".join([f"{len(self._faults)} faults", *self._faults[:60]])
        return {
            "posts": len(self._site.by("customer")),
            "replies": len(self._site.by("agent")),
            "blows": dict(self._blows),
            "origin": dict(self._origin.met),
            "zendesk": dict(self._zendesk.weather),
            "answers": dict(sorted(self._answered.items())),
            "longest_end": round(self._longest_end, 1),
            "mebibytes": grown,
            "rows": rows,
            "seconds": round(time.monotonic() - begun, 1),
        }

    # --- What happens all the time ----------------------------------------------------------------

    async def _rage(self) -> None:
        """Let customers write and agents reply until all of it was accepted, and strike meanwhile."""
        working = [
            asyncio.create_task(step(account))
            for account in self._accounts
            for step in (self._write_all, self._reply_all)
        ]
        working.append(asyncio.create_task(self._send_all(self._pushed)))
        working.append(asyncio.create_task(self._strike_all()))
        self._rest = [asyncio.create_task(self._pull_often(account)) for account in self._accounts]
        self._rest.append(asyncio.create_task(self._look_around()))
        try:
            await self._watch(asyncio.gather(*working))
        except BaseException:
            for task in (*working, *self._rest):
                task.cancel()
            await asyncio.gather(*working, *self._rest, return_exceptions=True)
            raise

    async def _clear_up(self) -> None:
        """When all is calm, what was accepted reaches its goal."""
        self._origin.calm = True
        self._zendesk.calm_down()
        try:
            await self._watch(self._until(lambda: not self._missing()))
            # What comes back comes with the next pulls.
            pulls = {account.business: account.pulls + 2 for account in self._accounts}
            await self._watch(
                self._until(
                    lambda: all(account.pulls >= pulls[account.business] for account in self._accounts)
                )
            )
        finally:
            for task in self._rest:
                task.cancel()
            await asyncio.gather(*self._rest, return_exceptions=True)

    async def _watch(self, work: Awaitable[Any]) -> None:
        """Raises TimeoutError at a standstill, and whatever the work raises."""
        ended = asyncio.ensure_future(work)
        before, since = None, time.monotonic()
        while not (await asyncio.wait([ended], timeout=0.5))[0]:
            now = (self._progress, self._zendesk.total, self._blows.total(), len(self._site.by("agent")))
            if now != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > STANDSTILL:
                ended.cancel()
                await asyncio.gather(ended, return_exceptions=True)
                raise TimeoutError
        await ended

    @property
    def _pushed(self) -> Ticketing:
        """The account whose posts come by webhooks, too."""
        return next(account for account in self._accounts if account.business == LATER)

    @property
    def _progress(self) -> int:
        return self._answered["written"] + self._answered["replied"]

    def _may_go_on(self) -> bool:
        """What happens is spread over all blows, and goes on during each."""
        return self._progress < self._allowed

    def _begin_thread(self, account: Ticketing) -> dict[str, Any]:
        post = self._site.write(account.business, "customer", "A review")
        account.threads.append([post["id"]])
        return post

    async def _write_all(self, account: Ticketing) -> None:
        for _ in range(self._soak.posts // len(self._accounts)):
            if self._random.random() < 0.1:
                self._begin_thread(account)
            else:
                thread = self._random.choice(account.threads)
                post = self._site.write(account.business, "customer", "A comment", answers=thread[0])
                thread.append(post["id"])
            self._answered["written"] += 1
            await asyncio.sleep(self._soak.pause)
            await self._until(self._may_go_on)

    async def _send_all(self, account: Ticketing) -> None:
        """Send what customers write, in order, as an origin does that waits for each answer."""
        sent = 0
        while sent < self._soak.threads + self._soak.posts // len(self._accounts):
            posts = [
                post for post in self._site.posts[account.business] if post["author"]["kind"] == "customer"
            ]
            if new := posts[sent : sent + self._random.randint(1, 5)]:
                await self._send_webhook(account, new)
                sent += len(new)
            await asyncio.sleep(self._soak.pause)

    async def _send_webhook(self, account: Ticketing, posts: list[dict[str, Any]]) -> None:
        """Send it again until it is taken, and at times once more."""
        body = json.dumps({"id": posts[0]["id"], "posts": posts}).encode()
        for again in (False, True):
            while True:
                moment = str(int(time.time()))
                signed = f"{moment}.".encode() + body
                secret = self._site.secrets[account.business].encode()
                signature = hmac.new(secret, signed, hashlib.sha256).hexdigest()
                headers = {"Webhook-Timestamp": moment, "Webhook-Signature": signature}
                path = f"/webhook/{account.added.id}"
                response = await self._ask("webhook", "POST", path, content=body, headers=headers)
                if response and response.is_success:
                    break
                await asyncio.sleep(self._random.uniform(0.2, 1))
            if again or self._random.random() < 0.9:
                return

    async def _reply_all(self, account: Ticketing) -> None:
        async with asyncio.TaskGroup() as replies:
            for number in range(self._soak.replies // len(self._accounts)):
                replies.create_task(self._reply(account, f"{account.business}-reply-{number}"))
                await asyncio.sleep(self._soak.pause * self._soak.posts / self._soak.replies)
                await self._until(self._may_go_on)

    async def _reply(self, account: Ticketing, identifier: str) -> None:
        """Reply, again and again until there is an answer, and at times once more."""
        root = self._random.choice(account.threads)[0]
        form = {
            "message": identifier,
            "parent_id": root,
            "thread_id": root,
            "request_unique_identifier": identifier,
        }
        for again in (False, True):
            while True:
                data = form | {"metadata": account.metadata}
                response = await self._ask("channelback", "POST", "/channel/channelback", data=data)
                if response and response.is_success and self._random.random() >= LOST:
                    break
                await asyncio.sleep(self._random.uniform(0.2, 1))
            external_id = response.json()["external_id"]
            if account.answers.setdefault(identifier, external_id) != external_id:
                self._faults.append(f"{identifier} was answered in two ways")
            if again or self._random.random() < 0.8:
                break
        self._answered["replied"] += 1

    async def _pull_often(self, account: Ticketing) -> None:
        while True:
            data = {"metadata": account.metadata, "state": account.state}
            response = await self._ask("pull", "POST", "/channel/pull", data=data)
            if response and response.is_success and self._random.random() >= LOST:
                answer = response.json()
                imported = self._zendesk.imported.setdefault(account.business, {})
                for resource in answer["external_resources"]:
                    imported.setdefault(resource["external_id"], resource)
                account.state = answer["state"]
                account.metadata = answer.get("metadata", account.metadata)
                account.pulls += 1
            await asyncio.sleep(self._soak.pull_every / (1 if account.business == LATER else 4))

    async def _look_around(self) -> None:
        """What people and machines look at meanwhile."""
        for path in (
            "/channel/manifest",
            "/channel/healthcheck",
            "/ready",
            "/metrics",
            "/channel/dashboard/all",
        ):
            await self._ask(path, "GET", path)
        while True:
            post = self._random.choice(self._accounts).threads[0][0]
            for path in ("/channel/manifest", "/ready", "/metrics", "/channel/dashboard/all"):
                await self._ask(path, "GET", path)
            await self._ask("clickthrough", "GET", "/channel/clickthrough", params={"external_id": post})
            told = {"type_id": "comment_on_new_ticket", "external_id": post}
            data = {"metadata": self._accounts[0].metadata, "request_id": "pull", "resource_events": [told]}
            events = [{"type_id": "resources_created_from_external_ids", "subdomain": "acme", "data": data}]
            await self._ask("event_callback", "POST", "/channel/event_callback", json={"events": events})
            await asyncio.sleep(0.5)

    async def _ask(self, name: str, method: str, path: str, **options: Any) -> httpx2.Response | None:
        response = None
        with suppress(httpx2.TransportError):
            response = await self._http.request(method, path, **options)
        status = response.status_code if response else "none"
        self._answered[f"{name} {status}"] += 1
        if response and response.status_code >= 500 and response.status_code != 503:
            self._faults.append(f"{name} was answered {status}: {response.text[:300]}")
        return response

    # --- Blows ------------------------------------------------------------------------------------

    async def _strike_all(self) -> None:
        soak = self._soak
        kinds: list[tuple[int, list[Callable[[], Coroutine[Any, Any, str]]]]] = [
            (soak.kills, [self._kill]),
            (soak.ends, [self._end]),
            (
                soak.database_faults,
                [partial(self._strike_database, fault) for fault in self._database.faults],
            ),
            (soak.jumps, [self._jump_ahead, self._jump_behind] if self._database.follows_clock else []),
            (soak.absences, [self._origin_away, self._zendesk_away]),
            (soak.revocations, [self._revoke]),
        ]
        blows = [some[n % len(some)] for number, some in kinds for n in range(number) if some]
        self._random.shuffle(blows)
        whole = self._soak.posts + self._soak.replies
        for number, blow in enumerate(blows):
            self._allowed = whole * (number + 1.5) / len(blows)
            due = whole * (number + 0.5) / len(blows) * 0.9
            await self._until(lambda due=due: self._progress >= due)  # type: ignore[misc]
            await self._until(lambda: bool(self._processes.running("serve")))
            self._blows[await blow()] += 1
        self._allowed = math.inf

    async def _kill(self) -> str:
        await asyncio.sleep(self._random.uniform(0, 0.3))
        self._processes.kill(*self._processes.running("serve"))
        return "killed"

    async def _end(self) -> str:
        begun = time.monotonic()
        (pid,) = self._processes.running("serve")
        if not await self._processes.restart(pid, PATIENCE):
            self._faults.append(f"the service did not end within {PATIENCE} s")
        self._longest_end = max(self._longest_end, time.monotonic() - begun)
        return "told to end"

    async def _strike_database(self, fault: Fault) -> str:
        return await fault(*self._processes.running("serve"))

    async def _jump_ahead(self) -> str:
        await self._database.jump(JUMP)
        return "clock ahead"

    async def _jump_behind(self) -> str:
        await self._database.jump(-JUMP)
        return "clock behind"

    async def _origin_away(self) -> str:
        await self._origin.away(STRUCK)
        return "origin away"

    async def _zendesk_away(self) -> str:
        self._zendesk.away = True
        await asyncio.sleep(STRUCK)
        self._zendesk.away = False
        return "Zendesk away"

    async def _revoke(self) -> str:
        """Zendesk takes no token until an admin has opened and saved the account."""
        refused = self._zendesk.weather["401"]
        self._zendesk.revoked = True
        with suppress(TimeoutError):
            async with asyncio.timeout(STRUCK):
                await self._until(lambda: self._zendesk.weather["401"] > refused)
        self._zendesk.revoked = False
        account = self._pushed
        while not (metadata := await self._saved(account)):  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        account.metadata = metadata
        return "token revoked"

    async def _saved(self, account: Ticketing) -> str:
        opened = {
            "return_url": f"{self._zendesk_url}{FINALIZER}",
            "subdomain": "acme",
            "locale": "en-US",
            "metadata": account.metadata,
            "instance_push_id": LATER,
            "zendesk_access_token": TOKEN,
        }
        form = await self._ask("form", "POST", "/channel/admin_ui", data=opened)
        if not form or not form.is_success:
            return ""
        typed = {"name": LATER, "business": LATER, "api_key": API_KEY, "reviews": "all"}
        typed["handshake"] = _hidden(form.text, "handshake")
        page = await self._ask("save", "POST", "/channel/admin_ui/save", data=typed)
        return _hidden(page.text, "metadata") if page else ""

    # --- The end ----------------------------------------------------------------------------------

    async def _calm(self) -> list[int]:
        """Give the MiB that the process takes, before and after many requests when all is calm."""
        await self._until(lambda: bool(self._processes.running("serve")))
        await self._end()
        await self._until(lambda: bool(self._processes.running("serve")))
        (pid,) = self._processes.running("serve")
        taken = []
        for _ in range(3):
            for _ in range(self._soak.calm_requests // 3):
                for account in self._accounts:
                    data = {"metadata": account.metadata, "state": account.state}
                    await self._ask("pull", "POST", "/channel/pull", data=data)
                await self._reply_again()
            taken.append(_resident_mebibytes(pid))
        if taken[-1] - taken[0] > GROWTH:
            self._faults.append(f"the process has grown: {taken} MiB")
        return taken

    async def _reply_again(self) -> None:
        """Zendesk repeats an old request."""
        account = self._random.choice(self._accounts)
        identifier, external_id = self._random.choice([*account.answers.items()])
        data = {
            "metadata": account.metadata,
            "message": identifier,
            "parent_id": account.threads[0][0],
            "thread_id": account.threads[0][0],
            "request_unique_identifier": identifier,
        }
        response = await self._ask("channelback", "POST", "/channel/channelback", data=data)
        if not response or response.json().get("external_id") != external_id:
            self._faults.append(f"{identifier} is answered otherwise: {response and response.text}")

    async def _years_later(self) -> dict[str, int]:
        """Give how many rows are left in each table after years, when house was kept."""
        if not self._database.follows_clock:
            return {}
        kept = self._log_lines().count("housekeeping done")
        self._database.set_clock(YEARS)
        await self._end()
        await self._until(lambda: self._log_lines().count("housekeeping done") > kept)
        database = Database(self._url)
        rows = {}
        async with database.reading() as connection:
            for table in tables.sorted_tables:
                rows[table.name] = (
                    await connection.execute(select(func.count()).select_from(table))
                ).scalar_one()
        await database.close()
        self._faults += [
            f"{number} rows are left in {table}"
            for table, number in rows.items()
            if number > len(self._accounts)
        ]
        return {table: number for table, number in rows.items() if number}

    def _log_lines(self) -> list[str]:
        lines = (self._folder / "service.log").read_text(errors="replace").splitlines()
        return [str(json.loads(line).get("event")) for line in lines if line.startswith("{")]

    def _missing(self) -> list[str]:
        texts = {reply["text"] for reply in self._site.by("agent").values()}
        asked = {
            f"{account.business}-reply-{number}"
            for account in self._accounts
            for number in range(self._soak.replies // len(self._accounts))
        }
        imported = self._imported()
        return [f"{text} was never posted" for text in sorted(asked - texts)] + [
            f"{name} never came in" for name in sorted(self._site.by("customer").keys() - imported)
        ]

    def _imported(self) -> set[str]:
        return {name for posts in self._zendesk.imported.values() for name in posts}

    def _judge(self) -> None:
        self._faults += self._missing()
        replies = self._site.by("agent")
        times = Counter(reply["text"] for reply in replies.values())
        self._faults += [f"{text} was posted {number} times" for text, number in times.items() if number > 1]
        came_back = self._imported() & replies.keys()
        self._faults += [f"{name} came back as a customer's comment" for name in sorted(came_back)]
        for account in self._accounts:
            place = {name: number for number, name in enumerate(self._zendesk.imported[account.business])}
            for thread in account.threads:
                places = [place[name] for name in thread if name in place]
                if places != sorted(places):
                    came = sorted((name for name in thread if name in place), key=place.__getitem__)
                    self._faults.append(f"the thread {thread} came as {came}")

    def _judge_log(self, log: str) -> None:
        secrets = {
            "API key": API_KEY,
            "token": TOKEN,
            "webhook's secret": SECRET,
            "signing key": self._keys.signing,
            "sealing key": self._keys.sealing,
        } | {f"metadata of {account.business}": account.metadata for account in self._accounts}
        self._faults += [f"the log holds the {name}" for name, secret in secrets.items() if secret in log]
        unexplained: Counter[str] = Counter()
        for line in log.splitlines():
            if not line.startswith("{"):
                unexplained[f"no JSON: {line[:200]}"] += 1
                continue
            entry = json.loads(line)
            if entry["level"] in ("error", "critical") and not _is_explained(entry):
                unexplained[f"{entry['event']}: {str(entry.get('exception', entry))[-600:]}"] += 1
        self._faults += [f"log, {number} times: {what}" for what, number in unexplained.items()]

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def _is_explained(entry: dict[str, Any]) -> bool:
    """Whether an error tells of a fault, as far as that is not the origin's answer, which `origin.py` cannot read."""
    exception = str(entry.get("exception", ""))
    places = re.findall(r'File "[^"]*/acme_reviews/([^"]*)"', exception)
    told = f"{exception} {entry.get('reason')} {entry['event']}"
    return (bool(places) and places[-1] == "origin.py") or any(words in told for words in EXPLAINED)


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return found[1] if found else ""


def _resident_mebibytes(pid: int) -> int:
    """Give 0 where no such file says it."""
    statm = Path(f"/proc/{pid}/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20 if statm.exists() else 0


async def run(kind: str, soak: Soak, folder: Path) -> dict[str, Any]:
    async with struck(kind, folder) as database:
        return await Course(soak, database, folder).run()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", choices=("sqlite", "postgresql"))
    for entry in fields(Soak):
        name = f"--{entry.name.replace('_', '-')}"
        parser.add_argument(name, type=type(entry.default), default=entry.default)
    parser.add_argument("--log", type=Path, help="where the service's log is kept")
    arguments = vars(parser.parse_args())
    kind, log = arguments.pop("database"), arguments.pop("log")
    with TemporaryDirectory() as folder:
        try:
            report = asyncio.run(run(kind, Soak(**arguments), Path(folder)))
        finally:
            if log:
                shutil.copy(Path(folder) / "service.log", log)
    print(json.dumps(report))  # noqa: T201


if __name__ == "__main__":
    main()
