"""Pulled posts: posts that a pull has handed to Zendesk, which are not pushed any more.

A pull's answer may get lost, and Zendesk asks again from where it was: what was only pulled is handed over again, and
what was pushed, which Zendesk has confirmed, is not. Until Zendesk asks from behind a post, it may not have it: what
follows in its thread is not pushed before.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import insert, select, update

from ..core.database import Database
from ..core.messages import ExternalResource
from .outbox import Outbox, lock_account, outbox_table, thread_of

CONFIRMED_WITHIN = timedelta(minutes=5)
"""Zendesk asks every two minutes. If it does not, threads wait no longer."""

HANDED_OVER = "handed_over"
"""The state of a post in a pull's answer, which Zendesk may not have yet; `pulled` once it has."""


class PulledPosts:
    """They stand in the outbox, in a state of their own, so that the origin may tell of them as late as it likes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._outbox = Outbox(database)
        self._clock = database.clock

    async def hand_over(
        self, account_id: str, resources: Sequence[ExternalResource], is_whole: bool
    ) -> list[ExternalResource]:
        """Leave out what Zendesk has been pushed, and see to it that the rest is not pushed.

        Where the pull brings all that stands behind Zendesk's state, Zendesk has what it does not bring again.
        """
        ids = [resource.external_id for resource in resources]
        if is_whole:
            await self._confirm(account_id, ids)
        if not resources:
            return []
        pushed = await self._outbox.delivered(account_id, ids)
        pulled = [resource for resource in resources if resource.external_id not in pushed]
        await self.add(account_id, pulled)
        return pulled

    async def add(self, account_id: str, resources: Sequence[ExternalResource]) -> None:
        """Remember what is about to be handed over, and take it off what is still to be sent."""
        now = self._clock.now()
        pulled = {
            "state": HANDED_OVER,
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
                .where(outbox_table.c.state.in_(("waiting", "dead", HANDED_OVER, "pulled")))
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

    async def threads_on_their_way(self, account_id: str) -> set[str]:
        """The threads of which Zendesk may not have the last post yet."""
        query = select(outbox_table.c.thread).where(
            outbox_table.c.account_id == account_id,
            outbox_table.c.state == HANDED_OVER,
            outbox_table.c.settled_at > self._clock.now() - CONFIRMED_WITHIN,
        )
        return {row.thread for row in await self._database.rows(query)}

    async def _confirm(self, account_id: str, brought_again: Sequence[str]) -> None:
        confirmed = (
            outbox_table.c.account_id == account_id,
            outbox_table.c.state == HANDED_OVER,
            outbox_table.c.external_id.not_in(brought_again),
        )
        # Most pulls bring nothing, and find nothing to confirm.
        if await self._database.first(select(outbox_table.c.id).where(*confirmed).limit(1)):
            async with self._database.writing() as connection:
                await connection.execute(update(outbox_table).where(*confirmed).values(state="pulled"))
