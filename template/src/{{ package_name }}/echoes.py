"""Agents' replies that the origin tells of as it does of customers' posts: Zendesk has them already."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select

from .late_replies import late_replies_table
from .ledger import requests_table
from .store import Store

HELD = timedelta(minutes=2)
"""How long a post is held back at most because it may be a reply whose posting has not been settled."""


class Echoes:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def possible(self, account_id: str) -> bool:
        """Whether a reply of the account is being posted, or may have been posted a short while ago."""
        query = select(exists().where(requests_table.c.account_id == account_id, _open(datetime.now(UTC))))
        async with self._store.reading() as connection:
            return bool(await connection.scalar(query))

    async def among(self, account_id: str, external_ids: Sequence[str]) -> set[str]:
        """Those of the posts that are replies."""
        query = select(requests_table.c.external_id).where(
            requests_table.c.account_id == account_id,
            requests_table.c.external_id.in_(external_ids),
            requests_table.c.state == "posted",
        )
        async with self._store.reading() as connection:
            return set(await connection.scalars(query))

    async def late_reply_open(self, account_id: str, accepted_before: datetime) -> bool:
        """Whether that is so of a late reply, by whose id at the origin Zendesk would not recognise it."""
        late = late_replies_table.c
        claim = requests_table.c
        query = select(
            exists()
            .where(late.account_id == account_id, late.accepted_at <= accepted_before)
            .where(claim.account_id == late.account_id)
            .where(claim.request_unique_identifier == late.request_unique_identifier)
            .where(_open(datetime.now(UTC)))
        )
        async with self._store.reading() as connection:
            return bool(await connection.scalar(query))


def _open(now: datetime) -> ColumnElement[bool]:
    claim = requests_table.c
    return or_(
        and_(claim.state == "posting", claim.claimed_until > now),
        and_(claim.state.in_(("posting", "unknown")), claim.at > now - HELD),
    )
