"""The processes of the service that a storm kills.

    python storm_process.py LISTENER [--hurry] [--replies] [--struck]

makes a new process, which listens on the inherited socket LISTENER or works, for each line `serve` or `worker` that it
reads. It has imported everything before, so that a process that was killed is soon followed by the next. The origin
is a double, unless replies are posted: then it is the project's own. Where it is --struck, it tells what it does, and
the file STRIKES in its folder says how its clock and its disk are struck.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from weakref import WeakSet

import httpx2
import uvicorn
from acme_reviews.app import create_app
from acme_reviews.cli import GRACE
from acme_reviews.core import logs
from acme_reviews.core.backoff import Backoff
from acme_reviews.core.clock import Clock
from acme_reviews.core.jobs import procrastinate_runner
from acme_reviews.core.leases import Leases
from acme_reviews.core.sqlite import SqliteConnection
from acme_reviews.push import sender
from acme_reviews.push.zendesk_api import ZendeskApi
from acme_reviews.settings import Settings
from acme_reviews.web.server import Server
from tests.doubles import ScriptedOrigin

READY = "ready"
STRIKES = "strikes.json"
BUSY_SECONDS = 2


def hurry() -> None:
    """What takes minutes in earnest takes moments here, in the same proportions."""
    ZendeskApi.__init__.__defaults__ = (httpx2.Timeout(0.8), timedelta(seconds=1))
    Leases.__init__.__defaults__ = (timedelta(seconds=2),)
    sender.BACKOFF = Backoff(first=timedelta(seconds=0.05), factor=4, longest=timedelta(seconds=0.5))
    sender.PARENT_POLL = timedelta(seconds=0.5)
    sender.SETTLING = timedelta(seconds=0.5)
    procrastinate_runner.HEARTBEAT, procrastinate_runner.DEAD_AFTER = 1.0, 3.0


def hurry_replies() -> None:
    # A project that only sends posts has no such modules.
    posting: Any = import_module("acme_reviews.channelback.posting")
    posting.LEASE_MARGIN = timedelta(seconds=1)
    deferred_posting: Any = import_module("acme_reviews.deferred_replies.posting")
    deferred_posting.BACKOFF = sender.BACKOFF


class Strikes:
    """What is done to a process while it works: its clock is moved, and SQLite's disk is full or takes no writes."""

    def __init__(self) -> None:
        self._file = Path(STRIKES)
        self._shift = timedelta()
        self._disk = ""
        self._connections: WeakSet[SqliteConnection] = WeakSet()

    def take_effect(self) -> None:
        clocks: Any = Clock
        connections: Any = SqliteConnection
        read, configure = Clock.machine_time, SqliteConnection.configure

        def configured(connection: SqliteConnection, busy_seconds: float) -> None:
            configure(connection, min(busy_seconds, BUSY_SECONDS))
            self._connections.add(connection)
            self._strike(connection)

        connections.configure = configured
        clocks.machine_time = lambda clock: read(clock) + self._shift
        self._read()

    async def watch(self) -> None:
        while True:
            self._read()
            await asyncio.sleep(0.05)

    def _read(self) -> None:
        said = json.loads(self._file.read_text()) if self._file.exists() else {}
        self._shift = timedelta(seconds=said.get("shift", 0))
        if self._disk != said.get("disk", ""):
            self._disk = said.get("disk", "")
            for connection in [*self._connections]:
                self._strike(connection)

    def _strike(self, connection: SqliteConnection) -> None:
        connection.execute(f"PRAGMA max_page_count={1 if self._disk == 'full' else 2**30}")
        connection.execute(f"PRAGMA query_only={int(self._disk == 'read-only')}")


async def serve(listener: int, origin: ScriptedOrigin | None, strikes: Strikes | None) -> None:
    app = create_app(Settings.load(), origin)
    watching = asyncio.create_task(strikes.watch()) if strikes else None
    with socket.socket(fileno=listener) as inherited:
        config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=GRACE)
        server = Server(config)
        serving = asyncio.create_task(server.serve(sockets=[inherited]))
        while not (server.started or serving.done()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        tell("serve")
        await serving
    if watching:
        watching.cancel()


async def work(origin: ScriptedOrigin | None) -> None:
    app = create_app(Settings.load().model_copy(update={"worker_inside": True}), origin)
    async with app.router.lifespan_context(app):
        tell("worker")
        await asyncio.Event().wait()


def tell(kind: str) -> None:
    # Whoever was killed may have left a line without an end.
    sys.stdout.write(f"\n{READY} {kind} {os.getpid()}\n")
    sys.stdout.flush()


def main(listener: int, *options: str) -> None:
    logs.configure("info" if "--struck" in options else "error", readable=False)
    if "--hurry" in options:
        hurry()
    if "--replies" in options:
        hurry_replies()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in iter(sys.stdin.readline, ""):
        if os.fork() == 0:
            origin = None if "--replies" in options else ScriptedOrigin()
            strikes = Strikes() if "--struck" in options else None
            if strikes:
                strikes.take_effect()
            asyncio.run(serve(listener, origin, strikes) if line.strip() == "serve" else work(origin))
            return


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
