"""News for whoever looks on: that something has changed, not what."""

import asyncio
from collections.abc import Callable


class Changes:
    def __init__(self) -> None:
        self.number = 0
        """How much has changed so far."""
        self.ended = False
        self._news = asyncio.Event()

    def note(self) -> None:
        self.number += 1
        self._news.set()
        self._news = asyncio.Event()

    def end(self) -> None:
        """Let go of whoever waits for news."""
        self.ended = True
        self.note()

    async def after(self, number: int) -> int:
        """Wait until more has changed than `number`; answer how much."""
        while self.number <= number:
            await self._news.wait()
        return self.number

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something holds, looking again after every change."""
        while not condition():
            await self._news.wait()
