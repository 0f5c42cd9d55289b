"""The wire contract in `schemas/`: any message can be checked against it by name."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"
LONGEST_LINE = 300

# Only what is registered here: the checkers that jsonschema brings depend on which packages are installed.
FORMATS = FormatChecker(formats=())

_MARK = re.compile(r"\[([^\]]+)\]")
_MARKS = re.compile(r"\s*(?:\[[^\]]+\](?:,\[[^\]]+\])*)?(?: ?SVC-\d\d(?:, SVC-\d\d)*)?$")
_RULE = re.compile(r"SVC-\d\d")
_URL_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
_EXTERNAL_ID = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d+)?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)


class Violation(NamedTuple):
    """What is wrong (`keyword` refused it) and where (`pointer`, a JSON pointer into the message)."""

    pointer: str
    keyword: str
    message: str

    def __str__(self) -> str:
        return f"{self.pointer or '(whole message)'}: {self.message} ({self.keyword})"


class Statement(NamedTuple):
    """A description of a schema, with the marks of its sources and the numbers of the rules it serves."""

    meaning: str
    sources: tuple[str, ...]
    rules: tuple[str, ...]


def names() -> list[str]:
    return sorted(path.name.removesuffix(".schema.json") for path in SCHEMAS.glob("*.schema.json"))


@cache
def schema(name: str) -> dict[str, Any]:
    contents: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return contents


def validator(contract: Mapping[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(contract, registry=_registry(), format_checker=FORMATS)


def violations(name: str, message: object) -> list[Violation]:
    return list(violations_of(validator(schema(name)), message))


def violations_of(contract: Draft202012Validator, message: object) -> Iterator[Violation]:
    for error in contract.iter_errors(message):
        yield Violation(pointer_of(error.absolute_path), str(error.validator), _shortened(error.message))


def pointer_of(path: Iterable[str | int]) -> str:
    """Write a way into a message as a JSON pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def part_of(message: Any, pointer: str) -> Any:
    """Follow a JSON pointer into a message."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        message = message[int(key)] if isinstance(message, list) else message[key]
    return message


def check(name: str, message: object) -> None:
    """Fail with every violation of the schema `name`, one to a line."""
    __tracebackhide__ = True
    if found := violations(name, message):
        lines = "".join(f"\n  {violation}" for violation in found)
        raise AssertionError(f"not a valid {name}:{lines}")


def statement(description: str) -> Statement:
    """Part a description into what it says and where that comes from."""
    found = _MARKS.search(description)
    end = found.start() if found else len(description)
    return Statement(
        description[:end], tuple(_MARK.findall(description[end:])), tuple(_RULE.findall(description))
    )


@cache
def sources() -> dict[str, dict[str, str]]:
    """What the marks of sources stand for: a title, and a URL where there is one."""
    contents: dict[str, dict[str, str]] = json.loads((SCHEMAS / "sources.json").read_text(encoding="utf-8"))
    return contents


@FORMATS.checks("https-url")
def is_https_url(value: object) -> bool:
    """Whether a string is an absolute https URL; like every format, this says nothing about other types."""
    if not isinstance(value, str):
        return True
    if not _URL_CHARACTERS.fullmatch(value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


@FORMATS.checks("https-url-or-relative")
def is_https_url_or_relative(value: object) -> bool:
    """Whether a string is an https URL, once resolved against the https address of the manifest."""
    if not isinstance(value, str):
        return True
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    if parts.scheme or value.startswith("//"):
        return is_https_url(value)
    return bool(parts.path) and _URL_CHARACTERS.fullmatch(value) is not None


@FORMATS.checks("external-id")
def is_external_id(value: object) -> bool:
    """Whether a string is printable ASCII without outer white space; that it is not empty is `minLength`'s."""
    return not isinstance(value, str) or value == "" or _EXTERNAL_ID.fullmatch(value) is not None


@FORMATS.checks("date-time")
def is_date_time(value: object) -> bool:
    """Whether a string is a date-time of RFC 3339: a date that exists, an offset, leap seconds only where they occur."""
    if not isinstance(value, str):
        return True
    if not (match := _DATE_TIME.fullmatch(value)):
        return False
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    sign, offset_hours, offset_minutes = match.groups(default="0")[6:]
    offset = timedelta(hours=int(offset_hours), minutes=int(offset_minutes))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
        if second < 60:
            return True
        following = moment.astimezone(UTC) + timedelta(seconds=1)
    except (ValueError, OverflowError):
        return False
    return (following.day, following.hour, following.minute) == (1, 0, 0)


@cache
def _registry() -> Registry[Any]:
    resources = [DRAFT202012.create_resource(schema(name)) for name in names()]
    return resources @ Registry[Any]()


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_LINE:
        return text
    return f"{text[: LONGEST_LINE // 2]} … {text[-LONGEST_LINE // 2 :]}"
