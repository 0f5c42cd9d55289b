"""Three-way combinations of answers, rendered and checked without running them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from combinations_of_answers import covering_answers, every_choice, title
from questionnaire import present_questionnaire
from structure import problems
from template_coverage import TemplateCoverage

if TYPE_CHECKING:
    from pathlib import Path

    from projects import Project, Template

FORM = present_questionnaire()
THREE_WAY = covering_answers(FORM, strength=3)
EVERY_CAPABILITY_AND_HOSTING = every_choice(FORM, "capabilities", "hosting")


class MeasuredRenders:
    """The three-way set, each rendered once, all of them under one measurement."""

    def __init__(self, template: Template, folder: Path) -> None:
        self.template = template
        self.coverage = TemplateCoverage()
        self._folder = folder
        self._projects: dict[int, Project] = {}

    def project(self, number: int) -> Project:
        if number not in self._projects:
            with self.coverage.measure():
                self._projects[number] = self.template.copy(self._folder / str(number), THREE_WAY[number])
        return self._projects[number]

    def projects(self) -> list[Project]:
        return [self.project(number) for number in range(len(THREE_WAY))]


@pytest.fixture(scope="module")
def renders(template: Template, tmp_path_factory: pytest.TempPathFactory) -> MeasuredRenders:
    return MeasuredRenders(template, tmp_path_factory.mktemp("three-way"))


def report(answers: dict[str, Any], found: list[str]) -> str:
    return "\n".join([f"answers: {answers}", f"{len(found)} problems:", *found])


@pytest.mark.parametrize(
    "number",
    range(len(THREE_WAY)),
    ids=[f"{n}:{title(FORM, answers)}" for n, answers in enumerate(THREE_WAY)],
)
def test_a_three_way_combination_is_sound(number: int, renders: MeasuredRenders) -> None:
    found = problems(renders.project(number))
    if found:
        pytest.fail(report(THREE_WAY[number], found), pytrace=False)


def test_every_statement_and_condition_of_the_template_is_rendered(renders: MeasuredRenders) -> None:
    renders.projects()
    missed = renders.coverage.missed
    total = len(renders.coverage.points)
    assert total
    if missed:
        pytest.fail("\n".join([f"covered {total - len(missed)} of {total}; missed:", *missed]), pytrace=False)


def test_every_file_of_the_template_is_rendered(renders: MeasuredRenders) -> None:
    waiting = set(renders.template.files())
    for project in renders.projects():
        made = set(project.files())
        waiting = {
            name for name in waiting if renders.template.rendered_path(name, project.answers) not in made
        }
    if waiting:
        pytest.fail("\n".join(["never rendered:", *sorted(waiting)]), pytrace=False)
    rendered = {name for name in renders.template.files() if name.endswith(".jinja")}
    assert renders.coverage.files == rendered


@pytest.mark.all_combinations
@pytest.mark.parametrize(
    "answers",
    EVERY_CAPABILITY_AND_HOSTING,
    ids=[title(FORM, answers) for answers in EVERY_CAPABILITY_AND_HOSTING],
)
def test_every_selection_of_capabilities_is_sound_on_every_hosting(
    answers: dict[str, Any], template: Template, tmp_path: Path
) -> None:
    found = problems(template.copy(tmp_path / "project", answers))
    if found:
        pytest.fail(report(answers, found), pytrace=False)
