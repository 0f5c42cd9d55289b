"""Intake: posts that the origin tells of are converted and stored in the outbox, and the sender is woken."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..core.conversion import Conversion, Converted, Quarantined, log_quarantined
from ..core.jobs.runner import JobRunner
from ..core.messages import ExternalResource, parents_first
from ..origin_protocol import OriginAccount
from .outbox import Outbox
from .sender import Sender

ITEMS_IN_A_ROW = 100
"""After as many posts other requests have their turn."""

ITEMS_IN_A_PART = 1000


@dataclass(frozen=True, slots=True)
class Taken:
    """How many posts were new, how many were quarantined, and how many could be sent at all."""

    new: int
    quarantined: int
    valid: int


class Intake:
    def __init__(self, conversion: Conversion, outbox: Outbox, runner: JobRunner) -> None:
        self._conversion = conversion
        self._outbox = outbox
        self._runner = runner

    async def take(
        self, account: OriginAccount[Any], items: Sequence[Any], delivery: str, *, may_push: bool = True
    ) -> Taken:
        """Store the posts of one delivery, which is the same whenever the origin repeats it.

        They wait, without anybody being woken, while the account may not push.

        Raises CredentialsRejectedError or OriginUnavailableError when the origin failed while something was looked up;
        nothing is stored then.
        """
        resources: list[ExternalResource] = []
        quarantined: list[Quarantined] = []
        for number, item in enumerate(items):
            if number % ITEMS_IN_A_ROW == 0:
                await asyncio.sleep(0)
            match await self._conversion.convert(account, item):
                case Quarantined() as entry:
                    quarantined.append(entry)
                case Converted(resource):
                    resources.append(resource)
        log_quarantined(account.id, quarantined)
        new = await self._outbox.accept(account.id, delivery, parents_first(resources), quarantined)
        if new and may_push:
            await self._runner.wake(Sender.name, account.id)
        return Taken(new, len(quarantined), len(resources))

    async def take_in_parts(self, account: OriginAccount[Any], items: Sequence[Any]) -> None:
        """Store any number of posts that no delivery holds together; what was stored is known when it comes again."""
        for start in range(0, len(items), ITEMS_IN_A_PART):
            await self.take(account, items[start : start + ITEMS_IN_A_PART], f"part {uuid.uuid4()}")
