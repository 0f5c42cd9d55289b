"""The schemas: no rule without need, no property without a source, and the questions keep to their limits."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from commands import ROOT, run
from contract import MESSAGES, NAMES, SCHEMAS, CounterExample, Example, counter_examples, examples, schema_of
from questionnaire import Questionnaire, RefusedError
from sandbox import wire

if TYPE_CHECKING:
    from collections.abc import Iterator


# --- The schemas and their examples -------------------------------------------------------------


def test_every_schema_has_examples_and_every_example_file_a_schema() -> None:
    assert sorted(path.stem for path in (SCHEMAS / "examples").iterdir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_titles_of_examples_are_unique(name: str) -> None:
    titles = [example.title for example in examples(name)]
    titles += [example.title for example in counter_examples(name)]
    assert sorted(set(titles)) == sorted(titles)


def test_nothing_of_the_template_is_a_symbolic_link() -> None:
    """Git checks one out as a text file where the system has none, as on Windows."""
    listed = run("git", "ls-files", "--stage", folder=ROOT).output.splitlines()
    assert len(listed) > 100
    assert [entry for entry in listed if entry.startswith("120000")] == []


# --- Every keyword is needed --------------------------------------------------------------------

Way = tuple[str | int, ...]

ANNOTATIONS = {"$schema", "$id", "$comment", "$defs", "title", "description", "default", "examples"}
SCHEMA_IN = {"additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"}
LIST_OF_SCHEMAS_IN = {"allOf", "anyOf", "oneOf", "prefixItems"}
MAP_OF_SCHEMAS_IN = {"$defs", "dependentSchemas", "patternProperties", "properties"}
LIMITS = {
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
}


def subschemas(schema: Any, path: Way = ()) -> Iterator[tuple[Way, dict[str, Any]]]:
    """Yield every schema inside `schema`, itself first, and the way to it."""
    if not isinstance(schema, dict):
        return
    yield path, schema
    for keyword, value in schema.items():
        if keyword in SCHEMA_IN:
            yield from subschemas(value, (*path, keyword))
        elif keyword in LIST_OF_SCHEMAS_IN:
            for index, item in enumerate(value):
                yield from subschemas(item, (*path, keyword, index))
        elif keyword in MAP_OF_SCHEMAS_IN:
            for key, item in value.items():
                yield from subschemas(item, (*path, keyword, key))


def weakened(keyword: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Take one part of a keyword away, or move its limit by one in either direction."""
    if keyword in LIMITS:
        yield "one more", value + 1
        yield "one less", value - 1
    elif keyword in MAP_OF_SCHEMAS_IN:
        for key in value:
            yield f"without {key}", {other: item for other, item in value.items() if other != key}
    elif isinstance(value, list):
        for item in value:
            yield f"without {item}", [other for other in value if other != item]


class Mutant(NamedTuple):
    change: str
    keyword: str
    schema: dict[str, Any]


def mutants(schema: dict[str, Any]) -> Iterator[Mutant]:
    """Yield the schema once without each keyword, and once with each keyword weakened in each way."""
    for path, found in subschemas(schema):
        for keyword, value in found.items():
            if keyword in ANNOTATIONS:
                continue
            place = "/".join(map(str, (*path, keyword)))
            for change, mutated in [("dropped", None), *weakened(keyword, value)]:
                if mutated == []:
                    continue
                mutant = copy.deepcopy(schema)
                at: Any = mutant
                for step in path:
                    at = at[step]
                if mutated is None:
                    del at[keyword]
                else:
                    at[keyword] = mutated
                yield Mutant(f"{place}: {change}", keyword, mutant)


def is_noticed(mutant: Mutant, refused: list[CounterExample], accepted: list[Example]) -> bool:
    """Tell whether an example is now refused, or a counter-example accepted or refused otherwise.

    Puts what has noticed it first in `refused`: the next mutant is often much like this one, and a bundle takes long
    to check.
    """
    validator = wire.validator(mutant.schema)
    for example in sorted(refused, key=lambda example: example.keyword != mutant.keyword):
        reasons = [(found.pointer, found.keyword) for found in wire.violations_of(validator, example.value)]
        if reasons != [(example.pointer, example.keyword)]:
            refused.remove(example)
            refused.insert(0, example)
            return True
    return any(not validator.is_valid(example.value) for example in accepted)


@pytest.mark.parametrize("name", NAMES)
def test_every_keyword_is_held_by_an_example(name: str) -> None:
    """Dropping or weakening any keyword of any schema, or moving any limit by one, makes an example fail."""
    changes = list(mutants(schema_of(name)))
    refused, accepted = counter_examples(name), examples(name)
    assert len(changes) > 5
    assert [mutant.change for mutant in changes if not is_noticed(mutant, refused, accepted)] == []


# --- What a schema says about itself ------------------------------------------------------------

MARKS = re.compile(r"(?<=[.] )(\[[^\]]+\](?:,\[[^\]]+\])*)(?: SVC-\d\d(?:, SVC-\d\d)*)?$")


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_names_itself(name: str) -> None:
    schema = schema_of(name)
    assert list(schema)[:4] == ["$schema", "$id", "title", "description"]
    assert schema["$id"] == f"urn:zendesk-channel:schema:{name}"
    assert schema["title"]
    assert schema["description"].endswith(".")


@pytest.mark.parametrize("name", MESSAGES)
def test_every_property_has_a_description_with_a_source(name: str) -> None:
    sources = wire.sources()
    properties = {
        f"{'/'.join(map(str, path))}/{key}": found
        for path, schema in subschemas(schema_of(name))
        for key, found in schema.get("properties", {}).items()
    }
    assert properties
    for place, found in properties.items():
        marks = MARKS.search(found["description"])
        assert marks, f"{place}: the description does not end with its sources: {found['description']}"
        assert set(re.findall(r"\[([^\]]+)\]", marks[1])) <= set(sources), place


def test_every_source_is_used() -> None:
    sources = wire.sources()
    schemas = "".join(path.read_text(encoding="utf-8") for path in wire.SCHEMAS.glob("*.schema.json"))
    assert [mark for mark in sources if f"[{mark}]" not in schemas] == []


def test_no_file_holds_a_jinja_delimiter_or_a_key_twice() -> None:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), f"a key twice among {keys}"
        return dict(pairs)

    files = [*SCHEMAS.rglob("*.json"), *wire.SCHEMAS.glob("*.json")]
    assert len(files) > 2 * len(NAMES)
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert [mark for mark in ("{{", "{%", "{#") if mark in text] == [], path.name
        json.loads(text, object_pairs_hook=unique)


# --- How messages are checked -------------------------------------------------------------------


def test_a_check_lists_every_violation() -> None:
    message: dict[str, object] = {"external_resources": [], "state": None, "metadata": "x" * 5001}
    with pytest.raises(AssertionError) as failure:
        wire.check("pull-response", message)
    first, *rest = str(failure.value).splitlines()
    assert first == "not a valid pull-response:"
    assert rest[0] == "  /state: None is not of type 'string' (type)"
    assert re.fullmatch(r"  /metadata: 'x+ … x+' is too long \(maxLength\)", rest[1])
    assert len(rest[1]) < 400


def test_a_check_names_the_whole_message_and_escapes_pointers() -> None:
    with pytest.raises(AssertionError, match=re.escape("(whole message): [] is not of type 'object' (type)")):
        wire.check("manifest", [])
    validator = wire.validator({"properties": {"a/b~c": {"type": "string"}}})
    assert [found.pointer for found in wire.violations_of(validator, {"a/b~c": 1})] == ["/a~1b~0c"]


RIGHT = {
    "https-url": ["https://a", "https://a.example:8443/b?c=d&e=%20#f", "https://[::1]/", "HTTPS://a.example"],
    "https-url-or-relative": ["https://a/b", "b", "./b", "../b?c", "/b/c%20d.jpg?e=f"],
    "external-id": ["", "a", "a b", "a&b=c%+#:", "~", "a" * 300],
    "date-time": [
        "2026-11-20T10:15:00Z",
        "2026-11-20t10:15:00z",
        "2026-11-20T10:15:00.123456789+05:30",
        "2024-02-29T00:00:00-00:00",
        "2016-12-31T23:59:60Z",
        "2017-01-01T05:29:60+05:30",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59Z",
    ],
}
WRONG = {
    "https-url": [
        "",
        "a",
        "/a",
        "http://a",
        "javascript:a",
        "https:a",
        "https://",
        "https:///a",
        "https://:443/",
        "https://a:b/",
        "https://a:65536/",
        "https://[::1/",
        "https://a b",
        "https://a\n",
        "https://a/é",
        "https://a/%2",
        "https://a\\b",
    ],
    "https-url-or-relative": [
        "",
        "?c",
        "#c",
        "/b c",
        "/b\n",
        "/é",
        "http://a/b",
        "file:b",
        "https:b",
        "https://",
        "//a.example/b",
        "//[::1/b",
    ],
    "external-id": [" ", " a", "a ", "a\n", "\ta", "é", "日", "a\u00a0b", "a\tb", "a\x00b", "a\x7fb"],
    "date-time": [
        "",
        "2026-11-20",
        "2026-11-20T10:15:00",
        "2026-11-20 10:15:00Z",
        "2026-11-20T10:15Z",
        "2026-11-20T10:15:00.Z",
        "2026-11-20T10:15:00Z\n",
        "\u0662\u066026-11-20T10:15:00Z",
        "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T10:60:00Z",
        "2026-11-20T10:15:61Z",
        "2026-11-20T10:15:00+0530",
        "2026-11-20T10:15:00+24:00",
        "2026-11-20T10:15:00+01:60",
        "2026-11-20T10:15:60Z",
        "2016-12-31T22:59:60Z",
        "2016-12-30T23:59:60Z",
        "9999-12-31T23:59:60Z",
    ],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in RIGHT for value in RIGHT[name]])
def test_a_format_accepts(name: str, value: str) -> None:
    assert wire.FORMATS.conforms(value, name)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_a_format_refuses(name: str, value: str) -> None:
    assert not wire.FORMATS.conforms(value, name)


@pytest.mark.parametrize("name", RIGHT)
def test_a_format_leaves_other_types_to_the_keyword_type(name: str) -> None:
    assert all(wire.FORMATS.conforms(value, name) for value in (None, 7, ["https://a b"]))


def test_the_formats_that_schemas_name_are_exactly_those_that_are_checked() -> None:
    """A format that nobody checks refuses nothing."""
    named = {
        found["format"] for name in NAMES for _, found in subschemas(schema_of(name)) if "format" in found
    }
    assert named == set(wire.FORMATS.checkers) == set(RIGHT) == set(WRONG)


# --- The questions keep to the limits -----------------------------------------------------------


def refusal(questionnaire: Questionnaire, question: str, answer: str) -> str:
    try:
        questionnaire.ask(question, answer, {})
    except RefusedError as refused:
        return refused.sentence
    return ""


def longest_answer(questionnaire: Questionnaire, question: str, start: str = "") -> int:
    """Find how long an accepted answer may be; the refusal of a longer one must name that limit."""
    lengths = range(len(start) + 1, 600)
    limit = max(
        length for length in lengths if not refusal(questionnaire, question, start.ljust(length, "a"))
    )
    assert f" {limit} characters" in refusal(questionnaire, question, start.ljust(limit + 1, "a"))
    return limit


@pytest.mark.parametrize(
    ("question", "key"), [("origin_name", "name"), ("user_name", "author"), ("integration_id", "id")]
)
def test_a_question_allows_exactly_what_the_manifest_holds(
    questionnaire: Questionnaire, question: str, key: str
) -> None:
    assert longest_answer(questionnaire, question) == wire.schema("manifest")["properties"][key]["maxLength"]


def test_the_public_url_leaves_room_for_the_longest_path(questionnaire: Questionnaire) -> None:
    """Paths are named after the manifest's keys, without the ending `_url`."""
    manifest = wire.schema("manifest")
    paths = [f"/channel/{key.removesuffix('_url')}" for key in manifest["properties"]["urls"]["properties"]]
    room = manifest["$defs"]["url"]["maxLength"] - longest_answer(questionnaire, "public_url", "https://")
    assert max(map(len, paths)) <= room
