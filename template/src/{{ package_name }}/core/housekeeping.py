"""Housekeeping: an hourly task that deletes expired rows."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog

PERIOD_SECONDS = 3600.0

FIRST_SECONDS = 15.0
"""From the start to the first round: whoever calls a service that has just started is answered first."""

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
        """Keep house soon after the start, and every hour from then on, until told to stop."""
        pause = FIRST_SECONDS
        while not await _is_told(stopping, pause):
            await self._keep_until(stopping)
            pause = PERIOD_SECONDS

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


async def _is_told(stopping: asyncio.Event, seconds: float) -> bool:
    """Wait for so long at most, and say whether the service has been told to stop."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
    return stopping.is_set()
