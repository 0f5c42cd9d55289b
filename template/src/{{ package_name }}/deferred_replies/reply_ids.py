"""Reply ids: what Zendesk and the origin call the same reply, where they call it differently (SVC-49)."""

from collections.abc import Collection

from sqlalchemy import bindparam, select

from ..core.database import Database
from ..core.membership import is_among
from .replies import PREFIX, deferred_replies_table


class ReplyIds:
    """Ids of posts that are no deferred replies, which are nearly all, stay as they are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def in_zendesk(self, account_id: str, origin_ids: Collection[str]) -> dict[str, str]:
        """What Zendesk calls those of the origin's posts that are deferred replies."""
        if not origin_ids:
            return {}
        found = await self._database.rows(_IN_ZENDESK, {"account_id": account_id, "ids": list(origin_ids)})
        return {row.origin_id: row.external_id for row in found}

    async def at_origin(self, external_id: str) -> str:
        """What the origin calls a post; empty for a reply that has not been posted."""
        if not external_id.startswith(PREFIX):
            return external_id
        found = await self._database.first(
            select(deferred_replies_table.c.origin_id).where(
                deferred_replies_table.c.external_id == external_id
            )
        )
        return (found.origin_id or "") if found else external_id


_IN_ZENDESK = select(deferred_replies_table.c.origin_id, deferred_replies_table.c.external_id).where(
    deferred_replies_table.c.account_id == bindparam("account_id"),
    is_among(deferred_replies_table.c.origin_id, "ids"),
)
