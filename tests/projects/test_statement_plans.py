"""EXPLAIN tells statements that an index serves from those that read a whole table, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from statement_plans import Plan, plans, scans

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = (
    "CREATE TABLE posts (id INTEGER PRIMARY KEY, account TEXT NOT NULL, state TEXT NOT NULL)",
    "CREATE INDEX by_account ON posts (account)",
    "CREATE INDEX waiting ON posts (id) WHERE state = 'waiting'",
)
SKIP_SCAN = (
    "WITH RECURSIVE found(value) AS (SELECT (SELECT account FROM posts ORDER BY account LIMIT 1) AS value UNION ALL"
    " SELECT (SELECT account FROM posts WHERE account > found.value ORDER BY account LIMIT 1) FROM found"
    " WHERE found.value IS NOT NULL) SELECT value FROM found"
)
SERVED = (
    "SELECT state FROM posts WHERE account = {}",
    "SELECT id FROM posts WHERE state = 'waiting'",
    "SELECT * FROM posts ORDER BY id DESC LIMIT 50",
    "SELECT * FROM posts WHERE id < {} ORDER BY id DESC LIMIT 50",
    "DELETE FROM posts WHERE id IN (SELECT id FROM posts WHERE account = {} LIMIT 1000)",
    "SELECT a.id FROM posts AS a JOIN posts AS b ON b.account = a.account WHERE a.id = {}",
    SKIP_SCAN,
)
SERVED_BY_VALUES = {
    "sqlite": "SELECT id FROM posts WHERE account IN (SELECT value FROM json_each({}))",
    "postgresql": "SELECT id FROM posts WHERE account = ANY ({}::text[])",
}
READS_ALL = (
    "SELECT id FROM posts",
    "SELECT id FROM posts WHERE state = {}",
    "SELECT * FROM posts WHERE state = {} ORDER BY id DESC LIMIT 50",
    "SELECT * FROM posts ORDER BY state LIMIT 50",
    "SELECT id FROM posts WHERE account = {} OR state = 'dead'",
    "UPDATE posts SET state = 'dead' WHERE state = {}",
    "SELECT a.id FROM posts AS a JOIN posts AS b ON b.state = a.state WHERE a.id = {}",
)
PLACEHOLDERS = {"sqlite": "?", "postgresql": "$1"}


@pytest.fixture(scope="module")
def plan_on() -> Iterator[dict[str, Plan]]:
    with plans(dict.fromkeys(PLACEHOLDERS, SCHEMA)) as found:
        yield found


@pytest.mark.parametrize("database", PLACEHOLDERS)
def test_a_plan_says_whether_a_table_is_read_as_a_whole(database: str, plan_on: dict[str, Plan]) -> None:
    plan, parameter = plan_on[database], PLACEHOLDERS[database]

    served = (*SERVED, SERVED_BY_VALUES[database])
    assert [statement for statement in served if plan(statement.format(parameter))] == []
    assert [statement for statement in READS_ALL if not plan(statement.format(parameter))] == []


def test_a_dropped_index_is_missed_where_its_statement_is_issued() -> None:
    statement = {name: SERVED[0].format(parameter) for name, parameter in PLACEHOLDERS.items()}
    rest = [definition for definition in SCHEMA if "by_account" not in definition]

    with plans(dict.fromkeys(PLACEHOLDERS, rest)) as plan_on:
        found = {
            name: scans([statement | {"issuer": "posts:of_account"}], name, plan)
            for name, plan in plan_on.items()
        }

    said = {name: issuers["posts:of_account"] for name, issuers in found.items()}
    assert said == {
        "sqlite": ["SCAN posts: SELECT state FROM posts WHERE account = ?"],
        "postgresql": ["Seq Scan of posts: SELECT state FROM posts WHERE account = $1"],
    }
