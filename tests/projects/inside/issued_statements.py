"""A plugin for a project's own tests that writes down what they had the service ask of its database.

Each statement stands there once for the place that issues it, as SQL of both databases, beside their tables.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, Engine, Insert, TextClause, create_mock_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    from types import FrameType

    from sqlalchemy import Dialect
    from sqlalchemy.sql.compiler import SQLCompiler

FILE = "ISSUED_STATEMENTS"
"""The variable that names the file."""

ISSUER = "issuer"
DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.psycopg.dialect(paramstyle="numeric_dollar"),  # type: ignore[no-untyped-call]
}
STASH = pytest.StashKey["IssuedStatements"]()
LAYERS = ("core/sqlite.py", "core/postgresql.py", "core/database.py")
"""They issue what others ask them to."""


class IssuedStatements:
    def __init__(self, sources: Path) -> None:
        self._sources = sources
        self._package = next(sources.glob("*/app.py")).parent
        self._found: dict[tuple[str, str], dict[str, str]] = {}

    def listen(self) -> None:
        """Note who issues a statement before it goes to a thread or a greenlet, where its stack is another."""
        module: Any = import_module(f"{self._package.name}.core.sqlite")
        run, execute = module.run, AsyncConnection.execute

        async def run_noted(connection: Connection, *rest: Any) -> Any:
            connection.info[ISSUER] = self._issuer(sys._getframe(1))  # noqa: SLF001
            return await run(connection, *rest)

        async def execute_noted(connection: AsyncConnection, *rest: Any, **named: Any) -> Any:
            (await connection.get_raw_connection()).info[ISSUER] = self._issuer(sys._getframe(1))  # noqa: SLF001
            return await execute(connection, *rest, **named)

        module.run = run_noted
        AsyncConnection.execute = execute_noted  # type: ignore[assignment,method-assign]
        event.listen(Engine, "before_cursor_execute", self._note)

    def write(self, file: Path) -> None:
        tables = import_module(f"{self._package.name}.core.database").tables
        schema: dict[str, list[str]] = {name: [] for name in DIALECTS}
        for name, dialect in DIALECTS.items():
            ddl = schema[name]
            engine = create_mock_engine(
                f"{name}://",
                lambda sql, *_, ddl=ddl, dialect=dialect: ddl.append(str(sql.compile(dialect=dialect))),
            )
            tables.create_all(engine, checkfirst=False)
        file.write_text(
            json.dumps({"schema": schema, "statements": [*self._found.values()]}, indent=1), "utf-8"
        )

    def _issuer(self, frame: FrameType | None) -> str | None:
        """Find the function of the service that wanted this; None, if a test itself did."""
        while frame:
            path = Path(frame.f_code.co_filename)
            if path.is_relative_to(self._package):
                place = path.relative_to(self._package).as_posix()
                if place not in LAYERS:
                    return f"{place.removesuffix('.py')}:{frame.f_code.co_qualname.partition('.<locals>')[0]}"
            elif path.is_relative_to(self._sources.parent / "tests"):
                return None
            frame = frame.f_back
        return None

    def _note(self, connection: Connection, *executed: Any) -> None:
        _cursor, _sql, _parameters, context, _is_many = executed
        issuer = connection.info.pop(ISSUER, None)
        compiled: SQLCompiler | None = getattr(context, "compiled", None)
        if issuer is None or compiled is None or compiled.statement is None:
            return
        if isinstance(compiled.statement, Insert) and compiled.statement.select is None:
            # What inserts values looks for nothing.
            return
        key = (issuer, compiled.string)
        if key in self._found:
            return
        self._found[key] = {"issuer": issuer, "on": connection.dialect.name}
        # What is written as SQL is written for one database.
        names = [connection.dialect.name] if isinstance(compiled.statement, TextClause) else [*DIALECTS]
        for name in names:
            again: Any = compiled.statement.compile(dialect=DIALECTS[name], column_keys=compiled.column_keys)
            values = {bind.key: [None, None] if bind.expanding else None for bind in again.binds.values()}
            self._found[key][name] = again.construct_expanded_state(values).statement


def pytest_configure(config: pytest.Config) -> None:
    sys.path.insert(0, str(config.rootpath / "src"))
    statements = IssuedStatements(config.rootpath / "src")
    statements.listen()
    config.stash[STASH] = statements


def pytest_sessionfinish(session: pytest.Session) -> None:
    session.config.stash[STASH].write(Path(os.environ[FILE]))
