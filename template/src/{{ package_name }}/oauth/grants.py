"""Grants: what somebody allowed this service at the origin, from the first click until it is revoked.

A grant is one row. Its tokens are sealed, and are replaced in one transaction: there is no moment at which the database
holds neither the old ones nor the new ones.
"""

import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Row,
    String,
    Table,
    Text,
    and_,
    delete,
    insert,
    not_,
    or_,
    select,
    true,
    update,
)

from ..core.accounts import accounts_table
from ..core.database import Bound, Database, Line, UtcDateTime, tables
from ..core.security import Sealer, UntrustedError
from ..core.transaction import Transaction
from ..core.waits import is_ahead
from .provider import Tokens


class Stage(StrEnum):
    """How far a grant is."""

    started = "started"
    """The browser is at the provider; the row holds the verifier of PKCE."""
    returned = "returned"
    """The browser is back, and its code is used up."""
    unconfirmed = "unconfirmed"
    """There are tokens, and the person who signed in has not said yet that this Zendesk may have them."""
    offered = "offered"
    """The form is yet to be saved."""
    in_use = "in use"
    failed = "failed"
    ended = "ended"
    """Not used any more, and not revoked yet."""


UNUSED = [stage for stage in Stage if stage not in (Stage.in_use, Stage.ended)]

STATE_LIFETIME = timedelta(minutes=15)
"""How long somebody may take to sign in at the provider."""

CLAIM = timedelta(seconds=30)
"""Longer than the provider may take; as long as others wait when whoever renews a token is killed."""

EARLY = timedelta(minutes=5)
"""How long before its end a token is renewed; of one that lasts less than that long, when a fifth is left."""

# An account's form is open before the account exists, and a grant outlives its account until it is revoked.
grants_table = Table(
    "oauth_grants",
    tables,
    Column("id", String(36), primary_key=True),
    Column("account_id", String(36), nullable=False, index=True),
    Column("form_id", String(36), nullable=False, index=True),
    Column("stage", String(16), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("connected_as", Line(255), nullable=False),
    Column("sealed", Text, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("renew_at", UtcDateTime),
    Column("renewed_by", String(36)),
    Column("renewed_until", UtcDateTime),
    Column("renewing_since", UtcDateTime),
    Column("refused_at", UtcDateTime),
    Column("detail", Line(500), nullable=False),
    Index("ix_oauth_grants_stage_renew_at", "stage", "renew_at"),
    Index("ix_oauth_grants_connected_as", "connected_as"),
    info={"bound": Bound.time},
)


@dataclass(frozen=True, slots=True)
class Grant:
    """`refused_at` is None unless the provider has refused it: then it needs re-authorisation."""

    id: str
    account_id: str
    stage: Stage
    since: datetime
    connected_as: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    sealed: str = field(repr=False)
    expires_at: datetime | None
    renew_at: datetime | None
    refused_at: datetime | None
    detail: str


class Grants:
    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._clock = database.clock
        self._sealer = sealer

    async def begin(self, account_id: str, form_id: str, verifier: str) -> str:
        """Keep that a browser goes to the provider, and give the grant's id."""
        grant_id = str(uuid.uuid4())
        row = {
            "id": grant_id,
            "account_id": account_id,
            "form_id": form_id,
            "stage": Stage.started,
            "since": self._clock.now(),
            "connected_as": "",
            "sealed": self._sealer.seal(verifier),
            "detail": "",
        }
        async with self._database.writing() as connection:
            await connection.execute(insert(grants_table).values(row))
        return grant_id

    async def take_back(self, grant_id: str) -> str | None:
        """Use up the state with which a browser comes back, and give the verifier; None if it was used before."""
        row = await self._move(grant_id, Stage.started, Stage.returned)
        return None if row is None else self._sealer.open(row.sealed)

    async def fill(self, grant_id: str, tokens: Tokens) -> None:
        """Keep the first tokens."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(grants_table).where(grants_table.c.id == grant_id).values(self._values(tokens))
            )

    async def name(self, grant_id: str, connected_as: str) -> None:
        """Keep who has signed in."""
        await self._move(grant_id, Stage.returned, Stage.unconfirmed, connected_as=connected_as)

    async def fail(self, grant_id: str, detail: str) -> None:
        """Keep why nothing came of it. Tokens that are there already have to be revoked."""
        await self._move(grant_id, Stage.returned, Stage.failed, detail=detail)

    async def confirm(self, grant_id: str) -> bool:
        """Offer the grant to its form; one that replaces a refused grant is used at once. False if it is too late."""
        row = await self._move(grant_id, Stage.unconfirmed, Stage.offered)
        if row is None:
            return False
        used = await self.of_account(row.account_id)
        if used and used.refused_at:
            await self.use(row.account_id, grant_id)
        return True

    async def decline(self, grant_id: str) -> None:
        await self._move(grant_id, Stage.unconfirmed, Stage.ended)

    async def use(self, account_id: str, grant_id: str) -> None:
        """Have the account use this grant from now on, and no other."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(grants_table)
                .where(grants_table.c.account_id == account_id, grants_table.c.id != grant_id)
                .where(grants_table.c.stage == Stage.in_use)
                .values(stage=Stage.ended, since=self._clock.now())
            )
            await connection.execute(
                update(grants_table)
                .where(grants_table.c.id == grant_id, grants_table.c.stage == Stage.offered)
                .values(stage=Stage.in_use, since=self._clock.now())
            )

    async def of_account(self, account_id: str) -> Grant | None:
        """Give the grant that an account uses."""
        found = await self._all(grants_table.c.account_id == account_id, grants_table.c.stage == Stage.in_use)
        return found[0] if found else None

    async def for_calls(self, account_id: str) -> Grant | None:
        """Give the grant that an account uses, or the one that it is about to use while it is saved for the first time."""
        usable = grants_table.c.stage.in_((Stage.in_use, Stage.offered))
        found = await self._all(grants_table.c.account_id == account_id, usable)
        return next((grant for grant in found if grant.stage is Stage.in_use), found[0] if found else None)

    async def of_form(self, form_id: str) -> Grant | None:
        """Give what has come of signing in from a form: the newest grant that it can use, or else the newest try."""
        usable = (Stage.offered, Stage.in_use)
        found = await self._all(grants_table.c.form_id == form_id)
        return next((grant for grant in found if grant.stage in usable), found[0] if found else None)

    async def in_use(self, account_ids: Collection[str] | None = None) -> list[Grant]:
        """The grants that accounts use, all or these."""
        is_wanted = true() if account_ids is None else grants_table.c.account_id.in_(account_ids)
        return await self._all(grants_table.c.stage == Stage.in_use, is_wanted)

    async def renewals_due(self) -> list[Grant]:
        return await self._all(
            grants_table.c.stage == Stage.in_use,
            grants_table.c.renew_at <= self._clock.now(),
            grants_table.c.refused_at.is_(None),
        )

    async def connects(self, person: str) -> bool:
        """Whether an account is connected as this person."""
        query = select(grants_table.c.id).where(
            grants_table.c.connected_as == person, grants_table.c.stage == Stage.in_use
        )
        return await self._database.first(query.limit(1)) is not None

    async def by_id(self, grant_id: str) -> Grant | None:
        found = await self._all(grants_table.c.id == grant_id)
        return found[0] if found else None

    async def claim(self, grant_id: str) -> str | None:
        """Claim the right to renew a grant's tokens; None while another process has it."""
        now, holder = self._clock.now(), str(uuid.uuid4())
        claimed = is_ahead(grants_table.c.renewed_until, grants_table.c.renewing_since, now)
        async with self._database.writing() as connection:
            written = await connection.execute(
                update(grants_table)
                .where(grants_table.c.id == grant_id)
                .where(or_(grants_table.c.renewed_until.is_(None), not_(claimed)))
                .values(renewed_by=holder, renewed_until=now + CLAIM, renewing_since=now)
            )
        return holder if written.rowcount else None

    async def renew(self, old: Grant, tokens: Tokens) -> None:
        """Replace the old tokens, also when the claim has run out; what another process has written is newer, and stays."""
        values = self._values(tokens) | {"refused_at": None, "detail": ""}
        await self._settle(values, grants_table.c.id == old.id, grants_table.c.sealed == old.sealed)

    async def refuse(self, old: Grant, holder: str, detail: str) -> None:
        """Keep that the grant needs re-authorisation, unless another process has renewed it meanwhile."""
        values = {"refused_at": self._clock.now(), "detail": detail}
        is_held = grants_table.c.renewed_by == holder
        await self._settle(values, grants_table.c.id == old.id, is_held, grants_table.c.sealed == old.sealed)

    async def release(self, grant_id: str, holder: str, detail: str = "") -> None:
        """Give the claim back; the tokens are as they were."""
        is_held = grants_table.c.renewed_by == holder
        await self._settle({"detail": detail}, grants_table.c.id == grant_id, is_held)

    async def release_all(self) -> None:
        """End every claim: those who held one are no more."""
        async with self._database.writing() as connection:
            await connection.execute(update(grants_table).values(renewed_by=None, renewed_until=None))

    async def end(self, account_id: str) -> None:
        """The account goes: what it was granted has to be revoked."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(grants_table)
                .where(grants_table.c.account_id == account_id)
                .values(stage=Stage.ended, since=self._clock.now())
            )

    async def end_forgotten(self, older_than: timedelta) -> None:
        """End what no form can save any more, and what an account used that is gone."""
        grant, now = grants_table.c, self._clock.now()
        account = select(accounts_table.c.id).where(accounts_table.c.id == grant.account_id)
        is_orphan = and_(grant.stage == Stage.in_use, not_(account.exists()))
        async with self._database.writing() as connection:
            for is_forgotten in (grant.stage.in_(UNUSED), is_orphan):
                await connection.execute(
                    update(grants_table)
                    .where(is_forgotten, grant.since < now - older_than)
                    .values(stage=Stage.ended, since=now)
                )

    async def ended(self) -> list[Grant]:
        return await self._all(grants_table.c.stage == Stage.ended)

    async def forget(self, grant_id: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(grants_table).where(grants_table.c.id == grant_id))

    async def reseal(self, connection: Transaction) -> None:
        """Seal every token with the newest key. Raises UntrustedError when one cannot be opened."""
        for row in (await connection.execute(select(grants_table).with_for_update())).all():
            await connection.execute(
                update(grants_table)
                .where(grants_table.c.id == row.id)
                .values(sealed=self._sealer.reseal(row.sealed))
            )

    def _values(self, tokens: Tokens) -> dict[str, Any]:
        now, lifetime = self._clock.now(), tokens.lifetime
        sealed = {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token}
        return {
            "sealed": self._sealer.seal(json.dumps(sealed)),
            "expires_at": lifetime and now + lifetime,
            "renew_at": lifetime and now + lifetime - min(EARLY, lifetime / 5),
        }

    async def _move(self, grant_id: str, before: Stage, after: Stage, **values: object) -> Row[Any] | None:
        async with self._database.writing() as connection:
            moved = await connection.execute(
                update(grants_table)
                .where(grants_table.c.id == grant_id, grants_table.c.stage == before)
                .values(stage=after, since=self._clock.now(), **values)
                .returning(grants_table)
            )
            row: Row[Any] | None = moved.one_or_none()
        return row

    async def _settle(self, values: dict[str, Any], *conditions: ColumnElement[bool]) -> None:
        async with self._database.writing() as connection:
            await connection.execute(
                update(grants_table).where(*conditions).values(renewed_by=None, renewed_until=None, **values)
            )

    async def _all(self, *conditions: ColumnElement[bool]) -> list[Grant]:
        query = select(grants_table).where(*conditions).order_by(grants_table.c.since.desc())
        async with self._database.reading() as connection:
            return [self._grant(row) for row in (await connection.execute(query)).all()]

    def _grant(self, row: Row[Any]) -> Grant:
        try:
            tokens = json.loads(self._sealer.open(row.sealed))
        except (ValueError, UntrustedError):
            # The verifier of a sign-in that is under way, or what no key opens any more.
            tokens = {}
        return Grant(
            id=row.id,
            account_id=row.account_id,
            stage=Stage(row.stage),
            since=row.since,
            connected_as=row.connected_as,
            access_token=tokens.get("access_token", ""),
            refresh_token=tokens.get("refresh_token", ""),
            sealed=row.sealed,
            expires_at=row.expires_at,
            renew_at=row.renew_at,
            refused_at=row.refused_at,
            detail=row.detail,
        )
