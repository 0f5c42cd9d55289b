"""Projects made from pairwise combinations of answers pass everything that they promise about themselves."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from combinations_of_answers import covering_answers, title
from questionnaire import present_questionnaire

if TYPE_CHECKING:
    from pathlib import Path

    from projects import Project, Template

FORM = present_questionnaire()
PAIRWISE = covering_answers(FORM, strength=2, candidates=50)

pytestmark = pytest.mark.gate


@pytest.mark.parametrize(
    "answers", PAIRWISE, ids=[f"{n}:{title(FORM, answers)}" for n, answers in enumerate(PAIRWISE)]
)
def test_a_pairwise_combination_passes_its_gate(
    answers: dict[str, Any], template: Template, tmp_path: Path
) -> None:
    project = template.copy(tmp_path / "project", answers)
    project.gate()
    assert_the_gate_left_no_trace(project)
    shutil.rmtree(project.path)


def assert_the_gate_left_no_trace(project: Project) -> None:
    """What running the project writes must be ignored by git, or its people would commit it."""
    generated = set(project.files())
    project.commit("As generated")
    ignored = project.path / ".gitignore"
    assert ignored.exists()
    assert set(project.files()) == generated
