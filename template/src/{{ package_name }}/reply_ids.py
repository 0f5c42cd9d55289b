"""What the origin and Zendesk call the same reply, where they call it differently (SVC-49)."""

from collections.abc import Collection, Sequence

from sqlalchemy import select

from .late_replies import late_replies_table
from .messages import ChannelbackRequest, ExternalResource
from .store import Store


class ReplyIds:
    """Ids of posts that are no late replies, which are nearly all, stay as they are."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def to_zendesk(
        self, account_id: str, resources: Sequence[ExternalResource]
    ) -> list[ExternalResource]:
        """Have replies, and what answers them, carry the ids that Zendesk knows."""
        ids = {name for resource in resources for name in (resource.external_id, resource.parent_id) if name}
        known = await self.in_zendesk(account_id, ids)
        return [
            resource.model_copy(
                update={
                    "external_id": known.get(resource.external_id, resource.external_id),
                    "parent_id": known.get(resource.parent_id or "", resource.parent_id),
                }
            )
            for resource in resources
        ]

    async def in_zendesk(self, account_id: str, origin_ids: Collection[str]) -> dict[str, str]:
        """What Zendesk calls those of the origin's posts that are late replies."""
        query = select(late_replies_table.c.origin_id, late_replies_table.c.external_id).where(
            late_replies_table.c.account_id == account_id, late_replies_table.c.origin_id.in_(origin_ids)
        )
        async with self._store.reading() as connection:
            return {row.origin_id: row.external_id for row in await connection.execute(query)}

    async def to_origin(self, request: ChannelbackRequest) -> ChannelbackRequest:
        """Have an agent's reply name what it answers as the origin does."""
        return request.model_copy(
            update={
                "parent_id": await self.at_origin(request.parent_id),
                "thread_id": await self.at_origin(request.thread_id),
            }
        )

    async def at_origin(self, external_id: str) -> str:
        """What the origin calls a post; empty for a reply that has not been posted."""
        query = select(late_replies_table.c.origin_id).where(late_replies_table.c.external_id == external_id)
        async with self._store.reading() as connection:
            found = (await connection.execute(query)).one_or_none()
        return (found.origin_id or "") if found else external_id
