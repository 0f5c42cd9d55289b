"""Channelback where replies may be answered before they are posted (SVC-51)."""

import uuid
from typing import Any

from ..accounts import Account, Accounts, UnknownAccountError
from ..connections import Connections
from ..engine import Engine
from ..late_posting import LatePosting
from ..late_replies import LateReplies
from ..messages import ChannelbackRequest
from ..metrics import Metrics
from ..posting import Posting, idempotency_key
from ..reply_ids import ReplyIds
from ..trust import UntrustedError
from .channelback import ChannelbackEndpoint


class ChannelbackAtOnceEndpoint(ChannelbackEndpoint):
    """An account that cannot be told of a failure later gets its answers after posting, whatever is set."""

    def __init__(
        self,
        accounts: Accounts[Any],
        posting: Posting,
        metrics: Metrics,
        replies: LateReplies,
        reply_ids: ReplyIds,
        connections: Connections,
        engine: Engine,
        *,
        at_once: bool,
    ) -> None:
        super().__init__(accounts, posting, metrics)
        self._replies = replies
        self._reply_ids = reply_ids
        self._connections = connections
        self._engine = engine
        self._at_once = at_once

    async def _post_once(self, account: Account, configuration: Any, channelback: ChannelbackRequest) -> str:
        identifier = channelback.request_unique_identifier or str(uuid.uuid4())
        if promised := await self._replies.promised(account.id, identifier):
            self._metrics.replies.labels("repeat answered").inc()
            return promised
        # What was begun one way is ended that way, whatever the setting has become.
        begun = await self._replies.knows(account.id, identifier)
        if begun or not (self._at_once and await self._can_be_told(account)):
            request = await self._reply_ids.to_origin(channelback)
            return await super()._post_once(account, configuration, request)
        external_id = f"reply:{idempotency_key(account.id, identifier)}"
        await self._replies.accept(account.id, identifier, external_id, channelback)
        self._metrics.replies.labels("answered at once").inc()
        await self._engine.wake(LatePosting.name, account.id)
        return external_id

    async def _can_be_told(self, account: Account) -> bool:
        try:
            connection = await self._connections.of(account.id)
        except (UnknownAccountError, UntrustedError):
            return False
        return connection.usable_credentials is not None
