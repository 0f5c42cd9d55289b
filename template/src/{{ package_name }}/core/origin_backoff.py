"""Back-off from the origin: how long it wants to be left alone about an account, kept to by every process."""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from ..origin_protocol import OriginUnavailableError
from .accounts import Account, Accounts
from .clock import JITTER, Clock
from .outbound import NO_JSON, understood

LONGEST = timedelta(hours=24)
"""A longer pause is taken for a mistake of the origin."""


class OriginBackoff:
    def __init__(self, accounts: Accounts[Any], clock: Clock) -> None:
        self._accounts = accounts
        self._clock = clock

    @asynccontextmanager
    async def calling(self, account: Account) -> AsyncIterator[None]:
        """Wrap calls to the origin for one account: none is made before the origin's pause is over.

        Raises OriginUnavailableError during a pause, and remembers a `retry_after` that comes out of the block.
        """
        if until := pause_of(account, self._clock.now()):
            seconds = math.ceil((until - self._clock.now()).total_seconds())
            raise OriginUnavailableError(f"the origin asked for a pause of {seconds} more seconds", seconds)
        try:
            yield
        except OriginUnavailableError as error:
            if error.retry_after is not None and error.retry_after > 0:
                pause = min(timedelta(seconds=min(error.retry_after, 1e9)), LONGEST)
                await self._accounts.back_off(account.id, pause)
            raise

    @asynccontextmanager
    async def reading(self, account: Account) -> AsyncIterator[None]:
        """Wrap calls that change nothing at the origin: whatever its client raises is understood, too.

        An answer that is no JSON is an outage.
        """
        async with self.calling(account):
            try:
                with understood():
                    yield
            except NO_JSON as error:
                raise OriginUnavailableError(f"the origin's answer is no JSON: {error}") from error


def pause_of(account: Account, now: datetime) -> datetime | None:
    """Until when the origin is left alone; None if it is not. A pause in the future comes from a clock that was ahead."""
    since, until = account.backoff_since, account.backoff_until
    return until if until and until > now and (since is None or since <= now + JITTER) else None


def retry_after(error: Exception, otherwise: int) -> int:
    """Whole seconds until the same request may be made again, for a `Retry-After` header."""
    asked = getattr(error, "retry_after", None)
    return otherwise if asked is None else max(1, math.ceil(min(asked, LONGEST.total_seconds())))
