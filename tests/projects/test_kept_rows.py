"""What a service keeps is bounded: each table says by what, and that is so."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

import httpx2
import whole_package  # noqa: F401
from acme_reviews.app import CAPABILITIES, set_up
from acme_reviews.core import account_state
from acme_reviews.core.clock import Clock
from acme_reviews.core.database import Bound, Database, tables
from acme_reviews.services import services_for
from acme_reviews.settings import Settings, new_sealing_key, new_signing_key
from sqlalchemy import TypeDecorator, func, insert, select

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from acme_reviews.core.capability import Capability
    from acme_reviews.services import Services
    from projects import Project
    from sqlalchemy import Column, Table

for _folder in CAPABILITIES:
    import_module(f"acme_reviews.{_folder}.capability")

LATER = timedelta(days=10 * 365)
ACCOUNT = "00000000-0000-4000-8000-000000000001"
SETTLED = {
    "outbox": {"state": "delivered"},
    "channelback_claims": {"state": "posted"},
    "deferred_replies": {"state": "posted"},
    "solved_tickets": {"state": "done"},
    "oauth_grants": {"stage": "started"},
}
"""What is still to be done stays until it is."""

FEW = {"account_id", "job", "status"}
"""Columns that tell the rows of an account apart where it has a fixed number of them."""


def test_every_table_names_what_bounds_it() -> None:
    assert {
        table.name: table.info.get("bound") for table in tables.sorted_tables if not _is_bounded(table)
    } == {}


def test_the_page_on_architecture_tells_of_every_table(everything: Project) -> None:
    page = everything.text("docs/architecture.md")

    told = set(re.findall(r"^\| `(\w+)` \| \S", page.partition("## What is kept")[2], re.MULTILINE))
    assert told == set(tables.tables)


def _is_bounded(table: Table) -> bool:
    match table.info.get("bound"):
        case Bound.account:
            return table.name == "accounts" or {column.name for column in table.primary_key} <= FEW
        case Bound.owner:
            return any(key.ondelete == "CASCADE" for key in table.foreign_key_constraints)
        case bound:
            return isinstance(bound, Bound)


async def test_what_is_kept_for_a_time_or_until_it_is_done_goes(tmp_path: Path) -> None:
    clock = Clock()
    async with service(f"sqlite:///{tmp_path}/service.db", clock) as (services, capabilities):
        await fill(services.database)
        assert await holding_rows(services.database) == bounded_by(*Bound)

        clock.set(clock.now() + LATER)
        await account_state.remove_expired(services.database)
        for capability in capabilities:
            for task in capability.housekeeping:
                await task()
        assert await holding_rows(services.database) == bounded_by(Bound.account, Bound.work)

        runner: Any = services.runner
        for job in runner._jobs.values():  # noqa: SLF001
            await job.do(ACCOUNT, asyncio.Event())
        assert await holding_rows(services.database) == bounded_by(Bound.account)

        await services.accounts.discard(ACCOUNT)
        assert await holding_rows(services.database) == []


@asynccontextmanager
async def service(url: str, clock: Clock) -> AsyncIterator[tuple[Services, list[Capability]]]:
    keys = {"signing_keys": new_signing_key(), "sealing_keys": new_sealing_key()}
    settings = Settings.model_validate({"database_url": url, **keys})
    services = services_for(settings, transport=httpx2.MockTransport(unavailable), clock=clock)
    capabilities = set_up(services)
    await services.database.migrate()
    yield services, capabilities
    await services.outbound.aclose()
    await services.database.close()


def unavailable(_request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(503)


async def fill(database: Database) -> None:
    """Keep one row in each table, which was written now and is settled."""
    now = database.clock.now()
    async with database.writing() as connection:
        for table in tables.sorted_tables:
            row = {column.name: _value(column, now) for column in table.columns}
            known = {"account_id": ACCOUNT, "message_id": 1} | (
                {"id": ACCOUNT} if table.name == "accounts" else {}
            )
            row |= {name: value for name, value in known.items() if name in row}
            await connection.execute(insert(table), row | SETTLED.get(table.name, {}))


def _value(column: Column[Any], now: datetime) -> Any:
    stored = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    return now if stored.python_type is datetime else stored.python_type("1")


async def holding_rows(database: Database) -> list[str]:
    async with database.reading() as connection:
        return [
            table.name
            for table in tables.sorted_tables
            if await connection.scalar(select(func.count()).select_from(table))
        ]


def bounded_by(*bounds: Bound) -> list[str]:
    return [table.name for table in tables.sorted_tables if table.info["bound"] in bounds]
