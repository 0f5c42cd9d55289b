"""Deferred replies: answered at once, posted later (SVC-51).

A reply is stored before Zendesk gets its answer, and its claim sees to it that it is posted once:

    waiting → posted                    it stands at the origin
            → failed → reported         it does not, and the agent is told
                     → unreported       it does not, and Zendesk would not hear of it

Zendesk knows such a reply by an id of this service's making, which says to which post of the origin it belongs for as
long as the reply is kept (SVC-49).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from ..channelback.messages import ChannelbackRequest
from ..core.database import Bound, Database, Line, UtcDateTime, tables
from ..core.keyset import Keyset
from ..core.leases import Leases, unavailable
from ..core.skip_scan import each_once
from ..core.transaction import Transaction
from ..core.waits import at, is_ahead

PREFIX = "reply:"
"""Every id begins so under which Zendesk is told to know a reply before the origin has named it."""

deferred_replies_table = Table(
    "deferred_replies",
    tables,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("request_unique_identifier", String(255), nullable=False),
    Column("external_id", String(255), nullable=False),
    Column("origin_id", String(255)),
    Column("thread", String(511), nullable=False),
    Column("request", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("detail", Line(511), nullable=False),
    Column("accepted_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("scheduled_at", UtcDateTime),
    Column("settled_at", UtcDateTime),
    UniqueConstraint(
        "account_id", "request_unique_identifier", name="uq_deferred_replies_account_id_request"
    ),
    UniqueConstraint("external_id", name="uq_deferred_replies_external_id"),
    Index("ix_deferred_replies_account_id_origin_id", "account_id", "origin_id"),
    Index("ix_deferred_replies_state_settled_at", "state", "settled_at"),
    Index("ix_deferred_replies_account_id_id", "account_id", "id"),
    info={"bound": Bound.time},
)

DEFERRED_REPLIES = Keyset(deferred_replies_table.c.id)


_IS = (
    deferred_replies_table.c.account_id == bindparam("of_account"),
    deferred_replies_table.c.request_unique_identifier == bindparam("of_request"),
)
_PROMISED = select(deferred_replies_table.c.external_id).where(*_IS)
_WRITE = update(deferred_replies_table).where(*_IS)

OPEN: ColumnElement[bool] = literal_column("state IN ('waiting', 'failed')")
"""In these states something is still to be done. They are written into the SQL: the index serves only who says so."""

_IS_PUT_OFF = is_ahead(deferred_replies_table.c.due_at, deferred_replies_table.c.scheduled_at)
_owing = each_once(deferred_replies_table.c.account_id, OPEN)
_ACCOUNTS_DUE = select(_owing.c.value.label("account_id")).where(
    select(deferred_replies_table.c.id)
    .where(deferred_replies_table.c.account_id == _owing.c.value, OPEN, ~_IS_PUT_OFF)
    .exists(),
    ~unavailable(_owing.c.value),
)

Index(
    "ix_deferred_replies_open",
    deferred_replies_table.c.account_id,
    deferred_replies_table.c.id,
    sqlite_where=OPEN,
    postgresql_where=OPEN,
)


@dataclass(frozen=True, slots=True)
class DeferredReply:
    """`since` is when it was accepted or, once it has failed, when it did."""

    id: int
    account_id: str
    request_unique_identifier: str
    external_id: str
    request: ChannelbackRequest
    state: str
    tries: int
    detail: str
    since: datetime


@dataclass(frozen=True, slots=True)
class DeferredReplyRecord:
    """One deferred reply for people to look at."""

    id: int
    account_id: str
    external_id: str
    origin_id: str | None
    state: str
    tries: int
    detail: str
    accepted_at: datetime


class DeferredReplies:
    """Keeps what has been promised to Zendesk."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._clock = database.clock

    async def accept(
        self, account_id: str, identifier: str, external_id: str, request: ChannelbackRequest
    ) -> None:
        """Keep a reply that Zendesk is told to know as `external_id`; one that was accepted before changes nothing."""
        now = self._clock.now()
        values = {
            "account_id": account_id,
            "request_unique_identifier": identifier,
            "external_id": external_id,
            "thread": request.thread_id or request.parent_id or request.recipient_id,
            "request": request.model_copy(update={"metadata": ""}).model_dump_json(),
            "state": "waiting",
            "tries": 0,
            "detail": "",
            "accepted_at": now,
            "due_at": now,
            "scheduled_at": now,
        }
        try:
            async with self._database.writing() as connection:
                await connection.execute(insert(deferred_replies_table).values(values))
        except IntegrityError:
            if await self.promised(account_id, identifier) is None:
                raise

    async def promised(self, account_id: str, identifier: str) -> str | None:
        """The id under which Zendesk was told to know the reply, if it was accepted to be posted later."""
        found = await self._database.first(_PROMISED, {"of_account": account_id, "of_request": identifier})
        return found.external_id if found else None

    async def accounts_due(self, leases: Leases) -> list[str]:
        """Accounts that have something to post or to report now, and that nobody is at work for."""
        due = await self._database.rows(_ACCOUNTS_DUE, leases.at(self._clock.now()))
        return [row.account_id for row in due]

    async def next(self, account_id: str) -> DeferredReply | None:
        """The first that may be posted or reported now; one that has to wait holds up its own thread."""
        now = self._clock.now()
        query = (
            select(deferred_replies_table, _IS_PUT_OFF.label("put_off"))
            .where(deferred_replies_table.c.account_id == account_id, OPEN)
            .order_by(deferred_replies_table.c.id)
        )
        held: set[str] = set()
        async with self._database.reading() as connection:
            for row in await connection.execute(query, at(now)):
                waiting = row.state == "waiting"
                if row.put_off:
                    held |= {row.thread} if waiting else set()
                elif not waiting or row.thread not in held:
                    return DeferredReply(
                        id=row.id,
                        account_id=row.account_id,
                        request_unique_identifier=row.request_unique_identifier,
                        external_id=row.external_id,
                        request=ChannelbackRequest.model_validate_json(row.request),
                        state=row.state,
                        tries=row.tries,
                        detail=row.detail,
                        since=min(row.settled_at or row.accepted_at, now),
                    )
        return None

    async def postpone(self, reply: DeferredReply, due_at: datetime, detail: str) -> None:
        """Try again at that time."""
        # The beginning is written again, lest it lie in the future of a clock that was ahead.
        beginning = "accepted_at" if reply.state == "waiting" else "settled_at"
        await self._change(
            reply,
            due_at=due_at,
            scheduled_at=self._clock.now(),
            tries=reply.tries + 1,
            detail=detail,
            **{beginning: reply.since},
        )

    async def fail(self, reply: DeferredReply, description: str) -> None:
        """Give up posting; the description is what the agent is to be told."""
        now = self._clock.now()
        await self._change(
            reply,
            state="failed",
            tries=0,
            detail=description,
            due_at=now,
            scheduled_at=now,
            settled_at=now,
        )

    async def close(self, reply: DeferredReply, state: str, detail: str) -> None:
        """Give up, or be done with, reporting that a reply failed: `reported` or `unreported`."""
        await self._change(reply, state=state, detail=detail, request="")

    async def posted(self, account_id: str, identifier: str, origin_id: str) -> None:
        """The reply stands at the origin under this id."""
        async with self._database.writing() as connection:
            await self.record_posted(connection, account_id, identifier, origin_id)

    async def record_posted(
        self, connection: Transaction, account_id: str, identifier: str, origin_id: str
    ) -> None:
        """Do the same in the transaction that settles the claim: no reply is known without Zendesk's id for it."""
        key = {"of_account": account_id, "of_request": identifier}
        posted = {"state": "posted", "origin_id": origin_id, "detail": "", "request": ""}
        await connection.execute(_WRITE, key | posted | {"settled_at": self._clock.now()})

    async def last(
        self, limit: int, account_id: str | None = None, behind: str = ""
    ) -> list[DeferredReplyRecord]:
        """The newest first, of all accounts or one, from behind a place on."""
        columns = [deferred_replies_table.c[name] for name in DeferredReplyRecord.__slots__]
        query = DEFERRED_REPLIES.page(select(*columns), limit, behind)
        if account_id:
            query = query.where(deferred_replies_table.c.account_id == account_id)
        async with self._database.reading() as connection:
            rows = await connection.execute(query)
            return [DeferredReplyRecord(**row._asdict()) for row in rows]

    async def forget(self, older_than: timedelta, posted_older_than: timedelta) -> None:
        """Drop failures, and what was posted, that were settled before that.

        Of a reply that is gone nobody knows any more by which id Zendesk calls it.
        """
        now = self._clock.now()
        reply = deferred_replies_table.c
        await self._database.delete_in_parts(
            deferred_replies_table,
            reply.state.in_(("reported", "unreported")),
            reply.settled_at < now - older_than,
        )
        await self._database.delete_in_parts(
            deferred_replies_table, reply.state == "posted", reply.settled_at < now - posted_older_than
        )

    async def _change(self, reply: DeferredReply, **values: object) -> None:
        # Whoever has lost its lease changes nothing that another has gone on with.
        async with self._database.writing() as connection:
            await connection.execute(
                update(deferred_replies_table)
                .where(
                    deferred_replies_table.c.id == reply.id,
                    deferred_replies_table.c.state == reply.state,
                    deferred_replies_table.c.tries == reply.tries,
                )
                .values(values)
            )
