"""The tables of README.md: a script prints each, and puts it in its place there if it is told to --write.

A place is a comment that names it, and the table behind that.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

README = Path(__file__).with_name("README.md")

Place = Literal[
    "validation",
    "generation",
    "start",
    "requests",
    "requests: goals",
    "delivery",
    "delivery: one webhook",
    "storm on sqlite",
    "storm on postgresql",
    "replies on sqlite",
    "replies on postgresql",
    "growth",
    "strangers on sqlite",
    "strangers on postgresql",
    "fuzz",
    "soak on sqlite",
    "soak on postgresql",
    "day",
    "scale",
    "scale: rows",
    "capacity",
    "capacity: a million accounts",
]


def add_option(parser: ArgumentParser) -> None:
    parser.add_argument("--write", action="store_true", help="also put the tables into README.md")


def publish(tables: Mapping[Place, str], *, write: bool) -> None:
    """Print tables, and with `write` put them into README.md. Raises LookupError if one has no place there."""
    print(*tables.values(), sep="\n\n")
    if write:
        README.write_text(replaced(README.read_text("utf-8"), tables), "utf-8")


def replaced(text: str, tables: Mapping[Place, str]) -> str:
    for place, table in tables.items():
        old = re.findall(rf"^<!-- {re.escape(place)} -->\n\n(?:\|.*\n)+", text, re.MULTILINE)
        if len(old) != 1:
            raise LookupError(f"README.md has {len(old)} places of the name {place!r}, instead of one")
        text = text.replace(old[0], f"<!-- {place} -->\n\n{table}\n")
    return text


def tabular(head: str, columns: str, rows: Mapping[str, object]) -> str:
    """Give a table whose first column names the rows; `columns` and the rows' values may hold several cells."""
    lines = [f"| {head} | {columns} |", f"|---|{'---|' * len(columns.split(' | '))}"]
    return "\n".join([*lines, *(f"| {name} | {value} |" for name, value in rows.items())])
