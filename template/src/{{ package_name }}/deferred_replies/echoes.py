"""Echoes: a reply that was tried, and will be tried again, may stand at the origin meanwhile (SVC-49)."""

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from ..channelback.claims import BEGINNING, UNSETTLED, beginning, claims_table
from ..core.database import Database
from ..core.echoes import Echoes
from .replies import deferred_replies_table

_claim, _reply = claims_table.c, deferred_replies_table.c
_TO_BE_TRIED_AGAIN = select(BEGINNING.label("begun")).where(
    _claim.account_id == bindparam("account_id"),
    UNSETTLED,
    select(_reply.id)
    .where(
        _reply.account_id == _claim.account_id,
        _reply.request_unique_identifier == _claim.request_unique_identifier,
        _reply.state == "waiting",
    )
    .exists(),
)


class EchoesOfDeferredReplies:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock

    async def undecided(self, account_id: str, _external_ids: Sequence[str]) -> Echoes:
        """Say since when posts may be such replies, however long it takes until the next try finds out."""
        rows = await self._database.rows(_TO_BE_TRIED_AGAIN, {"account_id": account_id})
        moments = [beginning(row.begun, self._clock.now()) for row in rows]
        return Echoes(undecided_since=min(moments, default=None))
