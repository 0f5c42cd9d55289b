"""Posts that a pull has handed to Zendesk, which are not pushed any more.

A pull's answer may get lost, and Zendesk asks again from where it was: what was only pulled is handed over again, and
what was pushed, which Zendesk has confirmed, is not.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import insert, select, update

from .messages import ExternalResource
from .outbox import outbox_table, take_turns, thread_of
from .store import Store


class PulledPosts:
    """They stand in the outbox, in a state of their own, so that the origin may tell of them as late as it likes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, account_id: str, resources: Sequence[ExternalResource]) -> None:
        """Remember what is about to be handed over, and take it off what is still to be sent."""
        now = datetime.now(UTC)
        pulled = {
            "state": "pulled",
            "resource": "",
            "size": 0,
            "settled_at": now,
            "parent_missing_since": None,
        }
        ids = {resource.external_id for resource in resources}
        parents = {resource.parent_id for resource in resources if resource.parent_id}
        async with self._store.writing() as connection:
            await take_turns(connection, account_id)
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
                        "accepted_at": now,
                    }
                )
            if new:
                await connection.execute(insert(outbox_table), new)
