"""`sandbox/validate/documents.py`: payloads as text, and where each part of them stands."""

import json
from typing import Any
from urllib.parse import unquote_plus, urlencode

import pytest
from contract import counter_examples, examples
from sandbox import wire
from sandbox.validate.documents import DEEPEST, Place, Problem, UnreadableError, read
from sandbox.validate.recognition import FORMS

TEXT = """{
  "a/b": [1, {"~": true}],
\t"é": "ü\\n", "": -1.5e3
}
"""


def json_at(text: str, line_starts: list[int], place: Place) -> Any:
    return json.JSONDecoder().raw_decode(text, line_starts[place.line - 1] + place.column - 1)[0]


def unreadable(content: bytes) -> Problem:
    with pytest.raises(UnreadableError) as refused:
        read(content)
    return refused.value.problem


def test_places_are_lines_and_columns_of_characters_from_1() -> None:
    document = read(TEXT.encode())

    assert document.value == {"a/b": [1, {"~": True}], "é": "ü\n", "": -1500.0}
    assert document.problems == []
    assert {pointer: document.place(pointer) for pointer in document.starts} == {
        "": (1, 1),
        "/a~1b": (2, 10),
        "/a~1b/0": (2, 11),
        "/a~1b/1": (2, 14),
        "/a~1b/1/~0": (2, 20),
        "/é": (3, 7),
        "/": (3, 18),
    }
    assert {pointer: document.key_place(pointer) for pointer in document.keys} == {
        "/a~1b": (2, 3),
        "/a~1b/1/~0": (2, 15),
        "/é": (3, 2),
        "/": (3, 14),
    }


@pytest.mark.parametrize("name", wire.names())
@pytest.mark.parametrize("indent", [None, 2])
def test_whatever_is_read_stands_at_its_place(name: str, indent: int | None) -> None:
    accepted = [example.value for example in examples(name)]
    refused = [example.value for example in counter_examples(name)]
    for message in accepted + refused:
        text = json.dumps(message, indent=indent, ensure_ascii=indent is None)
        line_starts = [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]
        document = read(text.encode())
        assert document.value == message
        assert not document.problems
        for pointer in document.starts:
            assert json_at(text, line_starts, document.place(pointer)) == wire.part_of(message, pointer)
        for pointer in document.keys:
            assert pointer.endswith(
                wire.pointer_of([json_at(text, line_starts, document.key_place(pointer))])
            )


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_form_is_read_as_it_was_sent(name: str) -> None:
    for example in examples(name):
        text = urlencode(example.value, doseq=True)
        document = read(f"{text}\n".encode(), form=True)
        sent = {key: value for key, value in example.value.items() if value != []}
        assert document.value == sent
        assert document.is_form
        assert not document.problems
        for pointer in document.starts:
            value = wire.part_of(sent, pointer)
            if isinstance(value, str):
                start = text[document.place(pointer).column - 1 :]
                assert unquote_plus(start.partition("&")[0]) == value


@pytest.mark.parametrize(
    ("text", "is_form"),
    [
        ("a=1&b=", True),
        ("file_urls%5B%5D=a", True),
        ("a_b[]=1", True),
        ('{"a": "b=c"}', False),
        ("[]", False),
    ],
)
def test_a_form_is_told_by_its_looks(text: str, *, is_form: bool) -> None:
    assert read(text.encode()).is_form is is_form


def test_a_form_keeps_json_inside_of_it_as_text() -> None:
    document = read(b'metadata={"a":+"b"}&state=&urls[]=x&urls[]=y&flag')

    assert document.value == {"metadata": '{"a": "b"}', "state": "", "urls[]": ["x", "y"], "flag": ""}
    assert document.place("/urls[]/1") == (1, 44)


@pytest.mark.parametrize(
    ("text", "place", "pointer", "keyword"),
    [
        ("a=1&b=2&a=3", (1, 9), "/a", "duplicate-key"),
        ("a=%41%zz", (1, 6), "", "percent-encoding"),
    ],
)
def test_what_forms_do_not_allow_is_reported(
    text: str, place: tuple[int, int], pointer: str, keyword: str
) -> None:
    (problem,) = read(text.encode()).problems

    assert problem[:3] == (place, pointer, keyword)


def test_a_form_that_encodes_no_utf8_is_unreadable() -> None:
    assert unreadable(b"a=1&b=%FF")[:3] == ((1, 7), "", "encoding")


@pytest.mark.parametrize(
    ("text", "place", "wrong"),
    [
        ("", (1, 1), "the text ends where a value must stand"),
        (" \n", (2, 1), "the text ends where a value must stand"),
        ('{"a": 1} x', (1, 10), "something follows the end of the JSON value"),
        ('{"a": 1}\n{"a": 1}', (2, 1), "something follows the end of the JSON value"),
        ('{"a": 1,}', (1, 9), "a comma stands before the closing bracket"),
        ("[1,\n2,\n]", (3, 1), "a comma stands before the closing bracket"),
        ('{"a": 1 "b": 2}', (1, 9), "a comma is missing"),
        ("[1 2]", (1, 4), "a comma is missing"),
        ("[1", (1, 3), "the text ends inside of an array or an object"),
        ('{"a": 1', (1, 8), "the text ends inside of an array or an object"),
        ("{", (1, 2), "the text ends inside of an object"),
        ('{"a" 1}', (1, 6), "no colon follows the key `a`"),
        ("{a: 1}", (1, 2), "a key must stand here"),
        ("{'a': 1}", (1, 2), "a key must stand here"),
        ("['a']", (1, 2), "`'a'` is no JSON value"),
        ("{\n// c\n}", (2, 1), "JSON has no comments"),
        ("[1, # c\n2]", (1, 5), "JSON has no comments"),
        ("[NaN]", (1, 2), "JSON has no NaN"),
        ("[-Infinity]", (1, 2), "JSON has no -Infinity"),
        ("[True]", (1, 2), "JSON has no True"),
        ("[01]", (1, 2), "`01` is no JSON value"),
        ("[1.]", (1, 2), "`1.` is no JSON value"),
        (f"[{'1' * 5000}]", (1, 2), "the number has 5000 digits"),
        ('["a', (1, 2), "no quotation mark closes this string"),
        ('["a\nb"]', (1, 4), "a line break or another control character stands inside of a string"),
        (r'["a\x"]', (1, 4), "this is no escape sequence of JSON"),
        (
            r'["a\ud800"]',
            (1, 2),
            r"the string holds half of a character: a \u escape of a surrogate without its other half",
        ),
        ("[" * 5000, (1, DEEPEST + 2), f"more than {DEEPEST} levels are nested"),
    ],
)
def test_a_text_that_is_no_json_is_refused_where_it_stops_being_it(
    text: str, place: tuple[int, int], wrong: str
) -> None:
    problem = unreadable(text.encode())

    assert (problem.place, problem.wrong) == (place, wrong)
    assert problem.keyword == "syntax"
    assert problem.remedy.endswith(".")


def test_the_other_half_of_a_character_makes_it_whole() -> None:
    assert read(rb'"\ud83d\ude00"').value == "😀"


@pytest.mark.parametrize(
    ("content", "place"), [(b'{"a":\n "\xe9"}', (2, 3)), ('{"é": 1}'.encode("utf-16"), (1, 1))]
)
def test_a_text_that_is_not_utf8_is_refused_where_it_stops_being_it(
    content: bytes, place: tuple[int, int]
) -> None:
    assert unreadable(content)[:3] == (place, "", "encoding")


def test_a_byte_order_mark_is_reported_and_moves_nothing() -> None:
    document = read(b'\xef\xbb\xbf{"a": 1}')

    assert document.value == {"a": 1}
    assert [problem[:3] for problem in document.problems] == [((1, 1), "", "byte-order-mark")]
    assert document.place("/a") == (1, 7)


def test_a_key_that_stands_twice_is_reported_where_it_is_repeated() -> None:
    document = read(b'{"a": {"b": 1,\n "b": 2},\n "a": 3}')

    assert document.value == {"a": 3}
    assert [(problem.place, problem.pointer, problem.wrong) for problem in document.problems] == [
        ((2, 2), "/a/b", "the key `b` stands in this object already, in line 1"),
        ((3, 2), "/a", "the key `a` stands in this object already, in line 1"),
    ]
