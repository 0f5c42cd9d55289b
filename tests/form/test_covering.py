"""Covering arrays hold what they promise, compared with every combination there is."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from combinations_of_answers import answers_of, covering_answers, every_choice, factors
from covering import CoveringArray, meetings, meetings_in
from hypothesis import given, settings
from hypothesis import strategies as st
from questionnaire import Questionnaire, RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from covering import Row

FORM = """
_subdirectory: template
name: {type: str, default: "", validator: "{% if name == 'b' %}No.{% endif %}"}
parts:
  type: str
  multiselect: true
  choices: {Pull: pull, Reply: reply, Show: show}
  default: [pull]
  validator: "{% if 'reply' in parts and 'pull' not in parts %}Choose pull as well.{% endif %}"
with_files: {type: bool, when: "{{ 'reply' in parts }}", default: false}
reply: {type: bool, when: false, default: "{{ 'reply' in parts }}"}
host:
  type: str
  choices: {One: one, Two: two, Three: three}
  default: one
  validator: "{% if host == 'three' and reply and with_files %}Not there.{% endif %}"
"""


@pytest.fixture
def form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Questionnaire:
    monkeypatch.setattr("combinations_of_answers.EXAMPLES", {"name": ["a"]})
    (tmp_path / "copier.yml").write_text(FORM, "utf-8")
    return Questionnaire(tmp_path / "copier.yml")


def accepted(form: Questionnaire, row: Row) -> bool:
    """Judge a whole row from outside: Copier takes it, and hides exactly what the row says is hidden."""
    answers = answers_of(form, row)
    try:
        answered = form.answer(answers)
    except RefusedError:
        return False
    return ("with_files" in answered.hidden) == ("with_files" not in answers)


@pytest.mark.parametrize("strength", [1, 2, 3])
def test_every_meeting_that_some_allowed_row_has_is_covered(form: Questionnaire, strength: int) -> None:
    varying = factors(form)
    every_row = [dict(zip(varying, values, strict=True)) for values in product(*varying.values())]
    possible = meetings_in(varying, [row for row in every_row if accepted(form, row)], strength)

    rows = covering_answers(form, strength)
    as_rows = [row for row in every_row if accepted(form, row) and answers_of(form, row) in rows]

    assert len(as_rows) == len(rows)
    assert meetings_in(varying, as_rows, strength) == possible
    assert len(rows) < len([row for row in every_row if accepted(form, row)])


def test_factors_that_are_kept_apart_need_not_meet(form: Questionnaire) -> None:
    varying = factors(form)
    apart = ("parts:pull", "host")
    rows = CoveringArray(varying, lambda _row, _factor: True, 2, apart=[apart]).rows()

    missed = set(meetings(varying, 2)) - meetings_in(varying, rows, 2)
    assert {tuple(name for name, _ in meeting) for meeting in missed} <= {apart}
    assert meetings_in(varying, rows, 1) == set(meetings(varying, 1))
    assert len(rows) < len(CoveringArray(varying, lambda _row, _factor: True, 3).rows())


def test_the_same_form_gives_the_same_rows(form: Questionnaire) -> None:
    assert covering_answers(form, 2) == covering_answers(form, 2)


def test_every_allowed_selection_meets_every_choice(form: Questionnaire) -> None:
    found = [(tuple(answers["parts"]), answers["host"]) for answers in every_choice(form, "parts", "host")]
    allowed = [(), ("pull",), ("show",), ("pull", "reply"), ("pull", "show"), ("pull", "reply", "show")]
    assert sorted(found) == sorted(product(allowed, ["one", "two", "three"]))


@given(
    st.lists(st.integers(2, 4), min_size=3, max_size=5),
    st.sets(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 1)), max_size=3),
    st.integers(1, 3),
)
@settings(max_examples=40, deadline=None)
def test_covering_arrays_under_arbitrary_exclusions(
    sizes: list[int], excluded: set[tuple[int, int, int]], strength: int
) -> None:
    """(place, a, b): the values a of one factor and b of the next may not meet."""
    varying: dict[str, list[Any]] = {str(place): list(range(size)) for place, size in enumerate(sizes)}

    def allowed(row: Row, _last: str) -> bool:
        return not any(
            row.get(str(place)) == one and row.get(str((place + 1) % len(sizes))) == other
            for place, one, other in excluded
        )

    rows = CoveringArray(varying, allowed, strength, candidates=3).rows()
    every_row = [dict(zip(varying, values, strict=True)) for values in product(*varying.values())]
    possible = meetings_in(varying, [row for row in every_row if allowed(row, "")], strength)
    assert all(allowed(row, "") for row in rows)
    assert meetings_in(varying, rows, strength) == possible <= set(meetings(varying, strength))
