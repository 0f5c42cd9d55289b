"""Job runners: what every runner offers, and the one that runs tasks inside this process."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

import structlog

AT_ONCE = 20
"""Accounts that one process works for at the same time."""

SWEEP = 1.0
"""Seconds between two sweeps for what a crash, a pause or a lost wake-up has left behind."""

GRACE = 25.0
"""Seconds that jobs under way are given when the runner stops: longer than one request to Zendesk takes."""

logger = structlog.get_logger()


class Job(Protocol):
    """Background work account by account. It is idempotent: done too often or cut off, it does no harm."""

    name: str

    async def due(self) -> list[str]:
        """The accounts for which there is something to do and that no worker is busy with."""
        ...

    async def do(self, account_id: str, stopping: asyncio.Event) -> None:
        """Do what is due for an account, to the end or until told to stop."""
        ...


class JobRunner(Protocol):
    """Calls the jobs. Correctness never depends on it: what a runner forgets, its next sweep finds again."""

    def register(self, job: Job) -> None:
        """Take a job, before `open`."""
        ...

    async def open(self) -> None:
        """Make ready for `wake` and `run`."""
        ...

    async def wake(self, job: str, account_id: str) -> None:
        """Have the job of this name done for an account, here or in another process; never fails."""
        ...

    async def run(self, stopping: asyncio.Event) -> None:
        """Do jobs until told to stop. What is under way comes to its next safe point, or is cut off after `GRACE`."""
        ...

    async def close(self) -> None: ...


class InProcessRunner:
    """For SQLite: one process, no other service."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._stopping = asyncio.Event()
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._again: set[tuple[str, str]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)

    def register(self, job: Job) -> None:
        self._jobs[job.name] = job

    async def open(self) -> None:
        pass

    async def wake(self, job: str, account_id: str) -> None:
        key = (job, account_id)
        if key in self._running:
            # It may have looked a moment too early.
            self._again.add(key)
        elif not self._stopping.is_set():
            self._running[key] = asyncio.create_task(self._do(key))

    async def run(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        await sweep(self._jobs.values(), self, stopping)
        if self._running:
            _, late = await asyncio.wait(self._running.values(), timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def close(self) -> None:
        pass

    async def _do(self, key: tuple[str, str]) -> None:
        job, account_id = key
        try:
            async with self._room:
                # Whoever waited here until the end need not begin any more.
                if not self._stopping.is_set():
                    await done_without_failing(self._jobs[job], account_id, self._stopping)
        finally:
            del self._running[key]
        if key in self._again:
            self._again.discard(key)
            await self.wake(job, account_id)


async def sweep(jobs: Iterable[Job], runner: JobRunner, stopping: asyncio.Event) -> None:
    """Wake the runner for whatever is due, again and again."""
    while not stopping.is_set():
        for job in jobs:
            try:
                for account_id in await job.due():
                    if stopping.is_set():
                        return
                    await runner.wake(job.name, account_id)
            except Exception:
                logger.exception("sweep failed", job=job.name)
        with suppress(TimeoutError):
            async with asyncio.timeout(SWEEP):
                await stopping.wait()


async def done_without_failing(job: Job, account_id: str, stopping: asyncio.Event) -> None:
    """Do the job; a failure is logged, and the next sweep finds the account again."""
    try:
        await job.do(account_id, stopping)
    except Exception:
        logger.exception("job failed", job=job.name, account=account_id)
