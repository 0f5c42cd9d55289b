"""What a schema itself says about the part of a message that it refuses."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from .. import wire
from .refusals import Refusal

Schema = dict[str, Any]

# Behind these keywords stand several schemas, by key or by number.
_SEVERAL = {"allOf", "dependentSchemas", "patternProperties", "properties"}
# These lead from a part of the message to a part inside of it.
_INWARD = {"additionalProperties", "items", "patternProperties", "properties"}
_MARK = re.compile(r" \[[A-Z][\w:]*\]")


class _Step(NamedTuple):
    """A schema on the way to what refused, and the document that it stands in."""

    document: str
    schema: Schema
    inward: bool
    """Whether it is about a further part of the message, inside of the one before."""


def statement_of_place(name: str, refusal: Refusal) -> wire.Statement:
    """Return what the schema `name` says about the refused part, or about the nearest around it."""
    described = [
        descriptions
        for place in _places(name, refusal)
        if (descriptions := [step.schema["description"] for step in place if "description" in step.schema])
    ]
    return _joined(described[-1])


def statement_of_key(name: str, refusal: Refusal, key: str) -> wire.Statement:
    """Return what the schema `name` says about a key of the refused part."""
    for step in reversed(_places(name, refusal)[-1]):
        for each in filter(None, [step, _target(step)]):
            if key in each.schema.get("properties", {}):
                return _joined([each.schema["properties"][key]["description"]])
    return statement_of_place(name, refusal)


def _joined(descriptions: Sequence[str]) -> wire.Statement:
    """Join what is said about one part of a message: the first says what it means there, the last is nearest."""
    stated = [wire.statement(description) for description in descriptions]
    return wire.Statement(
        _MARK.sub("", stated[0].meaning),
        tuple(dict.fromkeys(mark for each in stated for mark in each.sources)),
        tuple(dict.fromkeys(rule for each in reversed(stated) for rule in each.rules)),
    )


def _places(name: str, refusal: Refusal) -> list[list[_Step]]:
    """Return the way to what refused, the steps about one part of the message together."""
    start = _Step(name, wire.schema(name), inward=False)
    places: list[list[_Step]] = [[]]
    for step in _way(start, refusal.way, refusal.schema):
        if step.inward:
            places.append([])
        places[-1].append(step)
    return places


def _way(start: _Step, keywords: Sequence[str | int], refused_by: Schema) -> list[_Step]:
    """Return the steps from `start` to the schema that refused; none if it is not reached.

    The keywords leave out `$ref`, so where a schema has both, each is tried.
    """
    if start.schema is refused_by:
        return [start]
    keyword, *rest = map(str, keywords)
    if keyword in start.schema and rest:
        inner = start.schema[keyword]
        if keyword in _SEVERAL:
            key, *rest = rest
            inner = inner[int(key) if isinstance(inner, list) else key]
        if found := _way(_Step(start.document, inner, keyword in _INWARD), rest, refused_by):
            return [start, *found]
    if (target := _target(start)) and (found := _way(target, keywords, refused_by)):
        return [start, *found]
    return []


def _target(step: _Step) -> _Step | None:
    """Return what a schema refers to, a part of the same document or another document."""
    if "$ref" not in step.schema:
        return None
    document, _, part = step.schema["$ref"].partition("#/$defs/")
    name = document.rpartition(":")[2] or step.document
    root = wire.schema(name)
    return _Step(name, root["$defs"][part] if part else root, inward=False)
