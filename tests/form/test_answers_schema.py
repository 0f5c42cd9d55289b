"""The schema of answers accepts exactly what Copier takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from answers_schema import answers_schema
from combinations_of_answers import selections
from commands import environment, run, tool
from contract import SCHEMAS, counter_examples, examples, schema_of, violations
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from questionnaire import Questionnaire, RefusedError, present_questionnaire
from test_answers import ORIGIN_NAMES, REFUSED

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = SCHEMAS / "answers.schema.json"
ORIGIN = {"origin_name": "Acme Reviews"}
TEXTS = [
    name
    for name, question in present_questionnaire().questions.items()
    if name in present_questionnaire().asked and question["type"] == "str" and "choices" not in question
]
NAMES = present_questionnaire().questions["reserved_names"]["default"].split()

SPACES = [" ", "\t", "\n", "\r", "\v", "\x1c", "\x85", "\xa0", "\u2003", "\u2028", "\u3000", "\ufeff"]
INVISIBLE = ["\x00", "\x1b", "\x7f", "\x9f", "\u200b", "\u200d", "\u202e", "\u2060", "\u2066", "\u2069"]
WORDS = [
    "",
    "a",
    "A",
    "7",
    "é",
    "日",
    "🛒",
    "acme",
    "acme-reviews",
    "acme_reviews",
    "a--b",
    "a-",
    "-a",
    "_a",
    "a__b",
    "yes",
]
ADDRESSES = [
    "a@b",
    "a@b.c",
    "a@b@c.d",
    "a b@c.d",
    "a@.c",
    "<a@b.c>",
    "a@b\xa0.c",
    "http://a",
    "https://",
    "https://a",
    "https://a.",
    "https://a/",
    "https://A",
    "https://a-b.c:0",
    "https://a:65536",
    "https://a:123456",
    "https://é",
]
LENGTHS = [1, 40, 41, 255, 256, 400, 401, 511, 512]


def copier_takes(answers: dict[str, Any]) -> bool:
    try:
        present_questionnaire().answer(answers)
    except RefusedError:
        return False
    return True


def is_taken(question: str, text: str) -> bool:
    """Tell whether Copier takes one answer, whatever it makes of the others."""
    try:
        present_questionnaire().ask(question, text, {"reserved_names": " ".join(NAMES)})
    except RefusedError:
        return False
    return True


def schema_accepts(answers: dict[str, Any]) -> bool:
    return not list(violations("answers", answers))


def disagreements(*sets: dict[str, Any]) -> list[dict[str, Any]]:
    return [answers for answers in sets if schema_accepts(answers) is not copier_takes(answers)]


@pytest.mark.parametrize(
    ("question", "given", "sentence"), REFUSED, ids=[f"{row[0]}-{n}" for n, row in enumerate(REFUSED)]
)
def test_what_copier_refuses_the_schema_refuses_at_the_same_question(
    question: str, given: dict[str, Any], sentence: str
) -> None:
    assert not copier_takes(ORIGIN | given), sentence
    assert {found.pointer for found in violations("answers", ORIGIN | given)} == {f"/{question}"}


@pytest.mark.parametrize("question", TEXTS)
def test_both_judge_texts_alike(question: str) -> None:
    words = [*WORDS, *ADDRESSES, *ORIGIN_NAMES]
    edges = [
        f"{before}{word}{after}"
        for word in ("acme", "a@b.c", "https://a", "class")
        for mark in SPACES + INVISIBLE
        for before, after in ((mark, ""), ("", mark), (f"a{mark}", ""))
    ]
    long = [start.ljust(length, "a") for start in ("", "https://", "a@b.c", "é") for length in LENGTHS]
    every = [*words, *edges, *long, *SPACES, *INVISIBLE]
    assert [
        text for text in every if schema_accepts({**ORIGIN, question: text}) is not is_taken(question, text)
    ] == []


@pytest.mark.parametrize("question", ["project_slug", "package_name"])
def test_both_reserve_the_same_names(question: str) -> None:
    every = [
        spelling for name in NAMES for spelling in (name, name.replace("_", "-"), f"{name}\n", f"{name}s")
    ]
    assert [
        text for text in every if schema_accepts({**ORIGIN, question: text}) is not is_taken(question, text)
    ] == []


@pytest.mark.parametrize("question", TEXTS)
@settings(max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=st.text(alphabet=st.sampled_from([*'aZ09-_.:/@<>"\\ ', *SPACES, *INVISIBLE, "é", "日"]), max_size=44)
)
def test_both_judge_any_text_alike(question: str, text: str) -> None:
    assert disagreements({**ORIGIN, question: text}) == []


def test_both_judge_selections_of_capabilities_alike() -> None:
    questionnaire = present_questionnaire()
    capabilities = questionnaire.choices("capabilities")
    chosen: list[dict[str, Any]] = [{"capabilities": selection} for selection in selections(capabilities, 3)]
    chosen += [{}, {"capabilities": ["pull", "pull"]}, {"capabilities": ["fax"]}]
    dependent = [name for name in questionnaire.asked if "when" in questionnaire.questions[name]]
    given: list[dict[str, Any]] = [{}, *({name: answer} for name in dependent for answer in (True, False))]
    assert disagreements(*({**ORIGIN, **one, **other} for one in chosen for other in given)) == []


def test_both_judge_choices_alike() -> None:
    questionnaire = present_questionnaire()
    every = [
        {**ORIGIN, name: value}
        for name in questionnaire.asked
        if "choices" in questionnaire.questions[name] and "multiselect" not in questionnaire.questions[name]
        for value in [*questionnaire.choices(name), "", "moon"]
    ]
    beside = [{"capabilities": chosen} for chosen in (["pull"], ["push"], ["pull", "push"], [])]
    assert disagreements(*every, *({**answers, **one} for answers in every for one in beside)) == []


def test_both_refuse_unknown_and_computed_names() -> None:
    names = ["", "capabilites", "_commit", *present_questionnaire().computed]
    assert not any(
        schema_accepts({**ORIGIN, name: ""}) or copier_takes({**ORIGIN, name: ""}) for name in names
    )
    assert disagreements({}) == []


@pytest.mark.parametrize("name", present_questionnaire().asked)
def test_only_answers_of_the_type_of_the_question_are_accepted(name: str) -> None:
    """Copier turns any value into the type, so that `no` becomes the text `False`, and `1.10` the text `1.1`."""
    types = {
        "string": "a",
        "boolean": True,
        "array": ["pull"],
        "number": 1.1,
        "null": None,
        "object": {"a": "b"},
    }
    wanted = schema_of("answers")["properties"][name].get("type", "string")
    others = [value for kind, value in types.items() if kind != wanted]
    assert not any(schema_accepts({**ORIGIN, name: value}) for value in others)


def test_what_the_schema_says_is_what_copier_asks() -> None:
    questionnaire = present_questionnaire()
    properties = schema_of("answers")["properties"]
    assert list(properties) == questionnaire.asked
    for name, answer in properties.items():
        assert answer["description"] == " ".join(questionnaire.questions[name]["help"].split())
        if "default" in answer:
            assert answer["default"] == questionnaire.answer(ORIGIN).values[name]


def test_editors_and_pipelines_understand_the_patterns(tmp_path: Path) -> None:
    """They read patterns as JavaScript does, not as Python: every example must be judged the same."""
    files = {}
    right = [example.value for example in examples("answers")]
    wrong = [example.value for example in counter_examples("answers")]
    for number, answers in enumerate(right + wrong):
        file = tmp_path / f"answers-{number}.yml"
        file.write_text(yaml.safe_dump(answers, allow_unicode=False), "utf-8")
        files[str(file)] = number < len(right)
    command: list[str | Path] = [
        tool("check-jsonschema"),
        "--schemafile",
        SCHEMA,
        "--output-format",
        "json",
        "--regex-variant",
        "default",
    ]
    ended = run(*command, *files, folder=tmp_path, env=environment(), check=False)
    report = json.loads(ended.output)
    assert report["parse_errors"] == []
    refused = {error["filename"] for error in report["errors"]}
    assert refused == {file for file, valid in files.items() if not valid}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"validator": "{% if user_name == 'root' %}No.{% endif %}"}, "condition of a validator"),
        ({"when": "{{ hosting != 'none' }}"}, "when a question is asked"),
        (
            {
                "validator": "{% if user_name | length > 5 %}No.{% elif user_name | length > 4 %}No.{% endif %}"
            },
            "keyword maxLength",
        ),
    ],
    ids=["condition", "when", "twice"],
)
def test_a_rule_that_the_schema_cannot_say_is_an_error(
    change: dict[str, str], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    questionnaire = present_questionnaire()
    questions = {**questionnaire.questions, "user_name": {**questionnaire.questions["user_name"], **change}}
    monkeypatch.setattr(Questionnaire, "questions", questions)
    monkeypatch.delitem(vars(questionnaire), "questions")
    with pytest.raises(NotImplementedError, match=complaint):
        answers_schema(questionnaire)
