"""Pull and push race while service and homeserver are killed: nothing is lost, nothing twice, each room in order."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import httpx2
from acme_chat.settings import new_sealing_key, new_signing_key
from sandbox.browser import at_localhost
from sandbox.zendesk.model import NotDoneError
from synapse import HS_TOKEN, Synapse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sandbox.zendesk import Account, Ticket, Zendesk
    from synapse import Person

ROOMS = 10
MESSAGES = 500
REPLIES = 20
KILLS = 4
SECONDS = 300
"""In which all of it has to be over."""


class Service:
    """The service in a process of its own, which can be killed and started again."""

    def __init__(self, folder: Path, port: int, **environment: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._environment = environment | {
            "DATABASE_URL": f"sqlite:///{folder}/service.db",
            "PORT": str(port),
            "PUBLIC_URL": self.url,
            "INNER_HOSTS": "127.0.0.1",
            "PUSH_CLIENT_ID": "sandbox",
            "PUSH_REQUESTS_PER_MINUTE": "100000",
            "PULL_DEADLINE": "PT10S",
            "PARENT_WAIT": "PT1S",
            "SIGNING_KEYS": new_signing_key(),
            "SEALING_KEYS": new_sealing_key(),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "said").open("ab") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "acme_chat", "serve"],
                cwd=self._folder,
                env=os.environ | self._environment,
                stdout=said,
                stderr=said,
            )

    def wait(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with suppress(httpx2.TransportError):
                if httpx2.get(f"{self.url}/channel/healthcheck", trust_env=False, timeout=5).is_success:
                    return
            time.sleep(0.1)
        raise AssertionError(self.said())

    def kill(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def said(self) -> str:
        return (self._folder / "said").read_text("utf-8", "replace")[-4000:]


@asynccontextmanager
async def scene() -> AsyncIterator[tuple[Synapse, Service, Zendesk]]:
    """The homeserver, the service and Zendesk, each told where the others are."""
    with tempfile.TemporaryDirectory(prefix="storm-", ignore_cleanup_errors=True) as folder:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        places = [Path(folder, name) for name in ("homeserver", "service")]
        for place in places:
            place.mkdir()
        synapse = Synapse(places[0], webhook=f"http://127.0.0.1:{port}/webhook")
        async with at_localhost(f"http://127.0.0.1:{port}") as zendesk:
            # Twenty failed pulls in a row are no more than ten seconds here, as long as a killed service may be away.
            zendesk.settings.failures_before_deactivation = 0
            service = Service(places[1], port, ZENDESK_URL=zendesk.settings.address, ORIGIN_URL=synapse.url)
            try:
                for each in (synapse, service):
                    each.start()
                for each in (synapse, service):
                    await asyncio.to_thread(each.wait)
                async with zendesk:
                    yield synapse, service, zendesk
            finally:
                service.kill()
                synapse.kill()


def stubbornly(call: Callable[..., str], *arguments: Any, **more: Any) -> str:
    """Call the homeserver again until it answers, as clients do."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            return call(*arguments, **more)
        except (httpx2.TransportError, httpx2.HTTPStatusError):
            if time.monotonic() > end:
                raise
            time.sleep(0.3)


def talk(person: Person, bridge: Person, room: str, seed: int) -> None:
    """Say one room's share of all messages: some late, some from the future, some with files."""
    random = Random(seed)  # noqa: S311
    for number in range(MESSAGES // ROOMS):
        name = f"{seed}-{number}"
        if number % 10 == 3:
            date = random.choice([1_000_000_000_000, 4_102_444_800_000])
            stubbornly(bridge.say, room, name, ts=date)
        elif number % 10 == 7:
            picture = stubbornly(person.upload, name, b"content", "text/plain")
            stubbornly(person.say, room, name, content={"msgtype": "m.file", "url": picture})
        else:
            stubbornly(person.say, room, name)


async def pull_often(zendesk: Zendesk, account: Account, pulls: set[str]) -> None:
    while True:
        pulls.add((await zendesk.pull(account)).request_id)
        await asyncio.sleep(0.5)


async def reply_often(zendesk: Zendesk, rooms: list[str]) -> list[str]:
    """Reply in every room in turn, as soon as it has a ticket."""
    said = []
    for number in range(REPLIES):
        ticket = await ticket_of(zendesk, rooms[number % ROOMS])
        said.append(f"reply {number}")
        with suppress(NotDoneError):
            await zendesk.reply(ticket, said[-1])
        await asyncio.sleep(0.3)
    return said


async def ticket_of(zendesk: Zendesk, room: str) -> Ticket:
    while True:
        for ticket in zendesk.tickets:
            if ticket.thread_key == room:
                return ticket
        await asyncio.sleep(0.1)


async def kill_at_random(victims: list[Synapse | Service]) -> None:
    random = Random(1)  # noqa: S311
    for number in range(KILLS):
        await asyncio.sleep(random.uniform(2, 5))
        victim = victims[number % 2]
        victim.kill()
        await asyncio.sleep(random.uniform(0, 1))
        victim.start()
        await asyncio.to_thread(victim.wait)


def customers(messages: list[dict[str, Any]], bot: Person) -> list[str]:
    return [f"{each['room_id']}/{each['event_id']}" for each in messages if each["sender"] != bot.id]


async def test_nothing_is_lost_and_nothing_comes_twice() -> None:
    async with scene() as (synapse, service, zendesk), asyncio.timeout(SECONDS * 2):
        ada, bot, bridge = synapse.register("ada"), synapse.register("support"), synapse.bridge()
        account = await zendesk.add_account(
            "Main", access_token=bot.token, hs_token=HS_TOKEN, accept_invitations="on"
        )
        rooms = [ada.open_room(f"Room {number}", bot.id, bridge.id) for number in range(ROOMS)]
        # Zendesk pulls by itself when an account is added. Pulls wait for each other: after two more, that one is over.
        pulls = {(await zendesk.pull(account)).request_id for _ in range(2)}
        # Only a pull brings what was said before the bridge joined.
        for room in rooms:
            ada.say(room, "before the bridge")
        while len(zendesk.tickets) < ROOMS:
            pulls.add((await zendesk.pull(account)).request_id)
        for room in rooms:
            bridge.call("POST", f"/join/{room}")
        pulling = asyncio.ensure_future(pull_often(zendesk, account, pulls))
        talking = [asyncio.to_thread(talk, ada, bridge, room, number) for number, room in enumerate(rooms)]
        _, _, replies = await asyncio.gather(
            asyncio.gather(*talking), kill_at_random([service, synapse]), reply_often(zendesk, rooms)
        )
        timelines = {room: await asyncio.to_thread(ada.messages, room) for room in rooms}
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and (missing := lacks(zendesk, timelines, bot, replies)):
            await asyncio.sleep(0.5)
            timelines = {room: await asyncio.to_thread(ada.messages, room) for room in rooms}
        assert not pulling.done()
        pulling.cancel()

        assert not missing, f"{missing[:5]}\n{service.said()}"
        ways: set[bool] = set()
        for room, messages in timelines.items():
            order = customers(messages, bot)
            comments = [
                comment
                for ticket in zendesk.tickets
                if ticket.thread_key == room
                for comment in ticket.comments
                if not comment.by_agent
            ]
            ways |= {comment.request_id in pulls for comment in comments}
            assert [comment.external_id for comment in comments] == order, room
        posted = Counter(
            each["content"]["body"]
            for messages in timelines.values()
            for each in messages
            if each["sender"] == bot.id
        )
        assert posted == Counter(replies)
        assert ways == {True, False}


def lacks(
    zendesk: Zendesk, timelines: dict[str, list[dict[str, Any]]], bot: Person, replies: list[str]
) -> list[str]:
    """Name what has not arrived yet, in Zendesk or in a room."""
    there = {comment.external_id for ticket in zendesk.tickets for comment in ticket.comments}
    said = {each["content"]["body"] for messages in timelines.values() for each in messages}
    wanted = [name for messages in timelines.values() for name in customers(messages, bot)]
    return [name for name in wanted if name not in there] + [text for text in replies if text not in said]
