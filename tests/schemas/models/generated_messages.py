"""Messages made from the schemas themselves: any that a schema accepts, and any that break one of its limits."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from functools import cache, partial
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from sandbox import wire

Schema = Mapping[str, Any]
Values = SearchStrategy[Any]
Change = Callable[[st.DrawFn, Schema, Any], Any]
"""From the schema of a place, and a value that it accepts, to the value that is put there."""

# The same examples on each run, none kept in a file, and no clock asked: a gate that fails once fails again.
# Making them smaller would take minutes where a message is long.
MANY = settings(
    max_examples=25,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow],
)
FEW = settings(MANY, max_examples=3)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=5), parts, max_size=3),
    max_leaves=5,
)
OBJECTS = st.dictionaries(st.text(max_size=5), JSON, max_size=3)


class Limit(NamedTuple):
    """A keyword of a schema and the place it holds for; `*` is any index, or any key that the schema does not name.

    A `type` refuses null, too. That is a limit of its own here, `null`, because None has a meaning to models.
    """

    pointer: str
    keyword: str

    def __str__(self) -> str:
        return f"{self.keyword} of {self.pointer or 'the message'}"


class Narrower(NamedTuple):
    """The model takes less than the schema accepts: of what may stand at `pointer`, only what is `taken`."""

    pointer: str
    taken: Callable[[Any], bool]
    refused: Any
    reason: str


class Wider(NamedTuple):
    """The model takes what breaks these limits."""

    limits: tuple[Limit, ...]
    reason: str


class Contract:
    """One schema, and where the model of its messages is meant to differ from it."""

    def __init__(self, name: str, differences: tuple[Narrower | Wider, ...]) -> None:
        self.name = name
        self.narrower = [each for each in differences if isinstance(each, Narrower)]
        self.wider = [limit for each in differences if isinstance(each, Wider) for limit in each.limits]
        every = list(_limits(_inlined(name), ""))
        assert set(self.wider) <= set(every), "a difference names a limit that the schema does not have"
        self.strict = [limit for limit in every if limit not in self.wider]

    def accepted(self) -> Values:
        """Messages that schema and model accept."""
        return _Maker(taken={each.pointer: each.taken for each in self.narrower}).valid(self.name)

    def breaking(self, limit: Limit) -> Values:
        """Messages that break this one limit of the schema."""
        taken = {each.pointer: each.taken for each in self.narrower}
        values = _Maker(taken, {_place(limit): partial(_broken, limit)}).breaking(self.name, limit)
        # Where the whole message is changed, nothing has asked yet whether it is taken.
        whole = taken.get("")
        return values.filter(lambda value: not isinstance(value, dict) or whole(value)) if whole else values

    def refused_by_the_model(self, difference: Narrower) -> Values:
        """Messages that the schema accepts and the model is meant to refuse."""
        put = {difference.pointer: lambda _draw, _schema, _value: difference.refused}
        return _Maker(changes=put).valid(self.name)


class _Maker:
    """Makes messages; a place that `changes` is in every one of them."""

    def __init__(
        self,
        taken: Mapping[str, Callable[[Any], bool]] | None = None,
        changes: Mapping[str, Change] | None = None,
    ) -> None:
        self._taken = taken or {}
        self._changes = changes or {}

    def valid(self, name: str) -> Values:
        return _made_by(self, _inlined(name)).filter(lambda message: not wire.violations(name, message))

    def breaking(self, name: str, limit: Limit) -> Values:
        def breaks_it_alone(message: Any) -> bool:
            return {*map(_limit_of, wire.violations(name, message))} == {_as_reported(limit)}

        return _made_by(self, _inlined(name)).filter(breaks_it_alone)

    def make(self, draw: st.DrawFn, pointer: str, schema: Schema) -> Any:
        value = self._of_type(draw, pointer, schema, schema.get("type"))
        if pointer in self._changes:
            return self._changes[pointer](draw, schema, value)
        assume(pointer not in self._taken or self._taken[pointer](value))
        return value

    def _of_type(self, draw: st.DrawFn, pointer: str, schema: Schema, kind: str | list[str] | None) -> Any:  # noqa: PLR0911
        match kind:
            case None:
                return draw(JSON)
            case [*kinds]:
                return self._of_type(draw, pointer, schema, draw(st.sampled_from(kinds)))
            case "object":
                return self._object(draw, pointer, schema)
            case "array":
                return self._array(draw, pointer, schema)
            case "string":
                limits = schema.get("minLength", 0), schema.get("maxLength", 100)
                return draw(_texts(schema.get("format"), *limits))
            case "integer":
                return draw(st.integers())
            case "boolean":
                return draw(st.booleans())
        raise NotImplementedError(f"no message is made for the type {kind}")

    def _object(self, draw: st.DrawFn, pointer: str, schema: Schema) -> Any:
        if "properties" not in schema:
            return draw(OBJECTS)
        is_open = schema.get("additionalProperties", True)
        message = draw(_unknown_keys(frozenset(schema["properties"]))) if is_open else {}
        for name, part in schema["properties"].items():
            place = f"{pointer}/{name}"
            needed = name in schema.get("required", ()) or self._is_changed(place)
            if needed or draw(st.booleans()):
                message[name] = self.make(draw, place, part)
        return message

    def _array(self, draw: st.DrawFn, pointer: str, schema: Schema) -> Any:
        # Full ones are few, because they take long.
        size = draw(st.sampled_from([1, 0, 1, 2, 1, 2, 1, 2, 1, schema.get("maxItems", 3)]))
        if self._is_changed(pointer):
            size = max(size, 1)
        distinct = [self.make(draw, f"{pointer}/*", schema["items"]) for _ in range(min(size, 2))]
        return distinct + distinct[:1] * (size - len(distinct))

    def _is_changed(self, pointer: str) -> bool:
        return any(changed == pointer or changed.startswith(f"{pointer}/") for changed in self._changes)


@st.composite
def _made_by(draw: st.DrawFn, maker: _Maker, schema: Schema) -> Any:
    return maker.make(draw, "", schema)


@cache
def _inlined(name: str) -> dict[str, Any]:
    """The schema with each reference replaced by what it refers to."""
    root = wire.schema(name)

    def inlined(part: Any) -> Any:
        if isinstance(part, list):
            return [inlined(item) for item in part]
        if not isinstance(part, dict):
            return part
        if "$ref" not in part:
            return {keyword: inlined(value) for keyword, value in part.items() if keyword != "$defs"}
        place, _, inner = part["$ref"].partition("#/$defs/")
        return inlined(root["$defs"][inner]) if inner else _inlined(place.rpartition(":")[2])

    contents: dict[str, Any] = inlined(root)
    return contents


_ANNOTATIONS = {"$id", "$schema", "title", "description"}
_PARTS = {"properties", "items"}


def _limits(schema: Schema, pointer: str) -> Iterator[Limit]:
    """Every limit of the schema itself; those of a schema that it refers to are that one's."""
    for keyword, value in schema.items():
        if keyword == "required":
            yield from (Limit(f"{pointer}/{name}", keyword) for name in value)
        elif keyword == "additionalProperties":
            yield Limit(f"{pointer}/*", keyword)
        elif keyword not in _ANNOTATIONS | _PARTS:
            yield Limit(pointer, keyword)
        if keyword == "type":
            yield Limit(pointer, "null")
    for name, part in schema.get("properties", {}).items():
        yield from _limits(part, f"{pointer}/{name}")
    if "items" in schema and "$id" not in schema["items"]:
        yield from _limits(schema["items"], f"{pointer}/*")


def _place(limit: Limit) -> str:
    """Where a message breaks the limit: the lack of a key, or one too many, is its object's fault."""
    if limit.keyword in ("required", "additionalProperties"):
        return limit.pointer.rpartition("/")[0]
    return limit.pointer


def _as_reported(limit: Limit) -> Limit:
    """The limit as a validator names it."""
    return Limit(_place(limit), {"dependentSchemas": "not", "null": "type"}.get(limit.keyword, limit.keyword))


def _limit_of(violation: wire.Violation) -> Limit:
    return Limit(re.sub(r"/\d+(?=/|$)", "/*", violation.pointer), violation.keyword)


def _broken(limit: Limit, draw: st.DrawFn, schema: Schema, value: Any) -> Any:  # noqa: PLR0911
    match limit.keyword:
        case "required":
            return {key: part for key, part in value.items() if not limit.pointer.endswith(f"/{key}")}
        case "additionalProperties":
            return {**value, **draw(_unknown_keys(frozenset(schema["properties"]), at_least=1))}
        case "type":
            return draw(_of_another_type(schema["type"]))
        case "null":
            return None
        case "minLength":
            return _filled(schema.get("format"), schema["minLength"] - 1)
        case "maxLength":
            return _filled(schema.get("format"), schema["maxLength"] + 1)
        case "maxItems":
            return value[:1] * (schema["maxItems"] + 1)
        case "format":
            return draw(_ill_formed(schema["format"]))
        case "dependentSchemas":
            ((name, dependent),) = schema["dependentSchemas"].items()
            (other,) = dependent["not"]["required"]
            return {**value, name: "x", other: "x"}
    raise NotImplementedError(f"no message is made that breaks {limit}")


@cache
def _unknown_keys(known: frozenset[str], at_least: int = 0) -> Values:
    names = st.text(min_size=1).filter(lambda name: name not in known)
    return st.dictionaries(names, st.text(), min_size=at_least, max_size=2)


def _of_another_type(kind: str | list[str]) -> Values:
    own = wire.validator({"type": kind})
    each = [False, True, 0, 1, 7.5, "", "text", [], ["text"], {}, {"key": "text"}]
    return st.sampled_from([value for value in each if not own.is_valid(value)])


@cache
def _texts(form: str | None, shortest: int, longest: int) -> Values:
    formed = _FORMED[form] if form else st.text(min_size=shortest, max_size=30)
    return formed.filter(lambda text: shortest <= len(text) <= longest) | st.just(_filled(form, longest))


def _filled(form: str | None, length: int) -> str:
    """A text of this format and of exactly this length."""
    match form:
        case None:
            return "é" * length
        case "external-id":
            return "x" * length
        case "https-url-or-relative":
            return "https://files.example/".ljust(length, "x")
        case "date-time":
            return "2026-11-20T12:00:00.".ljust(length - 1, "0") + "Z"
    raise NotImplementedError(f"no text is made for the format {form}")


@cache
def _ill_formed(form: str) -> Values:
    texts = st.sampled_from(_DOUBTFUL[form]) | st.text(min_size=1, max_size=20)
    return texts.filter(lambda text: not wire.FORMATS.conforms(text, form))


_HOST = st.from_regex(r"[a-z][a-z0-9-]{0,9}(\.example)?|[0-9]{1,3}(\.[0-9]{1,3}){3}|\[::1\]", fullmatch=True)
_PORT = st.just("") | st.integers(1, 65535).map(lambda port: f":{port}")
_PATH = st.from_regex(r"([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2}|/){0,20}", fullmatch=True)
_QUERY = st.just("") | st.from_regex(r"\?[a-z0-9=&/?:@]{0,10}(#[a-z]{0,5})?", fullmatch=True)
_OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))

_FORMED: dict[str, Values] = {
    "external-id": st.from_regex(r"[!-~]([ -~]{0,30}[!-~])?", fullmatch=True),
    "https-url-or-relative": (
        st.builds("https://{}{}/{}{}".format, _HOST, _PORT, _PATH, _QUERY)
        | st.builds("{}{}{}".format, st.sampled_from(["/", "/", ""]), _PATH, _QUERY)
    ).filter(wire.is_https_url_or_relative),
    "date-time": (
        st.datetimes(timezones=_OFFSETS).map(datetime.isoformat)
        | st.sampled_from(
            [
                "2026-11-20t12:00:00.5z",
                "2026-11-20T12:00:00.123456789-00:00",
                "2016-12-31T23:59:60Z",
                "0001-01-01T00:00:00Z",
                "9999-12-31T23:59:59Z",
            ]
        )
    ).filter(wire.is_date_time),
}
_DOUBTFUL = {
    "external-id": [" post", "post ", "post\n", "pöst", "po\tst", "post\x7f", "\u00a0post"],
    "https-url-or-relative": [
        "http://files.example/a",
        "//files.example/a",
        "https:///a",
        "https://:443/a",
        "https://files.example:0/a",
        "https://files.example:65536/a",
        "https://[files.example/a",
        "https://files.example/a b",
        "https://files.example/ä",
        "https://files.example/100%",
        "/a b",
        "/100%",
        "data:,a",
        "?a",
    ],
    "date-time": [
        "2026-11-20",
        "2026-11-20T12:00:00",
        "2026-11-20T12:00Z",
        "2026-11-20 12:00:00Z",
        "2026-11-20T12:00:00+0100",
        "2026-11-20T12:00:00,5Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T12:00:60Z",
        "2026-02-29T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "1763640000",
    ],
}
