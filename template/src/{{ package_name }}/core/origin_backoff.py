"""Back-off from the origin: how long it wants to be left alone about an account, kept to by every process."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from ..origin_protocol import OriginUnavailableError
from .accounts import Account, Accounts
from .clock import Clock

LONGEST = timedelta(hours=24)
"""A longer pause is taken for a mistake: of the origin, or of a clock that was ahead."""


class OriginBackoff:
    def __init__(self, accounts: Accounts[Any], clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock

    @asynccontextmanager
    async def calling(self, account: Account) -> AsyncIterator[None]:
        """Wrap calls to the origin for one account: none is made before the origin's pause is over.

        Raises OriginUnavailableError during a pause, and remembers a `retry_after` that comes out of the block.
        """
        now = self._clock.now()
        left = (account.backoff_until or now) - now
        if timedelta() < left <= LONGEST:
            seconds = math.ceil(left.total_seconds())
            raise OriginUnavailableError(f"the origin asked for a pause of {seconds} more seconds", seconds)
        try:
            yield
        except OriginUnavailableError as error:
            if error.retry_after is not None and error.retry_after > 0:
                pause = min(timedelta(seconds=min(error.retry_after, 1e9)), LONGEST)
                await self._accounts.back_off(account.id, self._clock.now() + pause)
            raise


def retry_after(error: Exception, otherwise: int) -> int:
    """Whole seconds until the same request may be made again, for a `Retry-After` header."""
    asked = getattr(error, "retry_after", None)
    return otherwise if asked is None else max(1, math.ceil(min(asked, LONGEST.total_seconds())))
