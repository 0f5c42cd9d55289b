"""Agents reply, and Zendesk pulls all the while, while answers get lost and the service is killed.

    python replies.py sqlite --seed 1
    python replies.py postgresql --seed 1

It runs where a project with every capability can be imported, as benchmarks/replies.py lets it. The origin knows
nothing of repeats: it posts what it is sent, and says afterwards what stands there. One account has its replies posted
before they are answered; the other, which has a push token, has them answered before they are posted.

At the end each reply stands at the origin once, no reply has come back as a customer's comment, and no customer's post
is missing.
"""

import argparse
import asyncio
import json
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import uvicorn
from acme_reviews.settings import Settings
from arrangement import Keys, add_accounts, service_between
from course import Processes, database
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from storm_zendesk import StormZendesk

FAULTS = {"dropped before": 0.1, "dropped behind": 0.15, "failed behind": 0.05, "slow": 0.1}
"""How often each befalls a reply at the origin: only the first leaves nothing there."""

HANGS_UP = 0.2
"""How often Zendesk does not wait for the answer to a reply."""

LOST = 0.1
"""How often a pull's answer is lost."""

SLOW = 1.0
"""Seconds that a slow origin takes."""

STANDSTILL = 60.0
"""Seconds after which a storm that does not move on has failed."""


@dataclass(frozen=True)
class Storm:
    """How much happens, and how often."""

    replies: int = 300
    kills: int = 20
    pause: float = 0.05
    """Seconds between two replies of an account."""

    pull_every: float = 1.0
    seed: int = 1


class Site:
    """The origin: what customers and agents have posted, each account's in one list, and the posts of each key.

    It posts a repeated reply again, unless it `recognises_keys`; without `faults` it answers everything at once.
    """

    def __init__(
        self, random: Random, faults: Mapping[str, float] = FAULTS, *, recognises_keys: bool = False
    ) -> None:
        self._random = random
        self._faults = faults
        self._recognises_keys = recognises_keys
        self.posts: dict[str, list[dict[str, Any]]] = {}
        self.replies: dict[str, list[dict[str, Any]]] = {}
        self.secrets: dict[str, str] = {}
        self.ahead = timedelta()
        """How much its clock is ahead."""

        business = "/api/businesses/{business}"
        self._app = Starlette(
            routes=[
                Route(business, self._about),
                Route(f"{business}/webhook", self._subscribe, methods=["PUT", "DELETE"]),
                Route(f"{business}/posts", self._read),
                Route(f"{business}/posts/{{post}}/replies", self._reply, methods=["POST"]),
            ]
        )

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            # What drops a connection is an error to the server, which would print it.
            server = uvicorn.Server(uvicorn.Config(self, log_level="critical", lifespan="off"))
            task = asyncio.create_task(server.serve(sockets=[listener]))
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            server.should_exit = True
            await task

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match self._fault() if scope["method"] == "POST" else "":
            case "dropped before":
                await _cut_off(send)
            case "dropped behind":
                await self._app(scope, receive, _unheard)
                await _cut_off(send)
            case "failed behind":
                await self._app(scope, receive, _unheard)
                await PlainTextResponse("The gateway has not waited.", 504)(scope, receive, send)
            case "slow":
                await self._app(scope, receive, partial(_late, send, self._random.uniform(0, SLOW)))
            case _:
                await self._app(scope, receive, send)

    def write(self, business: str, kind: str, text: str, answers: str | None = None) -> dict[str, Any]:
        posts = self.posts.setdefault(business, [])
        name = f"{business}-{len(posts)}"
        post: dict[str, Any] = {
            "id": name,
            "review_id": answers or name,
            "answers_id": answers,
            "time": (datetime.now(UTC) + self.ahead).isoformat(),
            "author": {"id": kind, "name": kind, "kind": kind},
            "rating": None,
            "review_rating": 1,
            "title": "",
            "text": text,
            "files": [],
        }
        posts.append(post)
        return post

    def by(self, kind: str) -> dict[str, dict[str, Any]]:
        posts = [post for posts in self.posts.values() for post in posts]
        return {post["id"]: post for post in posts if post["author"]["kind"] == kind}

    async def _about(self, request: Request) -> JSONResponse:
        return JSONResponse({"id": request.path_params["business"]})

    async def _subscribe(self, request: Request) -> Response:
        if request.method == "PUT":
            self.secrets[request.path_params["business"]] = (await request.json())["secret"]
        return Response(status_code=204)

    async def _read(self, request: Request) -> JSONResponse:
        if key := request.query_params.get("idempotency_key"):
            return JSONResponse({"posts": self.replies.get(key, [])})
        posts = self.posts.get(request.path_params["business"], [])
        begin = int(request.query_params["cursor"] or 0)
        end = min(begin + int(request.query_params["limit"]), len(posts))
        return JSONResponse({"posts": posts[begin:end], "cursor": str(end), "more": end < len(posts)})

    async def _reply(self, request: Request) -> JSONResponse:
        parts = request.path_params
        text = (await request.json())["text"]
        known = self.replies.setdefault(request.headers["idempotency-key"], [])
        if known and self._recognises_keys:
            return JSONResponse(known[0])
        reply = self.write(parts["business"], "agent", text, answers=parts["post"])
        known.append(reply)
        return JSONResponse(reply, 201)

    def _fault(self) -> str:
        lot = self._random.random()
        for name, share in self._faults.items():
            lot -= share
            if lot < 0:
                return name
        return ""


@dataclass
class Ticketing:
    """An account in Zendesk: what came in by pull, where it pulls from, and what its replies were answered."""

    business: str
    metadata: str
    state: str = ""
    imported: set[str] = field(default_factory=set)
    answers: dict[str, str] = field(default_factory=dict)
    asked: int = 0


class Course:
    """One storm from its beginning to its end."""

    def __init__(self, storm: Storm, database_url: str, folder: Path) -> None:
        self._storm = storm
        self._folder = folder
        self._random = Random(storm.seed)  # noqa: S311
        self._keys = Keys()
        self._database_url = Settings.model_validate({"database_url": database_url}).database_url
        self._site = Site(self._random)
        self._zendesk = StormZendesk(storm.seed, fair=True)
        self._accounts: list[Ticketing] = []
        self._answered: Counter[str] = Counter()
        self._faults: list[str] = []
        self._killed = 0

    async def run(self) -> dict[str, Any]:
        """Raises AssertionError with everything that went wrong."""
        await self._add_accounts()
        begun = time.monotonic()
        async with (
            service_between(self._zendesk, self._site, self._keys, self._database_url, self._folder) as (
                processes,
                url,
            ),
            httpx2.AsyncClient(base_url=url, timeout=30, trust_env=False) as http,
        ):
            processes.start("serve")
            try:
                await self._blow(processes, http)
            except TimeoutError:
                raise AssertionError("\n".join([*self._missing(), *processes.output])) from None
        faults = [*self._faults, *self._missing(), *self._misplaced()]
        assert not faults, "\n".join(faults)
        return {
            "replies": len(self._site.by("agent")),
            "posts": len(self._site.by("customer")),
            "kills": self._killed,
            "answers": dict(self._answered),
            "seconds": round(time.monotonic() - begun, 1),
        }

    async def _add_accounts(self) -> None:
        for account in await add_accounts(self._database_url, self._keys):
            self._accounts.append(Ticketing(account.business, account.metadata))
            self._site.write(account.business, "customer", "The first review")

    async def _blow(self, processes: Processes, http: httpx2.AsyncClient) -> None:
        replying = [asyncio.create_task(self._reply_often(account, http)) for account in self._accounts]
        rest = [asyncio.create_task(self._pull_often(account, http)) for account in self._accounts]
        rest.append(asyncio.create_task(self._kill(processes)))
        work = asyncio.gather(*replying, self._until(lambda: not self._missing()))
        try:
            await self._watch(work)
            # What comes back comes with the next pulls.
            asked = {account.business: account.asked + 2 for account in self._accounts}
            await self._watch(
                self._until(
                    lambda: all(account.asked >= asked[account.business] for account in self._accounts)
                )
            )
        finally:
            work.cancel()
            for task in (*replying, *rest):
                task.cancel()
            await asyncio.gather(work, *replying, *rest, return_exceptions=True)

    async def _watch(self, work: Awaitable[Any]) -> None:
        """Raises TimeoutError at a standstill, and whatever the work raises."""
        ended = asyncio.ensure_future(work)
        before, since = None, time.monotonic()
        while not (await asyncio.wait([ended], timeout=0.5))[0]:
            now = (
                len(self._site.by("agent")),
                len(self._imported()),
                self._killed,
                self._answered["pull 200"],
            )
            if now != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > STANDSTILL:
                ended.cancel()
                raise TimeoutError
        await ended

    async def _reply_often(self, account: Ticketing, http: httpx2.AsyncClient) -> None:
        async with asyncio.TaskGroup() as replies:
            for number in range(self._storm.replies // len(self._accounts)):
                replies.create_task(self._reply(account, f"{account.business}-reply-{number}", http))
                if number % 5 == 0:
                    self._site.write(account.business, "customer", "One more review")
                await asyncio.sleep(self._storm.pause)

    async def _reply(self, account: Ticketing, identifier: str, http: httpx2.AsyncClient) -> None:
        """Reply, again and again until there is an answer, and once more some time after."""
        form = {
            "metadata": account.metadata,
            "message": identifier,
            "parent_id": f"{account.business}-0",
            "thread_id": f"{account.business}-0",
            "request_unique_identifier": identifier,
        }
        for asked_again in (False, True):
            while (  # noqa: ASYNC110
                answer := await self._answer(http, "/channel/channelback", form, HANGS_UP)
            ) is None:
                await asyncio.sleep(self._random.uniform(0.1, 0.5))
            if account.answers.setdefault(identifier, answer["external_id"]) != answer["external_id"]:
                self._faults.append(f"{identifier} was answered in two ways")
            if asked_again or self._random.random() < 0.8:
                return

    async def _pull_often(self, account: Ticketing, http: httpx2.AsyncClient) -> None:
        while True:
            form = {"metadata": account.metadata, "state": account.state}
            answer = await self._answer(http, "/channel/pull", form)
            if answer is not None and self._random.random() >= LOST:
                account.imported |= {resource["external_id"] for resource in answer["external_resources"]}
                account.state = answer["state"]
                account.asked += 1
            await asyncio.sleep(self._storm.pull_every)

    async def _answer(
        self, http: httpx2.AsyncClient, path: str, form: dict[str, str], hangs_up: float = 0.0
    ) -> dict[str, Any] | None:
        """Ask, and give the answer if there is one and Zendesk has waited for it."""
        patience = self._random.uniform(0, 0.3) if self._random.random() < hangs_up else None
        response = None
        with suppress(httpx2.TransportError, TimeoutError):
            async with asyncio.timeout(patience):
                response = await http.post(path, data=form)
        name = path.rpartition("/")[2]
        self._answered[f"{name} {response.status_code if response else 'none'}"] += 1
        if response is None or response.status_code == 503:
            return None
        if not response.is_success:
            self._faults.append(f"{name} was answered {response.status_code}: {response.text}")
            return None
        answer: dict[str, Any] = response.json()
        return answer

    async def _kill(self, processes: Processes) -> None:
        """Kill the service all the way, whatever it is at."""
        while self._killed < self._storm.kills:
            due = self._storm.replies * (self._killed + 0.5) / self._storm.kills
            await self._until(lambda due=due: len(self._site.by("agent")) >= due)  # type: ignore[misc]
            await self._until(lambda: bool(processes.running("serve")))
            processes.kill(*processes.running("serve"))
            self._killed += 1

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    def _imported(self) -> set[str]:
        pushed = {name for posts in self._zendesk.imported.values() for name in posts}
        return pushed.union(*(account.imported for account in self._accounts))

    def _missing(self) -> list[str]:
        texts = {reply["text"] for reply in self._site.by("agent").values()}
        asked = {
            f"{account.business}-reply-{number}"
            for account in self._accounts
            for number in range(self._storm.replies // len(self._accounts))
        }
        faults = [f"{text} was never posted" for text in sorted(asked - texts)]
        faults += [
            f"{name} never came in" for name in sorted(self._site.by("customer").keys() - self._imported())
        ]
        return faults

    def _misplaced(self) -> list[str]:
        replies = self._site.by("agent")
        times = Counter(reply["text"] for reply in replies.values())
        faults = [f"{text} was posted {number} times" for text, number in times.items() if number > 1]
        faults += [
            f"{name} came back as a customer's comment" for name in sorted(self._imported() & replies.keys())
        ]
        for account in self._accounts:
            ids = [*account.answers.values()]
            if len(ids) != len(set(ids)):
                faults.append(f"two replies of {account.business} were answered alike")
        return faults


async def _unheard(_message: Message) -> None:
    """Let an answer get lost."""


async def _late(send: Send, seconds: float, message: Message) -> None:
    if message["type"] == "http.response.start":
        await asyncio.sleep(seconds)
    await send(message)


async def _cut_off(send: Send) -> None:
    """Promise more than is sent: the server breaks the connection off."""
    await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"1")]})
    with suppress(RuntimeError):
        await send({"type": "http.response.body", "body": b""})
    raise ConnectionAbortedError


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", choices=("sqlite", "postgresql"))
    for entry in fields(Storm):
        parser.add_argument(
            f"--{entry.name.replace('_', '-')}", type=type(entry.default), default=entry.default
        )
    arguments = vars(parser.parse_args())
    kind = arguments.pop("database")
    with TemporaryDirectory() as folder, database(kind, Path(folder)) as url:
        report = asyncio.run(Course(Storm(**arguments), url, Path(folder)).run())
    print(json.dumps(report))  # noqa: T201


if __name__ == "__main__":
    main()
