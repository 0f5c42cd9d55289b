"""Every shipped schema is well formed, accepts its examples and refuses its counter-examples for their reason."""

import pytest
from jsonschema import Draft202012Validator

from tests import wire

EXAMPLES = [
    pytest.param(name, example, id=f"{name}: {example.title}")
    for name in wire.names()
    for example in wire.examples(name)
]
COUNTER_EXAMPLES = [
    pytest.param(name, example, id=f"{name}: {example.title}")
    for name in wire.names()
    for example in wire.counter_examples(name)
]


def test_every_schema_has_examples_and_every_example_file_a_schema() -> None:
    files = sorted(path.stem for path in (wire.SCHEMAS / "examples").glob("*.json"))
    assert files == wire.names()
    assert {"manifest", "admin-ui-request", "admin-ui-return"} <= set(files)


@pytest.mark.parametrize("name", wire.names())
def test_a_schema_is_valid(name: str) -> None:
    Draft202012Validator.check_schema(wire.schema(name))
    assert wire.schema(name)["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_is_accepted(name: str, example: wire.Example) -> None:
    wire.check(name, example.value)


@pytest.mark.parametrize(("name", "example"), COUNTER_EXAMPLES)
def test_a_counter_example_is_refused_for_its_reason_alone(name: str, example: wire.CounterExample) -> None:
    found = [(violation.pointer, violation.keyword) for violation in wire.violations(name, example.value)]
    assert found == [(example.pointer, example.keyword)]
