"""Echoes: which of the origin's posts are agents' replies, by the claims."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, func, or_, select, union_all

from ..core.database import Database
from ..core.echoes import Echoes
from ..core.membership import is_among
from ..core.waits import LATEST, at, is_ahead
from .claims import BEGINNING, UNSETTLED, claims_table, further_posts_table

UNDECIDED = timedelta(minutes=2)
"""How long after its last try began a reply whose outcome is unknown may still show as a new post."""


class EchoesOfReplies:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock

    async def among(self, account_id: str, external_ids: Sequence[str]) -> Echoes:
        """Say which posts are replies, and since when others may be: posts of an open claim have no id yet."""
        # In this order: a reply that is settled between the two queries is found by the second.
        since = await self._undecided_since(account_id)
        found = await self._database.rows(_AMONG, {"account_id": account_id, "ids": list(external_ids)})
        return Echoes(frozenset(row.external_id for row in found), since)

    async def _undecided_since(self, account_id: str) -> datetime | None:
        now = self._clock.now()
        parameters = at(now) | {"account_id": account_id, "lately": now - UNDECIDED}
        first = await self._database.first(_UNDECIDED, parameters)
        return first.at if first else None


_claim, _further = claims_table.c, further_posts_table.c
_AMONG = union_all(
    select(_claim.external_id).where(
        _claim.account_id == bindparam("account_id"),
        is_among(_claim.external_id, "ids"),
        _claim.state == "posted",
    ),
    select(_further.external_id).where(
        _further.account_id == bindparam("account_id"),
        is_among(_further.external_id, "ids"),
    ),
)
_UNDECIDED = (
    select(func.min(BEGINNING).label("at"))
    .where(_claim.account_id == bindparam("account_id"), UNSETTLED)
    .where(
        or_(
            and_(_claim.state == "posting", is_ahead(_claim.claimed_until, _claim.at)),
            _claim.at.between(bindparam("lately"), LATEST),
        )
    )
)
