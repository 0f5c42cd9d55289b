"""Ours and Zendesk's published schemas judge every message the same, but for the list in schemas/exceptions.json.

Two judgements are the same if they refuse the same places of a message. Their limits are tried one by one on
messages made from `published_contract`, ours on the examples and counter-examples, and both on generated messages.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from contract import SCHEMAS, counter_examples, examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from published_contract import (
    PUBLISHED,
    Anything,
    ByType,
    Flag,
    Items,
    Number,
    Record,
    Shape,
    Text,
)
from sandbox import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSING = re.compile(r"'(\w+)' is a required property")
FILES = list(PUBLISHED)


class Difference(NamedTuple):
    """Something that only one of the two refuses."""

    schema: str
    pointer: str
    keyword: str
    refused_by: str


@dataclass(frozen=True)
class Exemption:
    """An entry of the list: where only one of the two may refuse, and with which keyword."""

    id: str
    schema: str
    pointer: str
    keyword: str
    refused_by: str
    ours: Any
    theirs: Any
    reason: str
    reference: str

    def explains(self, difference: Difference) -> bool:
        schema, pointer, keyword, refused_by = difference
        same = (self.schema, self.keyword, self.refused_by) == (schema, keyword, refused_by)
        return same and _is_at(self.pointer, pointer)


def _is_at(pattern: str, pointer: str) -> bool:
    steps, places = pattern.split("/"), pointer.split("/")
    return len(steps) == len(places) and all(
        step in ("*", place) for step, place in zip(steps, places, strict=True)
    )


EXEMPTIONS = [
    Exemption(**entry) for entry in json.loads((SCHEMAS / "exceptions.json").read_text(encoding="utf-8"))
]


# --- Judging ------------------------------------------------------------------------------------


def refused_by_ours(name: str, message: Any) -> dict[str, str]:
    """Return the places that our schema refuses, each with its keyword."""
    places = {}
    for error in wire.validator(wire.schema(name)).iter_errors(message):
        at = "".join(f"/{step}" for step in error.absolute_path)
        if missing := MISSING.match(error.message):
            places[f"{at}/{missing[1]}"] = "required"
        elif error.validator == "additionalProperties":
            unknown = set(error.instance) - set(error.schema["properties"])
            places |= dict.fromkeys((f"{at}/{key}" for key in unknown), "additionalProperties")
        else:
            places[at] = str(error.validator)
    return places


def refused_by_theirs(shape: Shape, message: Any) -> dict[str, str]:
    return dict(shape.refusals(message))


def differences(file: str, message: Any) -> Iterator[Difference]:
    name, shape = PUBLISHED[file]
    ours, theirs = refused_by_ours(name, message), refused_by_theirs(shape, message)
    for place in sorted(ours.keys() ^ theirs.keys()):
        schema, pointer = name, place
        if in_resource := re.fullmatch(r"/external_resources/\d+(|/.*)", place):
            schema, pointer = "external-resource", in_resource[1]
        if place in ours:
            yield Difference(schema, pointer, ours[place], "ours")
        else:
            yield Difference(schema, pointer, theirs[place], "theirs")


def unexplained(file: str, message: Any) -> list[Difference]:
    return [
        difference
        for difference in differences(file, message)
        if not any(exemption.explains(difference) for exemption in EXEMPTIONS)
    ]


# --- Messages at every limit --------------------------------------------------------------------

OF_EVERY_TYPE: tuple[Any, ...] = (None, True, False, 7, 1.5, 2.0, "x", [], {})
UNKNOWN_KEY = "not_in_any_schema"
OUR_LIMITS = sorted({exemption.ours for exemption in EXEMPTIONS if isinstance(exemption.ours, int)})

IN_FORM = {
    "": ["x", "é", " "],
    "https-url": [
        "https://a.example",
        "HTTPS://a.example:8443/b?c=d#e",
        "https://a b",
        "https://a.example/é",
        "https://",
        "https:a",
        "https:///a",
        "http://a.example",
        "javascript:a",
        "//a.example/b",
        "b",
        "./b",
        "/b/c.jpg?d=e",
        "/b c",
    ],
    "external-id": [
        "a",
        "a b",
        "urn:a:b%+#",
        "é",
        "日",
        "a\tb",
        "a\x00b",
        " ",
        " a",
        "a ",
        "a\n",
        "\ta",
        "\u00a0a",
    ],
    "date-time": [
        "2026-11-20T10:15:00Z",
        "2026-11-20t10:15:00.123456789z",
        "2024-02-29T23:59:59-05:30",
        "2016-12-31T23:59:60Z",
        "2016-12-30T23:59:60Z",
        "2026-02-29T00:00:00Z",
        "2026-11-20T10:15:61Z",
        "2026-11-20T10:15:00",
        "2026-11-20 10:15:00Z",
        "2026-11-20",
        "2026-11-20T10:15:00+24:00",
        "1795169700",
    ],
}


def least(shape: Shape) -> Any:
    """Make the smallest value that both accept."""
    match shape:
        case Text():
            return shape.words[0] if shape.words else IN_FORM[shape.form][0]
        case Flag():
            return False
        case Number() | Anything():
            return 7
        case Items():
            return []
        case Record():
            return {key: least(shape.members[key]) for key in shape.needed}
        case ByType():
            return least(shape.common) | least(next(iter(shape.cases.values())))


def of_length(shape: Text, length: int) -> str:
    start = least(shape) if shape.form in ("https-url", "date-time") else ""
    if shape.form == "date-time":
        return str(start[:-1] + "." + "0" * (length - len(start) - 1) + "Z")
    return str(start.ljust(length, "x"))


def variants(shape: Shape) -> Iterator[Any]:
    """Yield values of every type, and values at and beyond every limit."""
    yield from OF_EVERY_TYPE
    match shape:
        case Text():
            yield from ("", *shape.words, *IN_FORM[shape.form])
            if shape.most is not None:
                limits = {shape.least, shape.most, *(limit for limit in OUR_LIMITS if limit < shape.most)}
                shortest = len(least(shape)) + 2 if shape.form in ("https-url", "date-time") else 1
                for limit in sorted(limits):
                    yield from (of_length(shape, n) for n in (limit, limit + 1) if n >= shortest)
        case Items():
            one = least(shape.of)
            if shape.most is not None:
                limits = {shape.most, *(limit for limit in OUR_LIMITS if limit < shape.most)}
                yield from ([one] * n for limit in sorted(limits) for n in (limit, limit + 1))
            yield from ([one, value] for value in variants(shape.of))
        case Record():
            yield from _records(shape, least(shape))
        case ByType():
            smallest = least(shape.common)
            yield from _records(shape.common, smallest | least(next(iter(shape.cases.values()))))
            for type_id, case in shape.cases.items():
                whole = smallest | least(case) | {"type_id": type_id}
                yield from _records(case, whole)
                # The same for a type that nobody knows.
                yield whole | {"type_id": "unheard_of"}


def _records(shape: Record, whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield whole
    yield whole | {UNKNOWN_KEY: "x"}
    for key in shape.needed:
        yield {other: value for other, value in whole.items() if other != key}
    for key, member in shape.members.items():
        yield from (whole | {key: value} for value in variants(member))


@cache
def messages(file: str) -> list[Any]:
    """Return every message to judge: at the limits of theirs, and the examples that hold ours."""
    name, shape = PUBLISHED[file]
    accepted = [example.value for example in examples(name)]
    refused = [example.value for example in counter_examples(name)]
    return [*variants(shape), *accepted, *refused]


@pytest.mark.parametrize("file", FILES)
def test_both_accept_the_smallest_message(file: str) -> None:
    name, shape = PUBLISHED[file]
    assert refused_by_ours(name, least(shape)) == {}
    assert refused_by_theirs(shape, least(shape)) == {}


@pytest.mark.parametrize("file", FILES)
def test_both_judge_a_message_at_any_limit_the_same(file: str) -> None:
    """Their limits are in messages made from them; each keyword of ours is refused by a counter-example."""
    assert len(messages(file)) > 100
    assert [(message, found) for message in messages(file) if (found := unexplained(file, message))] == []


# --- Generated messages -------------------------------------------------------------------------

OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TEXTS = {
    "": st.text(max_size=12),
    "https-url": st.one_of(
        st.text(max_size=12).map("https://".__add__), st.text("htps:/.a%2?#[]@\\\\é ", max_size=12)
    ),
    "external-id": st.one_of(st.text(" -~", max_size=12), st.text(max_size=12)),
    "date-time": st.one_of(
        st.datetimes(timezones=OFFSETS).map(lambda moment: moment.isoformat()),
        st.text("0123456789-:.TZ+", max_size=30),
    ),
}


def generated(shape: Shape) -> st.SearchStrategy[Any]:
    """Generate values that are mostly of the right type, and often at or beyond a limit."""
    return st.one_of(_of_type(shape), _of_type(shape), st.sampled_from(OF_EVERY_TYPE))


def _of_type(shape: Shape) -> st.SearchStrategy[Any]:
    found: st.SearchStrategy[Any] = st.sampled_from(OF_EVERY_TYPE)
    match shape:
        case Text():
            short = [value for value in variants(shape) if len(str(value)) < 600]
            found = st.one_of(TEXTS[shape.form], st.sampled_from(short))
        case Flag():
            found = st.booleans()
        case Number():
            found = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
        case Items():
            found = st.lists(generated(shape.of), max_size=3)
        case Record():
            found = _generated_record(shape)
        case ByType():
            found = st.one_of([_generated_record(record) for record in _whole_records(shape)])
    return found


def _whole_records(shape: ByType) -> Iterator[Record]:
    """Yield the record of each type, with what all types have in common."""
    for type_id, case in shape.cases.items():
        members = {**shape.common.members, **case.members, "type_id": Text(words=(type_id,))}
        yield Record((*shape.common.needed, *case.needed), members)


def _generated_record(shape: Record) -> st.SearchStrategy[dict[str, Any]]:
    needed = {key: generated(shape.members[key]) for key in shape.needed}
    others = {key: generated(member) for key, member in shape.members.items() if key not in needed}
    whole = st.fixed_dictionaries(needed, optional=others | {UNKNOWN_KEY: st.none()})
    if not needed:
        return whole
    damaged = st.tuples(whole, st.sampled_from(shape.needed)).map(
        lambda drawn: {key: value for key, value in drawn[0].items() if key != drawn[1]}
    )
    return st.one_of(whole, whole, damaged)


@pytest.mark.parametrize("file", FILES)
def test_both_judge_generated_messages_the_same(file: str) -> None:
    @settings(
        max_examples=150,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(generated(PUBLISHED[file][1]))
    def judged_the_same(message: Any) -> None:
        assert unexplained(file, message) == []

    judged_the_same()


# --- The list of exceptions ---------------------------------------------------------------------


def ours_at(name: str, pointer: str) -> dict[str, Any]:
    """Find what our schema demands at a place, with references followed."""
    document = wire.schema(name)
    found = document
    for step in pointer.split("/")[1:]:
        found = found["items"] if step == "*" else found["properties"][step]
        if (reference := found.get("$ref", "")).startswith("urn:"):
            document = found = wire.schema(reference.rpartition(":")[2])
        elif reference:
            found = document["$defs"][reference.rpartition("/")[2]]
    return dict(found)


def theirs_at(shape: Shape, pointer: str) -> Shape:
    for step in pointer.split("/")[1:]:
        assert isinstance(shape, Items | Record)
        shape = shape.of if isinstance(shape, Items) else shape.members[step]
    return shape


def records(shape: Shape, at: str = "") -> Iterator[tuple[str, Record]]:
    if isinstance(shape, Items):
        yield from records(shape.of, f"{at}/*")
    elif isinstance(shape, Record):
        yield at, shape
        for key, member in shape.members.items():
            yield from records(member, f"{at}/{key}")


@pytest.mark.parametrize("file", FILES)
def test_where_ours_refuses_unknown_keys_both_know_the_same_keys(file: str) -> None:
    """A key that only one of them knew could not be told from an unknown one."""
    name, shape = PUBLISHED[file]
    strict = 0
    for pointer, record in records(shape):
        ours = ours_at(name, pointer)
        if "additionalProperties" in ours:
            strict += 1
            assert sorted(ours["properties"]) == sorted(record.members), pointer
    assert strict > 0 or name == "event-callback"


def test_every_exception_occurs() -> None:
    occurring = {
        exemption.id
        for file in FILES
        for message in messages(file)
        for difference in differences(file, message)
        for exemption in EXEMPTIONS
        if exemption.explains(difference)
    }
    assert [exemption.id for exemption in EXEMPTIONS if exemption.id not in occurring] == []


@pytest.mark.parametrize("exemption", EXEMPTIONS, ids=[exemption.id for exemption in EXEMPTIONS])
def test_an_exception_says_what_it_is(exemption: Exemption) -> None:
    assert exemption.refused_by in ("ours", "theirs")
    assert all(re.fullmatch(r"D\d{1,2}|(SVC|ZEN)-\d\d", one) for one in exemption.reference.split(", "))
    assert exemption.reason.endswith(".")
    shapes = [shape for name, shape in PUBLISHED.values() if name == exemption.schema]
    assert shapes
    if isinstance(exemption.ours, int) and not isinstance(exemption.ours, bool):
        assert ours_at(exemption.schema, exemption.pointer)[exemption.keyword] == exemption.ours
        part = "least" if exemption.keyword == "minLength" else "most"
        limits = {getattr(theirs_at(shape, exemption.pointer), part) for shape in shapes}
        assert exemption.theirs in limits
    else:
        assert exemption.ours != exemption.theirs


def test_the_names_of_exceptions_are_unique() -> None:
    ids = [exemption.id for exemption in EXEMPTIONS]
    assert sorted(set(ids)) == sorted(ids)
