"""The wire contract, the examples that hold it, and the module with which projects hold their messages to it."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from commands import ROOT
from sandbox import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS = ROOT / "schemas"
"""What no project has: the examples, and the schema of the answers to the template's questions."""

ANSWERS = "answers"
MESSAGES = wire.names()
NAMES = sorted([*MESSAGES, ANSWERS])


@cache
def schema_of(name: str) -> dict[str, Any]:
    if name in MESSAGES:
        return wire.schema(name)
    contents: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    return contents


def violations(name: str, value: object) -> Iterator[wire.Violation]:
    return wire.violations_of(wire.validator(schema_of(name)), value)


class Example(NamedTuple):
    title: str
    value: Any


class CounterExample(NamedTuple):
    title: str
    value: Any
    pointer: str
    keyword: str


def examples(name: str) -> list[Example]:
    return [Example(entry["title"], _filled(entry["value"])) for entry in _example_file(name)["valid"]]


def counter_examples(name: str) -> list[CounterExample]:
    return [
        CounterExample(entry["title"], _filled(entry["value"]), entry["pointer"], entry["keyword"])
        for entry in _example_file(name)["invalid"]
    ]


def _example_file(name: str) -> dict[str, list[dict[str, Any]]]:
    path = SCHEMAS / "examples" / f"{name}.json"
    contents: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
    return contents


def _filled(value: Any) -> Any:
    """Write out `{"$fill": start, "with": part, "to": length}`, the short form of long strings and arrays."""
    if isinstance(value, list):
        return [_filled(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$fill" not in value:
        return {key: _filled(item) for key, item in value.items()}
    start, part, end = _filled(value["$fill"]), _filled(value["with"]), value.get("end", "")
    if isinstance(start, list):
        return start + [part] * (value["to"] - len(start))
    missing = value["to"] - len(start) - len(end)
    return start + (part * missing)[:missing] + end
