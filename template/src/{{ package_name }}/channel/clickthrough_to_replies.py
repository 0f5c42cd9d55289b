"""Clickthrough where replies have an id of this service's making (SVC-49, SVC-53)."""

from typing import Any

from ..origin_protocol import OriginProtocol
from ..reply_ids import ReplyIds
from .clickthrough import ClickthroughEndpoint


class ClickthroughToRepliesEndpoint(ClickthroughEndpoint):
    def __init__(self, origin: OriginProtocol[Any], reply_ids: ReplyIds) -> None:
        super().__init__(origin)
        self._reply_ids = reply_ids

    async def _permalink(self, external_id: str) -> str | None:
        at_origin = await self._reply_ids.at_origin(external_id)
        return self._origin.permalink(at_origin) if at_origin else None
