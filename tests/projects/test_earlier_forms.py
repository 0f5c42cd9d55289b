"""An update replays the earlier template under today's `_exclude`, which must bear an earlier form that knows less."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import copier
import pytest
import yaml
from commands import ROOT
from jinja2 import nodes
from projects import ANSWERS_FILE, PRESENT, Project, Template, release
from questionnaire import present_questionnaire
from test_updates import update_by_api

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FORM = present_questionnaire()
EXCLUSIONS: list[str] = FORM.settings["exclude"]
CONDITIONAL = [entry for entry in EXCLUSIONS if "{%" in entry]

NOTHING = {
    "origin_name": "Acme Reviews",
    "capabilities": [],
    "hosting": "none",
    "continuous_integration": "none",
}


@pytest.mark.parametrize("entry", CONDITIONAL, ids=lambda entry: " ".join(entry.splitlines()[:2]))
def test_an_exclusion_asks_nothing_of_a_form_that_does_not_know(entry: str) -> None:
    tree = FORM.parse(entry)
    guarded = {
        id(guard.node)
        for guard in tree.find_all((nodes.Filter, nodes.Test))
        if guard.name in {"default", "defined"}
    }
    for name in tree.find_all(nodes.Name):
        assert id(name) in guarded, f"write ({name.name} | default(…)): an earlier form may lack it"
    # What the replay leaves out, the update takes for the user's own and never removes.
    kept_back = FORM.render(entry, {}).split()
    assert not kept_back, f"where nothing is known, {kept_back} would stay behind in older projects"


def needing(name: str) -> set[str]:
    """Return a name and all others that cannot be computed without it."""
    lost = {name}
    for other, references in FORM.references.items():
        if references & lost:
            lost.add(other)
    return lost


def losses() -> dict[str, str]:
    """Return names to take away: each that `_exclude` misses, and one for all that it would not miss."""
    found: dict[frozenset[str], list[str]] = {}
    for name in FORM.questions:
        found.setdefault(frozenset(needing(name) & FORM.setting_references), []).append(name)
    return {", ".join(names): names[0] for names in found.values()}


LOSSES = losses()


def write_stubs(repository: Path, paths: Iterable[str], text: str) -> None:
    """Fill template/ with these paths, and nothing but a line in each file."""
    shutil.rmtree(repository / "template", ignore_errors=True)
    for path in [*paths, *(["NOTES.md"] if text == "earlier" else [])]:
        file = repository / "template" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n", "utf-8")
    answers_file = next((ROOT / "template").glob("*_copier_conf.answers_file*"))
    shutil.copy(answers_file, repository / "template")


def form_without(lost: set[str]) -> dict[str, Any]:
    """Return a form in which these names never were; whatever depended on them alone was in every project."""
    form: dict[str, Any] = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))
    kept = {name: value for name, value in form.items() if name not in lost and "_message_" not in name}
    exclusions = [entry for entry in EXCLUSIONS if "{%" not in entry or FORM.read_by(entry) - lost]
    return {**kept, "_exclude": exclusions}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, template: Template) -> Template:
    """A repository in which each earlier release lacked one name, and the last has them all."""
    repository = tmp_path_factory.mktemp("history")
    files = [name for name in template.files() if "_copier_conf" not in name]
    answers = FORM.answer(NOTHING).values
    # The earlier paths are spelt out, as if nobody had been asked for a name.
    earlier = filter(None, (template.rendered_path(name, answers) for name in files))
    write_stubs(repository, earlier, "earlier")
    for number, name in enumerate(LOSSES.values()):
        form = yaml.safe_dump(form_without(needing(name)), sort_keys=False)
        (repository / "copier.yml").write_text(form, "utf-8")
        release(repository, f"v0.{number}.0")
    names = (name.removeprefix("template/").removesuffix(".jinja") for name in files)
    write_stubs(repository, names, "present")
    shutil.copy(ROOT / "copier.yml", repository)
    release(repository, PRESENT)
    return Template(repository, FORM)


@pytest.fixture(scope="module")
def fresh(history: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return history.copy(tmp_path_factory.mktemp("fresh") / "project", NOTHING)


@pytest.mark.parametrize("names", LOSSES)
def test_a_project_is_updated_from_a_form_that_lacked(
    names: str, history: Template, fresh: Project, tmp_path: Path
) -> None:
    """Nothing is chosen now, so that all must go which was in every project before the name came."""
    known = {name: value for name, value in NOTHING.items() if name not in needing(LOSSES[names])}
    earlier = f"v0.{list(LOSSES).index(names)}.0"
    copier.run_copy(
        str(history.path), tmp_path / "project", data=known, vcs_ref=earlier, quiet=True, defaults=True
    )
    project = Project(tmp_path / "project")
    assert (project.path / "NOTES.md").exists()
    project.commit("As generated")

    update_by_api(project, **NOTHING)

    assert project.contents() == fresh.contents()
    assert project.text(ANSWERS_FILE) == fresh.text(ANSWERS_FILE)
