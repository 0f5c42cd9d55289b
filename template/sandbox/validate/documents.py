"""A message as it stands in a file: its value, and where each part of it stands."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

from ..wire import pointer_of

DEEPEST = 100
"""Levels of nesting; no message of the contract comes near it."""

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"""[^\s,:{}\[\]"]+|.""", re.DOTALL)
_LITERALS = {"true": True, "false": False, "null": None}
_PYTHON = {"True": "true", "False": "false", "None": "null"}
_NOT_NUMBERS = {"NaN", "Infinity", "-Infinity", "+Infinity"}
_LOOKS_LIKE_A_FORM = re.compile(r"\s*[A-Za-z_][\w.%\[\]-]*=")
_LOOSE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Place(NamedTuple):
    """A line, and a column counted in characters, both from 1."""

    line: int
    column: int


class Problem(NamedTuple):
    """Why a text is no plain JSON or form, and what to do about it."""

    place: Place
    pointer: str
    keyword: str
    wrong: str
    remedy: str


class UnreadableError(Exception):
    """A text that has no value at all."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.wrong)
        self.problem = problem


@dataclass
class Document:
    """What was read; `problems` are those that leave it a value."""

    text: str
    is_form: bool = False
    value: Any = None
    problems: list[Problem] = field(default_factory=list)
    starts: dict[str, int] = field(default_factory=dict)
    """Where each value begins, as an offset, by its JSON pointer."""
    keys: dict[str, int] = field(default_factory=dict)
    """Where the key before a value begins, by the JSON pointer of the value."""

    def place(self, pointer: str) -> Place:
        return self._place(self.starts, pointer)

    def key_place(self, pointer: str) -> Place:
        return self._place(self.keys, pointer)

    def _place(self, offsets: Mapping[str, int], pointer: str) -> Place:
        return _place(self.text, offsets[pointer])


def read(content: bytes, *, form: bool = False) -> Document:
    """Read UTF-8 as JSON, or as a urlencoded form if `form` is set or the text looks like one.

    Raises `UnreadableError` if it is neither.
    """
    text = _decoded(content)
    bom = text.startswith("\ufeff")
    text = text.removeprefix("\ufeff")
    if form or _LOOKS_LIKE_A_FORM.match(text):
        document = _FormReader(text).document
    else:
        document = _JsonReader(text).document
    if bom:
        document.problems.insert(
            0,
            Problem(
                Place(1, 1),
                "",
                "byte-order-mark",
                "the text begins with a byte order mark, which many readers of JSON refuse",
                "Save the file as UTF-8 without a byte order mark (BOM).",
            ),
        )
    return document


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        problem = Problem(
            _place(before, len(before)),
            "",
            "encoding",
            f"the byte {content[error.start]:#04x} is not UTF-8",
            "Save the file as UTF-8, the only encoding that JSON and Zendesk's forms have.",
        )
        raise UnreadableError(problem) from None


def _place(text: str, offset: int) -> Place:
    return Place(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


class _JsonReader:
    """Reads JSON strictly, as RFC 8259 has it, and remembers where everything stands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.document = Document(text)
        self.document.value = self._value("", 0)
        self._skip_space()
        if self._at < len(text):
            raise self._refused(
                "something follows the end of the JSON value",
                "Remove what follows, or a bracket that closes too early; a file holds one value.",
            )

    def _value(self, pointer: str, depth: int) -> Any:
        self._skip_space()
        self.document.starts[pointer] = self._at
        if depth > DEEPEST:
            raise self._refused(f"more than {DEEPEST} levels are nested", "Nest less; no message needs that.")
        match self._next():
            case "{":
                return self._object(pointer, depth)
            case "[":
                return self._array(pointer, depth)
            case '"':
                return self._string()
            case "":
                raise self._refused("the text ends where a value must stand", "Complete the file.")
        return self._scalar()

    def _object(self, pointer: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._at += 1
        closed = self._takes("}")
        while not closed:
            self._skip_space()
            start = self._at
            if self._next() != '"':
                raise self._refused_key()
            key = self._string()
            inner = pointer + pointer_of([key])
            if key in found:
                self._report_repeated(key, inner, start)
            self.document.keys[inner] = start
            if not self._takes(":"):
                raise self._refused(
                    f"no colon follows the key {_shown(key)}", "Write a colon between key and value."
                )
            found[key] = self._value(inner, depth + 1)
            closed = self._goes_on("}")
        return found

    def _array(self, pointer: str, depth: int) -> list[Any]:
        found: list[Any] = []
        self._at += 1
        closed = self._takes("]")
        while not closed:
            self._skip_space()
            if self._next() == "]":
                raise self._refused("a comma stands before the closing bracket", "Remove the comma.")
            found.append(self._value(f"{pointer}/{len(found)}", depth + 1))
            closed = self._goes_on("]")
        return found

    def _goes_on(self, end: str) -> bool:
        """Take the comma or the closing bracket that must follow; say whether it was the bracket."""
        if self._takes(end):
            return True
        if not self._takes(","):
            raise self._refused(
                "the text ends inside of an array or an object" if not self._next() else "a comma is missing",
                f"Write a comma before what follows, or close with {end} before it.",
            )
        return False

    def _string(self) -> str:
        start = self._at
        self._at += len(self._ahead(_STRING))
        match self._next():
            case '"':
                self._at += 1
            case "":
                self._at = start
                raise self._refused(
                    "no quotation mark closes this string", 'Write " behind its last character.'
                )
            case "\\":
                raise self._refused(
                    "this is no escape sequence of JSON",
                    r"Write a backslash as \\, and other characters as they are or as \u and four digits.",
                )
            case _:
                raise self._refused(
                    "a line break or another control character stands inside of a string",
                    r'Write a line break as \n and a tab as \t, or close the string with ".',
                )
        text: str = json.loads(self._text[start : self._at])
        if _SURROGATE.search(text):
            self._at = start
            raise self._refused(
                r"the string holds half of a character: a \u escape of a surrogate without its other half",
                "Write the character itself, or both halves of it.",
            )
        return text

    def _scalar(self) -> Any:
        word = self._ahead(_WORD)
        if word in _LITERALS:
            self._at += len(word)
            return _LITERALS[word]
        if _NUMBER.fullmatch(word):
            try:
                number = json.loads(word)
            except ValueError:
                raise self._refused(
                    f"the number has {len(word)} digits", "Write it as a string, or with an exponent."
                ) from None
            self._at += len(word)
            return number
        if word in _NOT_NUMBERS:
            raise self._refused(f"JSON has no {word}", "Write a number, or leave the key out.")
        if word in _PYTHON:
            raise self._refused(f"JSON has no {word}", f"Write {_PYTHON[word]}.")
        if word.startswith(("//", "/*", "#")):
            raise self._refused("JSON has no comments", "Remove the comment.")
        raise self._refused(
            f"{_shown(word)} is no JSON value",
            'Write a string between double quotation marks ("), or a number, true, false or null.',
        )

    def _refused_key(self) -> UnreadableError:
        match self._next():
            case "}":
                return self._refused("a comma stands before the closing bracket", "Remove the comma.")
            case "":
                return self._refused(
                    "the text ends inside of an object", "Complete the file; } closes an object."
                )
            case "/" | "#":
                return self._refused("JSON has no comments", "Remove the comment.")
        return self._refused("a key must stand here", 'Write the key between double quotation marks (").')

    def _report_repeated(self, key: str, pointer: str, start: int) -> None:
        first = _place(self._text, self.document.keys[pointer])
        self.document.problems.append(
            Problem(
                _place(self._text, start),
                pointer,
                "duplicate-key",
                f"the key {_shown(key)} stands in this object already, in line {first.line}",
                "Keep one of the two: readers of JSON drop the other without a word.",
            )
        )

    def _refused(self, wrong: str, remedy: str) -> UnreadableError:
        place = _place(self._text, self._at)
        return UnreadableError(Problem(place, "", "syntax", wrong, remedy))

    def _takes(self, character: str) -> bool:
        self._skip_space()
        taken = self._next() == character
        self._at += taken
        return taken

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip_space(self) -> None:
        self._at += len(self._ahead(_SPACE))

    def _ahead(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        return found[0] if found else ""


class _FormReader:
    """Reads an urlencoded form: every value is a string, a key that ends in `[]` has a list of them."""

    def __init__(self, text: str) -> None:
        self.document = Document(text, is_form=True, value={}, starts={"": 0})
        offset = 0
        for pair in text.removesuffix("\n").removesuffix("\r").split("&"):
            if pair:
                self._read(pair, offset)
            offset += len(pair) + 1

    def _read(self, pair: str, offset: int) -> None:
        encoded_key, _, encoded = pair.partition("=")
        start = offset + min(len(encoded_key) + 1, len(pair))
        key, value = self._decoded(encoded_key, offset), self._decoded(encoded, start)
        pointer = pointer_of([key])
        if key.endswith("[]"):
            values = self.document.value.setdefault(key, [])
            self.document.starts[f"{pointer}/{len(values)}"] = start
            values.append(value)
        elif key in self.document.value:
            self._report(
                offset,
                pointer,
                "duplicate-key",
                f"the field {_shown(key)} stands in this form already",
                "Keep one of the two; only a field whose name ends in [] may be repeated.",
            )
            return
        else:
            self.document.value[key] = value
        self.document.keys.setdefault(pointer, offset)
        self.document.starts.setdefault(pointer, start)

    def _decoded(self, encoded: str, offset: int) -> str:
        if loose := _LOOSE_PERCENT.search(encoded):
            self._report(
                offset + loose.start(),
                "",
                "percent-encoding",
                "no two hexadecimal digits follow this percent sign",
                "Write a percent sign as %25.",
            )
        try:
            return unquote_plus(encoded, errors="strict")
        except UnicodeDecodeError:
            problem = Problem(
                _place(self.document.text, offset),
                "",
                "encoding",
                "what the percent signs encode is not UTF-8",
                "Encode the field as UTF-8 before the percent signs.",
            )
            raise UnreadableError(problem) from None

    def _report(self, offset: int, pointer: str, keyword: str, wrong: str, remedy: str) -> None:
        place = _place(self.document.text, offset)
        self.document.problems.append(Problem(place, pointer, keyword, wrong, remedy))


def _shown(text: str) -> str:
    return f"`{text}`" if len(text) <= 40 else f"`{text[:40]}…`"
