"""Projects that begin with a ready-made origin hold it and nothing of another, and keep it."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import copier
import pytest
from commands import run
from documents import pages
from hosting import OF_MATRIX
from projects import PRESENT, Template, copy_working_tree, release
from test_updates import assert_no_conflict, update_by_api, update_by_command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from projects import Project
    from questionnaire import Questionnaire

MATRIX = {"origin_name": "Acme Chat", "origin": "matrix", "capabilities": OF_MATRIX}


@pytest.fixture(scope="module")
def project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with Matrix. Shared: never write into it."""
    return template.copy(tmp_path_factory.mktemp("matrix") / "project", MATRIX)


def test_each_origin_brings_its_own_files_and_tests(project: Project, default_project: Project) -> None:
    assert f"{project.source}/origin/__init__.py" in project.files()
    assert f"{default_project.source}/origin.py" in default_project.files()
    for one, foreign in (
        (project, r"sandbox/reviews|/origin\.py$"),
        (default_project, r"matrix|/origin/.*\.toml$"),
    ):
        assert "tests/origin/test_pull.py" in one.files()
        assert [name for name in one.files() if re.search(foreign, name)] == []


def test_what_people_have_to_read_first_stays_short(default_project: Project) -> None:
    assert len(default_project.text(f"{default_project.source}/origin.py").splitlines()) <= 246


def test_nothing_speaks_of_another_origin(project: Project, default_project: Project) -> None:
    reviews = re.compile(r"\breviews?\b|demonstration|corner-cafe|demo-key", re.IGNORECASE)
    texts = {
        **pages(project),
        **{name: project.text(name) for name in project.files() if name.startswith("sandbox/zendesk/pages/")},
    }
    # What a marketplace does, and the shapes of other services, which every project shows.
    texts.pop("docs/origins.md")
    said = [line for text in texts.values() for line in text.splitlines() if reviews.search(line)]
    assert [line for line in said if not re.search("nobody reviews it|com.acme.reviews", line)] == []
    told = [
        name
        for name, text in default_project.texts(".py", ".md", ".toml")
        if re.search("matrix", text, re.IGNORECASE)
    ]
    assert told == ["docs/origins.md"]


def test_the_sandbox_of_a_ready_made_origin_has_no_demonstration(project: Project) -> None:
    told = run(sys.executable, "-m", "sandbox", "--help", folder=project.path)
    refused = run(sys.executable, "-m", "sandbox", "--origin-only", folder=project.path, check=False)

    assert not re.search("demonstration|origin-port", told.output)
    assert refused.code == 2
    assert "began with an origin of its own" in refused.output


@pytest.mark.parametrize(
    ("before", "after", "update"),
    [("demonstration", "matrix", update_by_command), ("matrix", "demonstration", update_by_api)],
)
def test_an_update_to_another_origin_is_refused_and_deletes_nothing(
    before: str, after: str, update: Callable[..., None], template: Template, tmp_path: Path
) -> None:
    made = template.copy(tmp_path / "project", {**MATRIX, "capabilities": [], "origin": before})
    made.commit("As generated")
    contents = made.contents()

    with pytest.raises((ValueError, AssertionError), match=f"Keep {before}: an update would delete"):
        update(made, origin=after)

    assert made.contents() == contents


def test_an_update_keeps_what_people_did_to_a_ready_made_origin(
    questionnaire: Questionnaire, tmp_path: Path
) -> None:
    repository = tmp_path / "template"
    repository.mkdir()
    copy_working_tree(repository)
    release(repository, "v0.9.0")
    template = Template(repository, questionnaire)
    made = template.copy(tmp_path / "project", MATRIX)
    events = f"{made.source}/origin/events.py"
    made.replace(events, "NAME_KEPT = timedelta(days=1)", "NAME_KEPT = timedelta(days=7)")
    made.commit("Our own work")
    (file,) = repository.glob("template/src/*/{{ matrix }}/events.py")
    file.write_text(file.read_text("utf-8").replace("is from the future", "may be from tomorrow"), "utf-8")
    release(repository, PRESENT)

    update_by_api(made)

    assert_no_conflict(made)
    assert "NAME_KEPT = timedelta(days=7)" in made.text(events)
    assert "may be from tomorrow" in made.text(events)


def test_the_answer_is_asked_of_no_file_when_a_project_is_made(
    template: Template, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """Copier would warn of answers that are not there yet."""
    copier.run_copy(str(template.path), tmp_path / "project", data=MATRIX, defaults=True, quiet=True)

    assert [str(each.message) for each in recwarn if "File not found" in str(each.message)] == []
