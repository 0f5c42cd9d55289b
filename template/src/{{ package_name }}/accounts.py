"""Integration instances: what an admin configured, sealed, and the reference to it that Zendesk holds."""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy import Column, Row, String, Table, Text, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from .store import Store, UtcDateTime, tables
from .trust import Sealer, Signer, UntrustedError

ConfigurationT = TypeVar("ConfigurationT", bound=BaseModel)

PURPOSE = "metadata"

accounts_table = Table(
    "accounts",
    tables,
    Column("id", String(36), primary_key=True),
    Column("subdomain", String(63), nullable=False),
    Column("name", String(255), nullable=False),
    Column("sealed_configuration", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("confirmed_at", UtcDateTime),
)


class UnknownAccountError(Exception):
    """No account of this service is meant: the metadata is not ours, or the account is gone."""


class ConfigurationOutdatedError(Exception):
    """What is stored no longer fits the configuration model: an admin must edit the account."""


@dataclass(frozen=True, slots=True)
class Account:
    """One configured connection. `confirmed_at` is None until Zendesk has used it for the first time."""

    id: str
    subdomain: str
    name: str
    sealed_configuration: str
    created_at: datetime
    confirmed_at: datetime | None


class Accounts(Generic[ConfigurationT]):
    """Keeps the accounts. Their metadata is a signed reference (SVC-60): it proves the caller and leaks nothing."""

    def __init__(
        self, store: Store, signer: Signer, sealer: Sealer, configuration: type[ConfigurationT]
    ) -> None:
        self._store = store
        self._signer = signer
        self._sealer = sealer
        self._configuration = configuration

    async def create(
        self, subdomain: str, name: str, configuration: ConfigurationT, account_id: str | None = None
    ) -> Account:
        """Keep a new account. One that has this id already is changed instead: the same form was sent twice."""
        account = Account(
            id=account_id or str(uuid.uuid4()),
            subdomain=subdomain,
            name=name,
            sealed_configuration=self._seal(configuration),
            created_at=datetime.now(UTC),
            confirmed_at=None,
        )
        values = {column: getattr(account, column) for column in Account.__slots__}
        try:
            async with self._store.writing() as connection:
                await connection.execute(insert(accounts_table).values(values))
        except IntegrityError:
            return await self.update(account.id, name, configuration)
        return account

    async def update(self, account_id: str, name: str, configuration: ConfigurationT) -> Account:
        """Change an account. Raises UnknownAccountError if it is gone."""
        async with self._store.writing() as connection:
            row = (
                await connection.execute(
                    update(accounts_table)
                    .where(accounts_table.c.id == account_id)
                    .values(name=name, sealed_configuration=self._seal(configuration))
                    .returning(accounts_table)
                )
            ).one_or_none()
        return _account(row)

    async def by_id(self, account_id: str) -> Account:
        """Raises UnknownAccountError."""
        async with self._store.reading() as connection:
            row = (
                await connection.execute(select(accounts_table).where(accounts_table.c.id == account_id))
            ).one_or_none()
        return _account(row)

    async def by_metadata(self, metadata: str, subdomain: str | None = None) -> Account:
        """Find the account that Zendesk means, and that is of this subdomain, if one is named.

        Raises UnknownAccountError. The first use confirms the account.
        """
        try:
            account = await self.by_id(str(self._signer.verify(PURPOSE, metadata).get("account")))
        except UntrustedError as error:
            raise UnknownAccountError(f"the metadata names no account of this service: {error}") from None
        if subdomain is not None and account.subdomain != subdomain.lower():
            raise UnknownAccountError("this account belongs to another subdomain")
        if account.confirmed_at is None:
            await self._confirm(account.id)
        return account

    def metadata(self, account: Account) -> str:
        """The text that Zendesk keeps for the account, signed with the newest key."""
        return self._signer.sign(PURPOSE, {"account": account.id})

    def configuration_of(self, account: Account) -> ConfigurationT:
        """Open the account's configuration.

        Raises ConfigurationOutdatedError when it does not fit the model any more or no key opens it.
        """
        try:
            return self._configuration.model_validate_json(self._sealer.open(account.sealed_configuration))
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
            raise ConfigurationOutdatedError(f"these fields need attention: {fields}") from None
        except UntrustedError as error:
            raise ConfigurationOutdatedError(str(error)) from None

    async def remove(self, account_id: str) -> None:
        """Delete an account with its secrets, and with everything that is kept for it (SVC-55)."""
        async with self._store.writing() as connection:
            await connection.execute(delete(accounts_table).where(accounts_table.c.id == account_id))

    async def all(self) -> list[Account]:
        async with self._store.reading() as connection:
            rows = await connection.execute(select(accounts_table).order_by(accounts_table.c.created_at))
            return [_account(row) for row in rows]

    async def remove_abandoned(self, older_than: timedelta) -> int:
        """Remove accounts that were filled in but that Zendesk never took: the admin closed the window."""
        async with self._store.writing() as connection:
            result = await connection.execute(
                delete(accounts_table)
                .where(accounts_table.c.confirmed_at.is_(None))
                .where(accounts_table.c.created_at < datetime.now(UTC) - older_than)
            )
        return result.rowcount

    async def reseal(self, connection: AsyncConnection) -> int:
        """Seal every configuration with the newest key, so that older keys can be dropped.

        Raises UntrustedError, upon which the caller's transaction must end, when one cannot be opened.
        """
        rows = (await connection.execute(select(accounts_table).with_for_update())).all()
        for row in rows:
            await connection.execute(
                update(accounts_table)
                .where(accounts_table.c.id == row.id)
                .values(sealed_configuration=self._sealer.reseal(row.sealed_configuration))
            )
        return len(rows)

    async def _confirm(self, account_id: str) -> None:
        async with self._store.writing() as connection:
            await connection.execute(
                update(accounts_table)
                .where(accounts_table.c.id == account_id)
                .values(confirmed_at=datetime.now(UTC))
            )

    def _seal(self, configuration: ConfigurationT) -> str:
        return self._sealer.seal(json.dumps(configuration.model_dump(mode="json") | _secrets(configuration)))


def _secrets(configuration: BaseModel) -> dict[str, Any]:
    # Pydantic masks secrets when it dumps; sealed, they are kept as they are.
    return {name: value.get_secret_value() for name, value in configuration if isinstance(value, SecretStr)}


def _account(row: Row[Any] | None) -> Account:
    if row is None:
        raise UnknownAccountError("this account is gone")
    return Account(**row._asdict())
