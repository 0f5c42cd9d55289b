"""Echoes: agents' replies are left out of pulls, and what may become one is held back until that is known (SVC-49)."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from ..core.clock import JITTER, Clock
from ..core.echoes import ECHO_CHECKS, check
from ..core.hooks import Hooks
from ..core.messages import ExternalResource
from .batch import Batch

PATIENCE = 5.0
"""Seconds that a pull waits for a reply that is just being posted, and may be among the posts."""

POLL = 0.1
"""Seconds between two looks."""

CLOCKS_APART = timedelta(days=1)
"""How much the origin's clock may be behind, as that of an origin is which takes its own zone's time for UTC."""

KEPT = timedelta(hours=1)
"""How long it is remembered when a post was seen first."""


class HeldBack:
    """Remembers when posts were first seen that were held back: no reply that was begun later is one of them.

    So each waits for some replies only, however many others follow. Another process holds it back anew.
    """

    def __init__(self, hooks: Hooks, clock: Clock) -> None:
        self._hooks = hooks
        self._clock = clock
        self._seen: dict[str, Mapping[str, datetime]] = {}

    async def leave_out_echoes(self, account_id: str, batch: Batch, end: float) -> None:
        """Leave out agents' replies, and end before posts that may be replies whose posting is not settled.

        Those are waited for a little, but not beyond `end`, a time of the event loop.
        """
        if not batch.resources:
            return
        loop = asyncio.get_running_loop()
        end = min(end, loop.time() + PATIENCE)
        seen = self._first_seen(account_id, batch)
        checks, ids = self._hooks[ECHO_CHECKS], list(seen)
        echoes = await check(checks, account_id, ids)
        while (held := _held(batch, seen, echoes.undecided_since) - echoes.ids) and loop.time() < end:
            await asyncio.sleep(POLL)
            echoes = await check(checks, account_id, ids)
        kept: list[ExternalResource] = []
        for resource, before in zip(batch.resources, batch.before, strict=True):
            if resource.external_id in held:
                batch.position, batch.outcome = before, "cut short"
                self._seen[account_id] = seen
                break
            if resource.external_id not in echoes.ids:
                kept.append(resource)
        batch.resources = kept

    def _first_seen(self, account_id: str, batch: Batch) -> dict[str, datetime]:
        now = self._clock.now()
        self._seen = {
            account: seen for account, seen in self._seen.items() if max(seen.values()) > now - KEPT
        }
        known = self._seen.pop(account_id, {})
        # A clock that was ahead may have seen it in the future.
        return {
            resource.external_id: min(known.get(resource.external_id, now), now)
            for resource in batch.resources
        }


def _held(batch: Batch, seen: Mapping[str, datetime], since: datetime | None) -> set[str]:
    """Name the posts that may be replies which somebody began to post at that time or later."""
    if since is None:
        return set()
    return {
        resource.external_id
        for resource in batch.resources
        if resource.created_at > since - CLOCKS_APART and seen[resource.external_id] > since - JITTER
    }
