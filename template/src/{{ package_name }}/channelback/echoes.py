"""Echoes: which of the origin's posts are agents' replies, by the claims."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, union_all

from ..core.clock import JITTER
from ..core.database import Database
from ..core.echoes import Echoes
from ..core.waits import is_ahead
from .claims import claims_table, further_posts_table

UNDECIDED = timedelta(minutes=2)
"""How long after its beginning a posting whose outcome is unknown may still show as a new post."""

CLOCKS_APART = timedelta(minutes=1)
"""How much the origin's clock may be behind."""


class EchoesOfReplies:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock

    async def among(self, account_id: str, external_ids: Sequence[str]) -> Echoes:
        """Say which posts are replies, and since when others may be: posts of an open claim have no id yet."""
        # In this order: a reply that is settled between the two queries is found by the second.
        since = await self._undecided_since(account_id)
        query = union_all(
            select(claims_table.c.external_id).where(
                claims_table.c.account_id == account_id,
                claims_table.c.external_id.in_(external_ids),
                claims_table.c.state == "posted",
            ),
            select(further_posts_table.c.external_id).where(
                further_posts_table.c.account_id == account_id,
                further_posts_table.c.external_id.in_(external_ids),
            ),
        )
        found = await self._database.rows(query)
        return Echoes(frozenset(row.external_id for row in found), since)

    async def _undecided_since(self, account_id: str) -> datetime | None:
        now = self._clock.now()
        claim = claims_table.c
        query = (
            select(claim.at)
            .where(claim.account_id == account_id)
            .where(
                or_(
                    and_(claim.state == "posting", is_ahead(claim.claimed_until, claim.at, now)),
                    and_(
                        claim.state.in_(("posting", "unknown")),
                        claim.at.between(now - UNDECIDED, now + JITTER),
                    ),
                )
            )
            .order_by(claim.at)
            .limit(1)
        )
        first = await self._database.first(query)
        # A clock that was ahead may have made the claim.
        return min(first.at, now) - CLOCKS_APART if first else None
