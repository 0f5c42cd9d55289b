"""The service of a simulated day: its clock is a number in a file, which the sandbox's Zendesk moves.

python day_service.py LISTENER CLOCK
"""

from __future__ import annotations

import asyncio
import mmap
import socket
import struct
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from acme_reviews.app import create_app
from acme_reviews.core import logs
from acme_reviews.core.clock import Clock
from acme_reviews.core.housekeeping import Housekeeping
from acme_reviews.settings import Settings

HOUR = timedelta(hours=1)


def go_by(file: Path) -> None:
    """Read the time there, and keep house every hour of it."""
    with file.open("rb") as opened:
        shared = mmap.mmap(opened.fileno(), 8, access=mmap.ACCESS_READ)

    def now(_clock: Clock | None = None) -> datetime:
        return datetime.fromtimestamp(struct.unpack("d", shared[:8])[0], UTC)

    async def run(housekeeping: Housekeeping, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            due = now() + HOUR
            await housekeeping.keep()
            while now() < due and not stopping.is_set():  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    clocks: Any = Clock
    clocks.machine_time = now
    housekeepings: Any = Housekeeping
    housekeepings.run = run


def main(listener: int, clock: str) -> None:
    go_by(Path(clock))
    logs.configure("warning", readable=False)
    with socket.socket(fileno=listener) as inherited:
        server = uvicorn.Server(
            uvicorn.Config(create_app(Settings.load()), log_level="critical", access_log=False)
        )
        asyncio.run(server.serve(sockets=[inherited]))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
