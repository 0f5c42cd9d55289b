"""Projects made from pairwise combinations of answers pass everything that they promise about themselves."""

from __future__ import annotations

import shutil
from itertools import repeat
from typing import TYPE_CHECKING

import pytest
from combinations_of_answers import covering_answers, factors, title
from questionnaire import present_questionnaire
from test_edge_answers import NASTIEST

if TYPE_CHECKING:
    from pathlib import Path

    from projects import Project, Template

FORM = present_questionnaire()
# Which hosting and which continuous integration a project has changes little of what its gate runs: that depends on its
# capabilities. Files that are only read are read for every combination, by test_combinations.py and test_hosting_*.py.
SCATTERED = ("hosting", "continuous_integration")
APART = [(scattered, other) for scattered in SCATTERED for other in factors(FORM) if other != scattered]
PAIRWISE = covering_answers(FORM, strength=2, candidates=29, apart=APART)
# The first ones also have the names that break careless templates.
NAMES = [*NASTIEST, *repeat("", len(PAIRWISE) - len(NASTIEST))]

pytestmark = pytest.mark.gate


@pytest.mark.parametrize(
    "number",
    range(len(PAIRWISE)),
    ids=[f"{n}:{title(FORM, answers)} {NAMES[n]}".strip() for n, answers in enumerate(PAIRWISE)],
)
def test_a_pairwise_combination_passes_its_gate(number: int, template: Template, tmp_path: Path) -> None:
    project = template.copy(tmp_path / "project", PAIRWISE[number] | NASTIEST.get(NAMES[number], {}))
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
