"""Pulled posts: posts that a pull has handed to Zendesk, which are not pushed any more.

A pull's answer may get lost, and Zendesk asks again from where it was: what was only pulled is handed over again, and
what was pushed, which Zendesk has confirmed, is not. Until Zendesk asks from behind a post, it may not have it: what
follows in its thread is not pushed before.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from ..core.database import Database
from ..core.membership import is_among
from ..core.messages import ExternalResource
from ..core.transaction import Transaction
from .outbox import ADD, IS_HANDED_OVER, lock_account, outbox_table, thread_of

CONFIRMED_WITHIN = timedelta(minutes=5)
"""Zendesk asks every two minutes. If it does not, threads wait no longer."""

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)

TAKEN_OFF = ("waiting", "dead", "handed_over", "pulled")
"""The states of what is not pushed once it is pulled."""

HANDED_OVER = "handed_over"
"""The state of a post in a pull's answer, which Zendesk may not have yet; `pulled` once it has."""


class PulledPosts:
    """They stand in the outbox, in a state of their own, so that the origin may tell of them as late as it likes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock
        self._begun = time.monotonic()
        self._handed_over: dict[str, float] = {}

    async def hand_over(
        self, account_id: str, resources: Sequence[ExternalResource], is_whole: bool
    ) -> list[ExternalResource]:
        """Leave out what Zendesk has been pushed, and see to it that the rest is not pushed.

        Where the pull brings all that stands behind Zendesk's state, Zendesk has what it does not bring again.
        """
        on_their_way = await self._database.rows(_HANDED_OVER, {"account": account_id}) if is_whole else ()
        again = {resource.external_id for resource in resources}
        confirmed = [row.id for row in on_their_way if row.external_id not in again]
        # Most pulls bring nothing, and find nothing to confirm.
        if not resources:
            self._handed_over.pop(account_id, None)
        if not confirmed and not resources:
            return []
        async with self._database.writing() as connection:
            await lock_account(connection, account_id)
            if confirmed:
                await connection.execute(_CHANGE, {"ids": confirmed, "state": "pulled"})
            if not resources:
                return []
            self._handed_over[account_id] = time.monotonic()
            known = {row.external_id: row for row in on_their_way}
            return await self._take_off(connection, account_id, resources, known)

    async def _take_off(
        self,
        connection: Transaction,
        account_id: str,
        resources: Sequence[ExternalResource],
        known: dict[str, Row[Any]],
    ) -> list[ExternalResource]:
        """Remember what is about to be handed over, and take it off what is still to be sent."""
        names = {
            name for resource in resources for name in (resource.external_id, resource.parent_id) if name
        }
        if unknown := list(names - known.keys()):
            found = await connection.execute(_KNOWN, {"account": account_id, "ids": unknown})
            known |= {row.external_id: row for row in found}
        handed_over = [
            resource
            for resource in resources
            if resource.external_id not in known or known[resource.external_id].state != "delivered"
        ]
        now = self._clock.now()
        pulled = {
            "state": HANDED_OVER,
            "resource": "",
            "size": 0,
            "settled_at": now,
            "parent_missing_since": None,
        }
        here = [known[resource.external_id] for resource in handed_over if resource.external_id in known]
        if ours := [row.id for row in here if row.state in TAKEN_OFF]:
            await connection.execute(_CHANGE, pulled | {"ids": ours})
        threads = {name: row.thread for name, row in known.items()}
        new = []
        for resource in handed_over:
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
            await connection.execute(ADD, new)
        return handed_over

    async def threads_on_their_way(self, account_id: str) -> set[str]:
        """The threads of which Zendesk may not have the last post yet."""
        # The clock may be set right meanwhile, which is no time that Zendesk has had. What this process knows nothing
        # of may have been handed over just before it began.
        handed_over = self._handed_over.get(account_id, self._begun)
        is_recent = time.monotonic() - handed_over < CONFIRMED_WITHIN.total_seconds()
        since = LONG_AGO if is_recent else self._clock.now() - CONFIRMED_WITHIN
        parameters = {"account": account_id, "since": since}
        return {row.thread for row in await self._database.rows(_ON_THEIR_WAY, parameters)}


_of_account = outbox_table.c.account_id == bindparam("account")
_POSTS = select(
    outbox_table.c.id, outbox_table.c.external_id, outbox_table.c.state, outbox_table.c.thread
).where(_of_account)
_HANDED_OVER = _POSTS.where(IS_HANDED_OVER)
_KNOWN = _POSTS.where(is_among(outbox_table.c.external_id, "ids"))
_ON_THEIR_WAY = select(outbox_table.c.thread).where(
    _of_account,
    IS_HANDED_OVER,
    outbox_table.c.settled_at > bindparam("since"),
)
_CHANGE = update(outbox_table).where(is_among(outbox_table.c.id, "ids"))
