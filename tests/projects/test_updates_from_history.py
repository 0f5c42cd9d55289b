"""Projects of every age, made from the template's own earlier commits, are brought up to date."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import copier
import pytest
from commands import ROOT, git
from projects import PRESENT, Project, Template, copy_working_tree, release
from test_updates import OWN_FUNCTION, edit_origin, update_by_api

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from questionnaire import Questionnaire


class Birth(NamedTuple):
    """A commit that projects were made from, and what their people answered."""

    commit: str
    what: str
    answers: dict[str, Any]


BIRTHS = [
    Birth("94df6bd", "the first whole project", {}),
    Birth("81aa120", "the first gates", {"capabilities": [], "continuous_integration": "none"}),
    Birth("9629b1e", "before the contract came along", {"capabilities": ["pull"], "hosting": "none"}),
    Birth("172121b", "the contract in every project", {"capabilities": ["pull", "channelback"]}),
    Birth("1d96b82", "the outbox before it was used", {"capabilities": ["about", "dashboard"]}),
    Birth("187da54", "push and event_callback", {}),
    Birth("187da54", "push alone", {"capabilities": ["push", "channelback", "event_callback"]}),
    Birth("6d71e3b", "the sandbox as an object", {"continuous_integration": "gitlab"}),
    Birth("e99c3ed", "before there were targets", {"capabilities": [], "hosting": "none"}),
    Birth("1fa1db7", "seven targets, of which few had files", {"hosting": "aws_lambda"}),
    Birth("993a93f", "Kubernetes", {"hosting": "kubernetes", "capabilities": ["pull", "push"]}),
    Birth("954b3af", "every target", {"channelback_files": False}),
    Birth(
        "74016f7",
        "everything, in one folder",
        {
            "capabilities": [
                *("pull", "push", "channelback", "clickthrough", "event_callback", "about", "dashboard")
            ]
        },
    ),
]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, questionnaire: Questionnaire) -> Template:
    """The template's repository, with the working tree as its only release."""
    if git(ROOT, "rev-parse", "--is-shallow-repository").strip() == "true":
        pytest.skip(
            "this clone is shallow: `git fetch --unshallow` brings the commits that projects were made from"
        )
    repository = tmp_path_factory.mktemp("history")
    git(ROOT, "clone", "--quiet", "--no-tags", str(ROOT), str(repository))
    for entry in repository.iterdir():
        if entry.name != ".git":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    copy_working_tree(repository)
    release(repository, PRESENT)
    return Template(repository, questionnaire)


@pytest.fixture(scope="module")
def fresh(history: Template, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Project]:
    """Projects of the present template. Shared: never write into them."""
    made: dict[str, Project] = {}

    def make(answers: dict[str, Any]) -> Project:
        key = repr(sorted(answers.items()))
        if key not in made:
            made[key] = history.copy(tmp_path_factory.mktemp("fresh") / "project", answers)
        return made[key]

    return make


@pytest.mark.parametrize("birth", BIRTHS, ids=lambda birth: f"{birth.commit}, {birth.what}")
def test_a_project_of_any_age_is_brought_up_to_date(
    birth: Birth, history: Template, fresh: Callable[..., Project], tmp_path: Path
) -> None:
    answers = {"origin_name": "Acme Reviews", **birth.answers}
    copier.run_copy(
        str(history.path), tmp_path / "project", data=answers, vcs_ref=birth.commit, defaults=True, quiet=True
    )
    project = Project(tmp_path / "project", {"package_name": "acme_reviews"})
    project.commit("As generated")
    origin = edit_origin(project)
    project.commit("Our own work")

    update_by_api(project)

    assert project.recorded["_commit"] == PRESENT
    assert {name: project.recorded[name] for name in answers} == answers
    present = fresh(answers)
    assert project.files() == present.files()
    for name, content in present.contents().items():
        if name != origin:
            assert (project.path / name).read_bytes() == content, name
    assert OWN_FUNCTION in project.text(origin)
