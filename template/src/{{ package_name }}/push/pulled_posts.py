"""Pulled posts: posts that a pull has handed to Zendesk, which are not pushed any more.

A pull's answer may get lost, and Zendesk asks again from where it was: what was only pulled is handed over again, and
what was pushed, which Zendesk has confirmed, is not.
"""

from collections.abc import Sequence

from sqlalchemy import insert, select, update

from ..core.database import Database
from ..core.messages import ExternalResource
from .outbox import Outbox, lock_account, outbox_table, thread_of


class PulledPosts:
    """They stand in the outbox, in a state of their own, so that the origin may tell of them as late as it likes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._outbox = Outbox(database)
        self._clock = database.clock

    async def hand_over(
        self, account_id: str, resources: Sequence[ExternalResource]
    ) -> list[ExternalResource]:
        """Leave out what Zendesk has been pushed, and see to it that the rest is not pushed."""
        if not resources:
            return []
        ids = [resource.external_id for resource in resources]
        pushed = await self._outbox.delivered(account_id, ids)
        pulled = [resource for resource in resources if resource.external_id not in pushed]
        await self.add(account_id, pulled)
        return pulled

    async def add(self, account_id: str, resources: Sequence[ExternalResource]) -> None:
        """Remember what is about to be handed over, and take it off what is still to be sent."""
        now = self._clock.now()
        pulled = {
            "state": "pulled",
            "resource": "",
            "size": 0,
            "settled_at": now,
            "parent_missing_since": None,
        }
        ids = {resource.external_id for resource in resources}
        parents = {resource.parent_id for resource in resources if resource.parent_id}
        async with self._database.writing() as connection:
            await lock_account(connection, account_id)
            found = await connection.execute(
                select(outbox_table.c.external_id, outbox_table.c.thread).where(
                    outbox_table.c.account_id == account_id, outbox_table.c.external_id.in_(ids | parents)
                )
            )
            threads = {row.external_id: row.thread for row in found}
            await connection.execute(
                update(outbox_table)
                .where(outbox_table.c.account_id == account_id, outbox_table.c.external_id.in_(ids))
                .where(outbox_table.c.state.in_(("waiting", "dead")))
                .values(pulled)
            )
            new = []
            for resource in resources:
                if resource.external_id in threads:
                    continue
                threads[resource.external_id] = thread_of(resource, threads)
                new.append(
                    pulled
                    | {
                        "account_id": account_id,
                        "external_id": resource.external_id,
                        "author_id": resource.author.external_id,
                        "parent_id": resource.parent_id,
                        "thread": threads[resource.external_id],
                        "attempts": 0,
                        "due_at": now,
                        "scheduled_at": now,
                        "accepted_at": now,
                    }
                )
            if new:
                await connection.execute(insert(outbox_table), new)
