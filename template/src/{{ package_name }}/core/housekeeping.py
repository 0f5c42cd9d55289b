"""Housekeeping: an hourly task that deletes expired rows."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog

PERIOD_SECONDS = 3600.0

logger = structlog.get_logger()


class Housekeeping:
    def __init__(self, tasks: Sequence[Callable[[], Awaitable[object]]]) -> None:
        self._tasks = tasks

    async def keep(self) -> None:
        """Run every task, also when one of them fails."""
        for task in self._tasks:
            try:
                await task()
            except Exception:
                logger.exception("housekeeping failed")
        logger.info("housekeeping done")

    async def run(self, stopping: asyncio.Event) -> None:
        """Keep house every hour until told to stop."""
        while not stopping.is_set():
            await self.keep()
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), PERIOD_SECONDS)
