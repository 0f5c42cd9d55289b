"""Agents' replies, each posted once, however often Zendesk repeats the request (SVC-48).

A reply is claimed before it is posted and its answer is stored after. Whoever finds a claim that is still running
waits; whoever finds one that ran out, or one whose outcome is unknown, takes it over and must first find out
whether the reply was posted.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, ForeignKey, String, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from .store import Line, Store, UtcDateTime, tables

requests_table = Table(
    "channelback_requests",
    tables,
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("request_unique_identifier", String(255), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("claim", String(36), nullable=False),
    Column("claimed_until", UtcDateTime, nullable=False),
    Column("external_id", String(255)),
    Column("detail", Line(500), nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """The reply is ours to post; `interrupted` if an earlier try may already have posted it."""

    account_id: str
    request_unique_identifier: str
    claim: str
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """The reply has been posted under this external id."""

    external_id: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody is posting it right now."""


@dataclass(frozen=True, slots=True)
class ReplyRecord:
    """One reply for people to look at. `state` is posting, posted, failed (it was not posted) or unknown."""

    account_id: str
    request_unique_identifier: str
    state: str
    external_id: str | None
    detail: str
    at: datetime


class Ledger:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def claim(
        self, account_id: str, request_unique_identifier: str, lease: timedelta
    ) -> Claimed | Answered | Busy:
        """Claim a reply for at most `lease`, in which the caller must have settled it."""
        now = datetime.now(UTC)
        ours = {
            "state": "posting",
            "claim": str(uuid.uuid4()),
            "claimed_until": now + lease,
            "at": now,
            "detail": "",
        }
        key = {"account_id": account_id, "request_unique_identifier": request_unique_identifier}
        try:
            async with self._store.writing() as connection:
                await connection.execute(insert(requests_table).values(key | ours))
        except IntegrityError:
            async with self._store.writing() as connection:
                return await self._take_over(connection, key, ours, now)
        return Claimed(**key, claim=str(ours["claim"]), interrupted=False)

    async def settle(self, claimed: Claimed, external_id: str) -> None:
        """The reply has been posted under this id."""
        async with self._store.writing() as connection:
            await self._settle(connection, claimed, external_id)

    async def release(self, claimed: Claimed, detail: str) -> None:
        """The reply was certainly not posted: a repeat may try again."""
        async with self._store.writing() as connection:
            await self._finish(connection, claimed, {"state": "failed", "detail": detail})

    async def leave_unknown(self, claimed: Claimed, detail: str) -> None:
        """The reply may have been posted: a repeat must find out first."""
        async with self._store.writing() as connection:
            await self._finish(connection, claimed, {"state": "unknown", "detail": detail})

    async def last(self, limit: int) -> list[ReplyRecord]:
        """The newest first."""
        columns = [requests_table.c[name] for name in ReplyRecord.__slots__]
        async with self._store.reading() as connection:
            rows = await connection.execute(
                select(*columns).order_by(requests_table.c.at.desc()).limit(limit)
            )
            return [ReplyRecord(**row._asdict()) for row in rows]

    async def forget(self, older_than: timedelta) -> None:
        """Drop requests so old that Zendesk will not repeat them any more."""
        async with self._store.writing() as connection:
            await connection.execute(
                delete(requests_table).where(requests_table.c.at < datetime.now(UTC) - older_than)
            )

    async def _take_over(
        self, connection: AsyncConnection, key: dict[str, str], ours: dict[str, Any], now: datetime
    ) -> Claimed | Answered | Busy:
        row = (await connection.execute(select(requests_table).where(*_is(key)).with_for_update())).one()
        if row.state == "posted":
            return Answered(row.external_id)
        if row.state == "posting" and row.claimed_until > now:
            return Busy()
        await connection.execute(update(requests_table).where(*_is(key)).values(ours))
        return Claimed(**key, claim=ours["claim"], interrupted=row.state != "failed")

    async def _settle(self, connection: AsyncConnection, claimed: Claimed, external_id: str) -> bool:
        posted = {"state": "posted", "external_id": external_id, "detail": ""}
        return await self._finish(connection, claimed, posted)

    async def _finish(self, connection: AsyncConnection, claimed: Claimed, values: dict[str, str]) -> bool:
        """Write down the end of a claim, unless another has taken it over."""
        key = {
            "account_id": claimed.account_id,
            "request_unique_identifier": claimed.request_unique_identifier,
            "claim": claimed.claim,
        }
        finished = await connection.execute(update(requests_table).where(*_is(key)).values(values))
        return bool(finished.rowcount)


def _is(key: dict[str, str]) -> list[ColumnElement[bool]]:
    return [requests_table.c[column] == value for column, value in key.items()]
