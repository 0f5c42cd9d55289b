"""Under way: what this process knows of replies that are not settled, whatever is done to the machine's clock.

Claims go by the clock. When that is set right by more than a claim lasts, one that has just begun looks as if it had
run out, and one that was just left open as if it had been so for long.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from ..core.clock import Clock
from ..core.echoes import Echoes
from .claims import Claimed, Claims, beginning
from .echoes import UNDECIDED


class LeftOpen(NamedTuple):
    """A reply that may have been posted since `begun_at`, and until when that is waited for, by `time.monotonic`."""

    begun_at: datetime
    until: float


class UnderWay:
    """Replies by their accounts: however many others have left open, each account has few."""

    def __init__(self, claims: Claims, clock: Clock) -> None:
        self._claims = claims
        self._clock = clock
        self._begun: dict[tuple[str, str], datetime] = {}
        self._open: dict[str, dict[str, LeftOpen]] = {}
        self._knows_of_others = False

    def holds(self, account_id: str, identifier: str) -> bool:
        """Whether the reply is being posted."""
        return (account_id, identifier) in self._begun

    @contextmanager
    def posting(self, claimed: Claimed) -> Iterator[None]:
        """Wrap the posting of a reply; an exception leaves its outcome open."""
        key = claimed.account_id, claimed.request_unique_identifier
        self._open.get(claimed.account_id, {}).pop(claimed.request_unique_identifier, None)
        self._begun[key] = claimed.begun_at
        try:
            yield
        except BaseException:
            self._leave_open(*key, claimed.begun_at)
            raise
        finally:
            del self._begun[key]

    async def undecided(self, account_id: str, _external_ids: object) -> Echoes:
        """Say since when posts of an account may be replies."""
        if not self._knows_of_others:
            await self._learn_of_others()
            self._knows_of_others = True
        posting = [begun_at for (owner, _), begun_at in self._begun.items() if owner == account_id]
        now = time.monotonic()
        left = {name: reply for name, reply in self._open.pop(account_id, {}).items() if reply.until > now}
        if left:
            self._open[account_id] = left
            # Whoever repeated it may have settled it elsewhere.
            unsettled = await self._claims.unsettled(account_id)
            posting += [reply.begun_at for name, reply in left.items() if name in unsettled]
        moments = [beginning(at, self._clock.now()) for at in posting]
        return Echoes(undecided_since=min(moments, default=None))

    async def _learn_of_others(self) -> None:
        """Wait for what others have left open lately: nobody could repeat it while the service was away.

        What is older holds up nobody: a process may be new for every request.
        """
        for account_id, identifier, begun_at in await self._claims.left_open():
            self._leave_open(account_id, identifier, begun_at)

    def _leave_open(self, account_id: str, identifier: str, begun_at: datetime) -> None:
        until = time.monotonic() + UNDECIDED.total_seconds()
        self._open.setdefault(account_id, {})[identifier] = LeftOpen(begun_at, until)
