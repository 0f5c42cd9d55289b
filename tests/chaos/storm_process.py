"""The processes of the service that a storm kills.

    python -m tests.storm_process LISTENER [--hurry]

makes a new process, which listens on the inherited socket LISTENER or works, for each line `serve` or `worker` that it
reads. It has imported everything before, so that a process that was killed is soon followed by the next.
"""

import asyncio
import os
import signal
import socket
import sys
from datetime import timedelta

import httpx2
import uvicorn
from acme_reviews.app import create_app
from acme_reviews.core import logs
from acme_reviews.core.backoff import Backoff
from acme_reviews.core.jobs import procrastinate_runner
from acme_reviews.core.leases import Leases
from acme_reviews.push import sender
from acme_reviews.push.zendesk_api import ZendeskApi
from acme_reviews.settings import Settings
from tests.doubles import ScriptedOrigin

READY = "ready"


def hurry() -> None:
    """What takes minutes in earnest takes moments here, in the same proportions."""
    ZendeskApi.__init__.__defaults__ = (httpx2.Timeout(0.8), timedelta(seconds=1))
    Leases.__init__.__defaults__ = (timedelta(seconds=2),)
    sender.BACKOFF = Backoff(first=timedelta(seconds=0.05), factor=4, longest=timedelta(seconds=0.5))
    sender.PARENT_POLL = timedelta(seconds=0.5)
    sender.SETTLING = timedelta(seconds=0.5)
    procrastinate_runner.HEARTBEAT, procrastinate_runner.DEAD_AFTER = 1.0, 3.0


async def serve(listener: int) -> None:
    app = create_app(Settings.load(), ScriptedOrigin())
    with socket.socket(fileno=listener) as inherited:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        serving = asyncio.create_task(server.serve(sockets=[inherited]))
        while not (server.started or serving.done()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        tell("serve")
        await serving


async def work() -> None:
    app = create_app(Settings.load().model_copy(update={"worker_inside": True}), ScriptedOrigin())
    async with app.router.lifespan_context(app):
        tell("worker")
        await asyncio.Event().wait()


def tell(kind: str) -> None:
    sys.stdout.write(f"{READY} {kind} {os.getpid()}\n")
    sys.stdout.flush()


def main(listener: int, *options: str) -> None:
    logs.configure("error", readable=False)
    if "--hurry" in options:
        hurry()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in iter(sys.stdin.readline, ""):
        if os.fork() == 0:
            asyncio.run(serve(listener) if line.strip() == "serve" else work())
            return


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
