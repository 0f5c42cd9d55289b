"""Push credentials: each account's token for Zendesk's push API, and the secret of its webhook."""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Column, ForeignKey, Row, String, Table, Text, bindparam, select, update
from sqlalchemy.exc import IntegrityError

from ..core.accounts import Account, UnknownAccountError, account_in, accounts_table
from ..core.database import Bound, Database, Line, UtcDateTime, tables, upsert
from ..core.masking import remember
from ..core.security import Sealer, UntrustedError
from ..core.transaction import Transaction

credentials_table = Table(
    "push_credentials",
    tables,
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("sealed_webhook_secret", Text, nullable=False),
    Column("instance_push_id", String(255)),
    Column("sealed_token", Text),
    Column("access", String(16), nullable=False),
    Column("detail", Line(500), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("account_key", Line(255), index=True),
    info={"bound": Bound.account},
)


class Access(StrEnum):
    """Whether Zendesk lets an account push."""

    absent = "absent"
    """Zendesk has given no token: the manifest names no OAuth client, or the account was not saved since it does."""

    unchecked = "unchecked"
    valid = "valid"

    rejected = "rejected"
    """Zendesk refused the token: an admin must open and save the account, which brings a new one (SVC-58)."""


class NoCredentialsError(UnknownAccountError):
    """The account is there, but was saved when this service did not push."""


@dataclass(frozen=True, slots=True)
class PushToken:
    """What Zendesk gives an account when an admin adds or edits it (SVC-23)."""

    instance_push_id: str
    zendesk_access_token: SecretStr


@dataclass(frozen=True, slots=True)
class PushCredentials:
    """An account's credentials. `version` tells the token apart from every other one that the account had or will have."""

    account_id: str
    subdomain: str
    webhook_secret: SecretStr
    token: PushToken | None
    access: Access
    detail: str
    changed_at: datetime
    version: str
    confirmed: bool
    """Zendesk is known to use the account."""

    @property
    def usable_token(self) -> PushToken | None:
        """The token, unless Zendesk has refused it."""
        return self.token if self.access in (Access.unchecked, Access.valid) else None


def new_secret() -> SecretStr:
    return SecretStr(secrets.token_urlsafe(32))


class CredentialStore:
    """Keeps the credentials, sealed."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._clock = database.clock
        self._sealer = sealer

    async def webhook_secret(self, account_id: str) -> SecretStr:
        """The account's secret, or a new one, which `save` has to keep."""
        try:
            return (await self.of(account_id)).webhook_secret
        except (UnknownAccountError, UntrustedError):
            return new_secret()

    async def keep_secret(self, account_id: str, webhook_secret: SecretStr) -> None:
        """Keep the secret of an account's webhook alone. Raises UnknownAccountError."""
        row = {
            "account_id": account_id,
            "access": Access.absent,
            "detail": "",
            "sealed_webhook_secret": self._sealer.seal(webhook_secret.get_secret_value()),
            "changed_at": self._clock.now(),
        }
        try:
            async with self._database.writing() as connection:
                await upsert(connection, credentials_table, [row], update=("sealed_webhook_secret",))
        except IntegrityError:
            raise UnknownAccountError("this account is gone") from None

    async def save(
        self,
        account_id: str,
        webhook_secret: SecretStr,
        token: PushToken | None,
        access: Access,
        account_key: str = "",
    ) -> None:
        """Keep what an edit brought, in place of what there was; without a token the older one stays."""
        values: dict[str, Any] = {
            "sealed_webhook_secret": self._sealer.seal(webhook_secret.get_secret_value()),
            "changed_at": self._clock.now(),
            "account_key": account_key or None,
        }
        if token:
            values |= {
                "instance_push_id": token.instance_push_id,
                "sealed_token": self._sealer.seal(token.zendesk_access_token.get_secret_value()),
                "access": access,
                "detail": "",
            }
        nothing = {"account_id": account_id, "access": Access.absent, "detail": ""}
        async with self._database.writing() as connection:
            await upsert(connection, credentials_table, [nothing | values], update=list(values))

    async def of(self, account_id: str) -> PushCredentials:
        """Raises UnknownAccountError, and UntrustedError when no key opens the secrets."""
        _, credentials = await self.with_account(account_id)
        return credentials

    async def with_account(self, account_id: str) -> tuple[Account, PushCredentials]:
        """Raises UnknownAccountError, or NoCredentialsError, and UntrustedError when no key opens the secrets."""
        row = await self._database.first(_QUERY, {"of_account": account_id})
        account = account_in(row)
        if row is None or row.account_id is None:
            raise NoCredentialsError(
                "this account has no push credentials yet: an admin must save it once more"
            )
        return account, self._opened(row)

    async def accounts_by_key(self, keys: Iterable[str]) -> list[tuple[str, str]]:
        """Find the accounts that a shared webhook names: pairs of key and account id."""
        query = (
            select(credentials_table.c.account_key, credentials_table.c.account_id)
            .where(credentials_table.c.account_key.in_(list(keys)))
            .order_by(credentials_table.c.account_id)
        )
        async with self._database.reading() as connection:
            return [(row.account_key, row.account_id) for row in await connection.execute(query)]

    async def usable_token(self, account_id: str) -> SecretStr | None:
        """The token, if the account has one that Zendesk has not refused and that a key opens."""
        try:
            token = (await self.of(account_id)).usable_token
        except (UnknownAccountError, UntrustedError):
            return None
        return token.zendesk_access_token if token else None

    async def among(self, account_ids: Collection[str]) -> list[tuple[str, Access, str, datetime]]:
        """Of those of these accounts that have credentials: id, access, its detail and since when, without a secret."""
        columns = (credentials_table.c[name] for name in ("account_id", "access", "detail", "changed_at"))
        query = select(*columns).where(credentials_table.c.account_id.in_(account_ids))
        rows = await self._database.rows(query)
        return [(row.account_id, Access(row.access), row.detail, row.changed_at) for row in rows]

    async def set_access(self, used: PushCredentials, access: Access, detail: str = "") -> None:
        """Keep what Zendesk thinks of the token that was used; a token that came in the meantime is not touched.

        A token that is valid shows that Zendesk uses the account.
        """
        async with self._database.writing() as connection:
            if access is Access.valid:
                await connection.execute(
                    update(accounts_table)
                    .where(accounts_table.c.id == used.account_id, accounts_table.c.confirmed_at.is_(None))
                    .values(confirmed_at=self._clock.now())
                )
            await connection.execute(
                update(credentials_table)
                .where(credentials_table.c.account_id == used.account_id)
                .where(credentials_table.c.sealed_token == used.version)
                .values(access=access, detail=detail, changed_at=self._clock.now())
            )

    async def reseal(self, connection: Transaction) -> int:
        """Seal every secret with the newest key; raises UntrustedError, upon which the transaction must end."""
        rows = (await connection.execute(select(credentials_table).with_for_update())).all()
        for row in rows:
            await connection.execute(
                update(credentials_table)
                .where(credentials_table.c.account_id == row.account_id)
                .values(
                    sealed_webhook_secret=self._sealer.reseal(row.sealed_webhook_secret),
                    sealed_token=row.sealed_token and self._sealer.reseal(row.sealed_token),
                )
            )
        return len(rows)

    def _opened(self, row: Row[Any]) -> PushCredentials:
        webhook_secret, token = SecretStr(self._sealer.open(row.sealed_webhook_secret)), None
        remember(webhook_secret)
        if row.sealed_token:
            token = PushToken(row.instance_push_id, SecretStr(self._sealer.open(row.sealed_token)))
            remember(token.zendesk_access_token)
        return PushCredentials(
            account_id=row.account_id,
            subdomain=row.subdomain,
            webhook_secret=webhook_secret,
            token=token,
            access=Access(row.access),
            detail=row.detail,
            changed_at=row.changed_at,
            version=row.sealed_token or "",
            confirmed=row.confirmed_at is not None,
        )


_QUERY = (
    select(accounts_table, credentials_table)
    .outerjoin(credentials_table)
    .where(accounts_table.c.id == bindparam("of_account"))
)
