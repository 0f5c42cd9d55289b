"""Pull beside replies that Zendesk knows by another id than the origin (SVC-49)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from ..accounts import Account, Accounts
from ..cursor import Cursor
from ..echoes import Echoes
from ..journal import Journal
from ..metrics import Metrics
from ..origin_protocol import OriginProtocol
from ..outbox import Outbox
from ..pulled_posts import PulledPosts
from ..reply_ids import ReplyIds
from .files import FileLinks
from .pull import Batch
from .pull_beside_push import PullBesidePushEndpoint

PATIENCE = timedelta(seconds=5)
"""How long a pull waits for a reply that is just being posted, and may be among the posts."""

POLL = 0.1
"""Seconds between two looks."""


class PullBesideRepliesEndpoint(PullBesidePushEndpoint):
    def __init__(
        self,
        accounts: Accounts[Any],
        origin: OriginProtocol[Any],
        journal: Journal,
        links: FileLinks,
        metrics: Metrics,
        deadline: timedelta,
        outbox: Outbox,
        pulled: PulledPosts,
        echoes: Echoes,
        reply_ids: ReplyIds,
    ) -> None:
        super().__init__(accounts, origin, journal, links, metrics, deadline, outbox, pulled)
        self._echoes = echoes
        self._reply_ids = reply_ids

    async def _hand_over(self, account: Account, batch: Batch, start: Cursor) -> None:
        if batch.resources and not await self._all_known(account.id):
            # Under which id Zendesk knows a post is open: the next pull begins where this one did.
            batch.resources, batch.cursor, batch.outcome = [], start, "cut short"
        await super()._hand_over(account, batch, start)
        batch.resources = await self._reply_ids.to_zendesk(account.id, batch.resources)

    async def _all_known(self, account_id: str) -> bool:
        read_at = datetime.now(UTC)
        while await self._echoes.late_reply_open(account_id, read_at):
            if datetime.now(UTC) > read_at + PATIENCE:
                return False
            await asyncio.sleep(POLL)
        return True
