"""Account state: what `origin.py` remembers about an account, sealed at rest and removed with the account."""

from datetime import timedelta

from sqlalchemy import Column, ForeignKey, String, Table, Text, bindparam, delete, or_, select, update

from ..origin_protocol import AccountState
from .database import Bound, Database, UtcDateTime, tables, upsert
from .security import Sealer
from .transaction import Transaction
from .waits import at, is_ahead

state_table = Table(
    "account_state",
    tables,
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("sealed_value", Text, nullable=False),
    Column("expires_at", UtcDateTime, index=True),
    Column("written_at", UtcDateTime),
    info={"bound": Bound.time},
)


_VALUE = (
    select(state_table.c.sealed_value)
    .where(state_table.c.account_id == bindparam("account_id"), state_table.c.key == bindparam("key"))
    .where(
        or_(state_table.c.expires_at.is_(None), is_ahead(state_table.c.expires_at, state_table.c.written_at))
    )
)


class StoredState(AccountState):
    """The state of an account that has been saved."""

    def __init__(self, database: Database, sealer: Sealer, account_id: str) -> None:
        self._database = database
        self._clock = database.clock
        self._sealer = sealer
        self._account_id = account_id

    async def get(self, key: str) -> str | None:
        parameters = {"account_id": self._account_id, "key": key} | at(self._clock.now())
        found = await self._database.first(_VALUE, parameters)
        return None if found is None else self._sealer.open(found.sealed_value)

    async def set(self, key: str, value: str, lifetime: timedelta | None = None) -> None:
        now = self._clock.now()
        row = {
            "account_id": self._account_id,
            "key": key,
            "sealed_value": self._sealer.seal(value),
            "expires_at": now + lifetime if lifetime else None,
            "written_at": now,
        }
        async with self._database.writing() as connection:
            await upsert(connection, state_table, [row], update=("sealed_value", "expires_at", "written_at"))

    async def remove(self, key: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(
                delete(state_table).where(
                    state_table.c.account_id == self._account_id, state_table.c.key == key
                )
            )


class UnsavedState(AccountState):
    """The state of an account whose form is being saved: changes are kept back until the account is stored.

    An account that is edited reads what is stored already.
    """

    def __init__(self, stored: AccountState | None = None) -> None:
        self._stored = stored
        self._changes: dict[str, tuple[str, timedelta | None] | None] = {}

    async def get(self, key: str) -> str | None:
        if key in self._changes:
            change = self._changes[key]
            return change[0] if change else None
        return await self._stored.get(key) if self._stored else None

    async def set(self, key: str, value: str, lifetime: timedelta | None = None) -> None:
        self._changes[key] = (value, lifetime)

    async def remove(self, key: str) -> None:
        self._changes[key] = None

    async def save(self, stored: AccountState) -> None:
        """Store what has changed."""
        for key, change in self._changes.items():
            if change is None:
                await stored.remove(key)
            else:
                await stored.set(key, *change)


async def remove_expired(database: Database) -> None:
    """Drop entries whose lifetime is over."""
    await database.delete_in_parts(state_table, state_table.c.expires_at <= database.clock.now())


async def reseal(connection: Transaction, sealer: Sealer) -> None:
    """Seal every value with the newest key. Raises UntrustedError when one cannot be opened."""
    for row in (await connection.execute(select(state_table).with_for_update())).all():
        await connection.execute(
            update(state_table)
            .where(state_table.c.account_id == row.account_id, state_table.c.key == row.key)
            .values(sealed_value=sealer.reseal(row.sealed_value))
        )
