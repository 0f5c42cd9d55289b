"""Projects of every age, made from the template's own earlier commits, are brought up to date."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import copier
import pytest
from commands import ROOT, environment, git, run
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


BEFORE_FOLDERS = "74016f7"
"""A commit whose projects have all modules in one folder, and tables of other names."""

ROWS = """
insert into accounts values ('a-1', 'acme', 'Main', 'sealed', :now, :now);
insert into push_connections values ('a-1', 'sealed', 'push-1', 'sealed', 'valid', '', :now);
insert into outbox
  (account_id, external_id, author_id, thread, resource, size, state, attempts, due_at, accepted_at)
  values ('a-1', 'post-1', 'ada', 'post-1', '{}', 2, 'waiting', 0, :now, :now);
insert into channelback_requests values ('a-1', 'request-1', 'posted', 'c', :now, 'reply-1', '', :now)
"""

KEPT = {
    "select id, name, subdomain from accounts": [("a-1", "Main", "acme")],
    "select account_id, instance_push_id, access from push_credentials": [("a-1", "push-1", "valid")],
    "select account_id, external_id, state from outbox": [("a-1", "post-1", "waiting")],
    "select account_id, request_unique_identifier, state, external_id from channelback_claims": [
        ("a-1", "request-1", "posted", "reply-1")
    ],
}

START = """
from starlette.testclient import TestClient
from acme_reviews.app import create_app
from acme_reviews.settings import Settings

with TestClient(create_app(Settings.load())) as service:
    assert service.get("/ready").status_code == 200
"""


def test_a_project_from_before_the_folders_keeps_its_edits_and_its_data(
    history: Template, tmp_path: Path
) -> None:
    answers = {
        "origin_name": "Acme Reviews",
        "capabilities": ["pull", "push", "channelback", "event_callback", "dashboard"],
    }
    copier.run_copy(
        str(history.path),
        tmp_path / "project",
        data=answers,
        vcs_ref=BEFORE_FOLDERS,
        defaults=True,
        quiet=True,
    )
    project = Project(tmp_path / "project", {"package_name": "acme_reviews"})
    project.commit("As generated")
    origin = edit_origin(project)
    deployment = project.text("deploy/compose.yaml")
    project.write("deploy/compose.yaml", f"{deployment}# Ours.\n")
    project.commit("Our own work")
    run_python(project, "from acme_reviews.cli import main; main(['migrate'])")
    (file,) = (project.path / "var").glob("*.db")
    with closing(sqlite3.connect(file)) as database, database:
        for row in ROWS.split(";"):
            database.execute(row, {"now": "2026-11-28 01:00:00.000000"})

    update_by_api(project)
    run_python(project, START)

    assert OWN_FUNCTION in project.text(origin)
    assert project.text("deploy/compose.yaml").endswith("# Ours.\n")
    with closing(sqlite3.connect(file)) as database:
        for query, rows in KEPT.items():
            assert database.execute(query).fetchall() == rows, query


def run_python(project: Project, program: str) -> None:
    """Run the project's own code as if it were installed; it reaches no host."""
    installed = project.path.parent / "installed"
    metadata = installed / "acme_reviews-1.0.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True, exist_ok=True)
    metadata.write_text("Metadata-Version: 2.1\nName: acme-reviews\nVersion: 1.0\n", "utf-8")
    path = os.pathsep.join(map(str, (project.path / "src", installed)))
    added = {"PYTHONPATH": path, "ZENDESK_URL": "http://127.0.0.1:9"}
    run(sys.executable, "-c", program, folder=project.path, env=environment(**added))
