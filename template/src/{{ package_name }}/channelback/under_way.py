"""Under way: what this process knows of the replies that it posts, whatever is done to the machine's clock.

Claims go by the clock. When that is set right by more than a claim lasts, one that has just begun looks as if it had
run out, and one that was just left open as if it had been so for long.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from ..core.clock import Clock
from ..core.echoes import Echoes
from .claims import Claimed, Claims, beginning
from .echoes import UNDECIDED


class UnderWay:
    def __init__(self, claims: Claims, clock: Clock) -> None:
        self._claims = claims
        self._clock = clock
        self._begun: dict[tuple[str, str], datetime] = {}
        self._open: dict[tuple[str, str], tuple[datetime, float]] = {}
        self._knows_of_others = False

    def holds(self, account_id: str, identifier: str) -> bool:
        """Whether the reply is being posted."""
        return (account_id, identifier) in self._begun

    @contextmanager
    def posting(self, claimed: Claimed) -> Iterator[None]:
        """Wrap the posting of a reply; an exception leaves its outcome open."""
        key = claimed.account_id, claimed.request_unique_identifier
        self._open.pop(key, None)
        self._begun[key] = claimed.begun_at
        try:
            yield
        except BaseException:
            self._leave_open(key, claimed.begun_at)
            raise
        finally:
            del self._begun[key]

    async def undecided(self, account_id: str, _external_ids: object) -> Echoes:
        """Say since when posts of an account may be replies."""
        if not self._knows_of_others:
            await self._learn_of_others()
            self._knows_of_others = True
        now = time.monotonic()
        self._open = {key: left for key, left in self._open.items() if left[1] > now}
        posting = [since for (owner, _), since in self._begun.items() if owner == account_id]
        left = {name: since for (owner, name), (since, _) in self._open.items() if owner == account_id}
        if left:
            # Whoever repeated it may have settled it elsewhere.
            posting += [left[name] for name in await self._claims.unsettled(account_id) if name in left]
        moments = [beginning(at, self._clock.now()) for at in posting]
        return Echoes(undecided_since=min(moments, default=None))

    async def _learn_of_others(self) -> None:
        """Wait for what others have left open, however long ago: nobody could repeat it while the service was away."""
        for account_id, identifier, begun_at in await self._claims.left_open():
            self._leave_open((account_id, identifier), begun_at)

    def _leave_open(self, key: tuple[str, str], since: datetime) -> None:
        self._open[key] = since, time.monotonic() + UNDECIDED.total_seconds()
