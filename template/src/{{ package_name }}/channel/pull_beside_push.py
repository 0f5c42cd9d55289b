"""Pull beside push: each post reaches Zendesk once, whichever is first."""

from datetime import timedelta
from typing import Any

from ..accounts import Account, Accounts
from ..cursor import Cursor
from ..journal import Journal
from ..metrics import Metrics
from ..origin_protocol import OriginProtocol
from ..outbox import Outbox
from ..pulled_posts import PulledPosts
from .files import FileLinks
from .pull import Batch, PullEndpoint


class PullBesidePushEndpoint(PullEndpoint):
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
    ) -> None:
        super().__init__(accounts, origin, journal, links, metrics, deadline)
        self._outbox = outbox
        self._pulled = pulled

    async def _collect(self, account: Account, configuration: Any, batch: Batch) -> None:
        start = batch.cursor
        await super()._collect(account, configuration, batch)
        await self._hand_over(account, batch, start)

    async def _hand_over(self, account: Account, batch: Batch, start: Cursor) -> None:
        """Leave out what Zendesk has been pushed, and see to it that the rest is not pushed; `start` is where the pull began."""
        ids = [resource.external_id for resource in batch.resources]
        pushed = await self._outbox.delivered(account.id, ids)
        batch.resources = [resource for resource in batch.resources if resource.external_id not in pushed]
        await self._pulled.add(account.id, batch.resources)
