"""Every schema is well formed, accepts its examples and refuses its counter-examples for their reason."""

import pytest
from contract import NAMES, counter_examples, examples, schema_of, violations
from jsonschema import Draft202012Validator
from sandbox import wire


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid(name: str) -> None:
    Draft202012Validator.check_schema(schema_of(name))
    assert schema_of(name)["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_accepted(name: str) -> None:
    accepted = examples(name)
    assert accepted
    assert {example.title: [*violations(name, example.value)] for example in accepted} == {
        example.title: [] for example in accepted
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_counter_example_is_refused_for_its_reason_alone(name: str) -> None:
    refused = counter_examples(name)
    assert refused
    found = {
        example.title: [
            (violation.pointer, violation.keyword) for violation in violations(name, example.value)
        ]
        for example in refused
    }
    assert found == {example.title: [(example.pointer, example.keyword)] for example in refused}


@pytest.mark.parametrize(
    ("description", "statement"),
    [
        ("A text.", wire.Statement("A text.", (), ())),
        ("A text. [S1]", wire.Statement("A text.", ("S1",), ())),
        (
            "511 characters [D:push], 255 [SCH]. [D:push],[SCH] SVC-19, SVC-45",
            wire.Statement("511 characters [D:push], 255 [SCH].", ("D:push", "SCH"), ("SVC-19", "SVC-45")),
        ),
        (
            "A file. Rules SVC-11, SVC-12.",
            wire.Statement("A file. Rules SVC-11, SVC-12.", (), ("SVC-11", "SVC-12")),
        ),
    ],
)
def test_a_description_names_its_sources_and_rules(description: str, statement: wire.Statement) -> None:
    assert wire.statement(description) == statement
