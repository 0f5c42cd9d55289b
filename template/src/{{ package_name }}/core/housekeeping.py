"""Housekeeping: an hourly task that deletes expired rows."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog

PERIOD_SECONDS = 3600.0

SECONDS_TO_STOP = 5.0
"""How long a round under way may go on once the service stops: it may call an origin about any number of things."""

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
            await self._keep_until(stopping)
            with suppress(TimeoutError):
                async with asyncio.timeout(PERIOD_SECONDS):
                    await stopping.wait()

    async def _keep_until(self, stopping: asyncio.Event) -> None:
        """Keep house, and cut that off a little after the service was told to stop."""
        keeping = asyncio.ensure_future(self.keep())
        told = asyncio.ensure_future(stopping.wait())
        await asyncio.wait((keeping, told), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if not keeping.done():
            await asyncio.wait((keeping,), timeout=SECONDS_TO_STOP)
            keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
