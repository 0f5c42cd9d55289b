"""Who does the work that is due: what every engine offers, and tasks inside this process."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Protocol

import structlog

AT_ONCE = 20
"""Accounts that a process works for at the same time."""

SWEEP = 1.0
"""Seconds between two looks for what a crash, a pause or a lost wake-up has left behind."""

GRACE = 25.0
"""Seconds that work under way is given when the engine stops: longer than one request to Zendesk takes."""

logger = structlog.get_logger()


class Work(Protocol):
    """Something that is done account by account, and that does no harm when it is done too often or cut off."""

    name: str

    async def due(self) -> list[str]:
        """The accounts that something is to be done for, and that nobody is at work for."""
        ...

    async def do(self, account_id: str, stopping: asyncio.Event) -> None:
        """Do what is due for an account, to the end or until told to stop."""
        ...


class Engine(Protocol):
    """Correctness never depends on an engine: what it forgets, its next look finds again."""

    async def open(self) -> None:
        """Make ready for `wake` and `run`."""
        ...

    async def wake(self, work: str, account_id: str) -> None:
        """Have the work done for an account, here or in another process; never fails."""
        ...

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until told to stop. What is under way comes to its next safe point, or is cut off after `GRACE`."""
        ...

    async def close(self) -> None: ...


class InProcessEngine:
    """For SQLite: one process, no other service."""

    def __init__(self, works: Sequence[Work]) -> None:
        self._works = {work.name: work for work in works}
        self._stopping = asyncio.Event()
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._again: set[tuple[str, str]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)

    async def open(self) -> None:
        pass

    async def wake(self, work: str, account_id: str) -> None:
        key = (work, account_id)
        if key in self._running:
            # It may have looked a moment too early.
            self._again.add(key)
        elif not self._stopping.is_set():
            self._running[key] = asyncio.create_task(self._do(key))

    async def run(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        await sweep(self._works.values(), self, stopping)
        if self._running:
            _, late = await asyncio.wait(self._running.values(), timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def close(self) -> None:
        pass

    async def _do(self, key: tuple[str, str]) -> None:
        work, account_id = key
        try:
            async with self._room:
                await done_without_failing(self._works[work], account_id, self._stopping)
        finally:
            del self._running[key]
        if key in self._again:
            self._again.discard(key)
            await self.wake(work, account_id)


async def sweep(works: Iterable[Work], engine: Engine, stopping: asyncio.Event) -> None:
    """Wake the engine for whatever is due, again and again."""
    while not stopping.is_set():
        for work in works:
            try:
                for account_id in await work.due():
                    await engine.wake(work.name, account_id)
            except Exception:
                logger.exception("looking for work failed", work=work.name)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), SWEEP)


async def done_without_failing(work: Work, account_id: str, stopping: asyncio.Event) -> None:
    """Do the work; what goes wrong is logged, and is due again at the next look."""
    try:
        await work.do(account_id, stopping)
    except Exception:
        logger.exception("work failed", work=work.name, account=account_id)
