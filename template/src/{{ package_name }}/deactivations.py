"""Accounts that Zendesk has stopped using, until it uses them again."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Column, ForeignKey, String, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from .store import Line, Store, UtcDateTime, tables

deactivations_table = Table(
    "deactivations",
    tables,
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("deactivated_by", Line(32), nullable=False),
    Column("error", Line(500), nullable=False),
    Column("at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Deactivation:
    """Who stopped using an account, `api` (somebody's command) or `error`, and then which error."""

    account_id: str
    deactivated_by: str
    error: str
    at: datetime


class Deactivations:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def record(self, account_id: str, deactivated_by: str, error: str) -> None:
        """Keep that an account is not used now; what was kept of it before is replaced."""
        values = {"deactivated_by": deactivated_by, "error": error, "at": datetime.now(UTC)}
        async with self._store.writing() as connection:
            try:
                async with connection.begin_nested():
                    await connection.execute(
                        insert(deactivations_table).values(values | {"account_id": account_id})
                    )
            except IntegrityError:
                await connection.execute(
                    update(deactivations_table)
                    .where(deactivations_table.c.account_id == account_id)
                    .values(values)
                )

    async def lift(self, account_id: str) -> None:
        """The account is used again."""
        async with self._store.writing() as connection:
            await connection.execute(
                delete(deactivations_table).where(deactivations_table.c.account_id == account_id)
            )

    async def all(self) -> dict[str, Deactivation]:
        """Those in force, by account."""
        async with self._store.reading() as connection:
            rows = await connection.execute(select(deactivations_table))
            return {row.account_id: Deactivation(**row._asdict()) for row in rows}
