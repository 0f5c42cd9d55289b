"""Offers: what the origin lets an admin choose for an account, field by field."""

from collections.abc import Sequence
from typing import Any

import structlog

from ..core.offers import Offer
from ..origin_protocol import Choice, OriginAccount, OriginProtocol

MOST_CHOICES = 1000
"""Of one field: nobody looks through more, and a browser has to hold them all."""

logger = structlog.get_logger()


class Offers:
    def __init__(self, origin: OriginProtocol[Any]) -> None:
        self._origin = origin

    async def for_account(self, account: OriginAccount[Any]) -> dict[str, Offer]:
        """Ask the origin. Raises what `OriginProtocol.choices` raises."""
        offered = await self._origin.choices(account)
        return {field: self._bounded(account.id, field, choices) for field, choices in offered.items()}

    def _bounded(self, account_id: str, field: str, choices: Sequence[Choice]) -> Offer:
        distinct = list({choice.value: choice for choice in choices}.values())
        if len(distinct) > MOST_CHOICES:
            logger.warning("choices left out", account=account_id, field=field, found=len(distinct))
        return Offer(distinct[:MOST_CHOICES], is_cut=len(distinct) > MOST_CHOICES)
