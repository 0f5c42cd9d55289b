"""The sender's side of the outbox where agents reply: what the origin tells of may be their own words (SVC-49)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from .echoes import HELD, Echoes
from .outbox import IS_WAITING, outbox_table
from .outbox_queue import Message, OutboxQueue, Settlement
from .reply_ids import ReplyIds
from .store import Store

PAUSE = timedelta(seconds=1)
"""Until a post that was held back is looked at again."""


class OutboxQueueBesideReplies(OutboxQueue):
    def __init__(self, store: Store, echoes: Echoes, reply_ids: ReplyIds) -> None:
        super().__init__(store)
        self._echoes = echoes
        self._reply_ids = reply_ids

    async def due(self, account_id: str, limit: int, size: int) -> list[Message]:
        """What may be sent now, as always, but under the ids that Zendesk knows, and without agents' replies.

        While a reply is being posted, nobody knows its id: what the origin tells of meanwhile is held back, with its
        thread.
        """
        while messages := await super().due(account_id, limit, size):
            # In this order: a reply that is settled between the two looks is found by the second.
            doubtful = await self._doubtful(account_id, messages)
            echoes = await self._echoes.among(account_id, [message.external_id for message in messages])
            if not echoes and not doubtful:
                return await self._renamed(account_id, messages)
            await self._set_aside(account_id, messages, echoes, doubtful)
        return []

    async def _doubtful(self, account_id: str, messages: Sequence[Message]) -> list[int]:
        if not await self._echoes.possible(account_id):
            return []
        ids = [message.id for message in messages]
        query = select(outbox_table.c.id).where(
            outbox_table.c.id.in_(ids), outbox_table.c.accepted_at > datetime.now(UTC) - HELD
        )
        async with self._store.reading() as connection:
            return list(await connection.scalars(query))

    async def _set_aside(
        self, account_id: str, messages: Sequence[Message], echoes: set[str], doubtful: Sequence[int]
    ) -> None:
        settlements = [
            Settlement(message, "delivered", "an agent's reply, which Zendesk has")
            for message in messages
            if message.external_id in echoes
        ]
        async with self._store.writing() as connection:
            await self.settle(connection, account_id, settlements)
            await connection.execute(
                update(outbox_table)
                .where(outbox_table.c.id.in_(doubtful), IS_WAITING)
                .values(due_at=datetime.now(UTC) + PAUSE)
            )

    async def _renamed(self, account_id: str, messages: Sequence[Message]) -> list[Message]:
        ids = {name for message in messages for name in (message.external_id, message.parent_id) if name}
        known = await self._reply_ids.in_zendesk(account_id, ids)
        return [_as_zendesk_knows_it(message, known) for message in messages]


def _as_zendesk_knows_it(message: Message, known: Mapping[str, str]) -> Message:
    # Whether it still is a valid resource is looked at when it is sent.
    stored = json.loads(message.stored) if known else {}
    changes = {key: known[stored[key]] for key in ("external_id", "parent_id") if stored.get(key) in known}
    return replace(message, stored=json.dumps(stored | changes)) if changes else message
