"""A checkout on any system is the same: Windows has other ends of lines, and by default no symbolic links."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import copier
import pytest
from commands import ROOT, git
from copier.errors import UserMessageError
from projects import ANSWERS_FILE, IMAGES, PRESENT, Project, Template

if TYPE_CHECKING:
    from pathlib import Path

AS_ON_WINDOWS = ("-c", "core.autocrlf=true", "-c", "core.symlinks=false")


@pytest.fixture
def checkout(template: Template, tmp_path: Path) -> Template:
    """The template as git on Windows checks it out."""
    path = tmp_path / "template"
    git(
        tmp_path,
        *AS_ON_WINDOWS,
        "clone",
        "--quiet",
        "--config",
        "core.autocrlf=true",
        str(template.path),
        str(path),
    )
    return Template(path, template.questionnaire)


def test_a_project_made_on_windows_is_the_one_made_on_linux(
    checkout: Template, default_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_on_windows(monkeypatch)
    project = checkout.copy(tmp_path / "project", {"origin_name": "Acme Reviews"})
    assert project.contents() == default_project.contents()


def test_a_project_made_on_linux_is_updated_on_windows(
    template: Template, default_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = default_project.copied(tmp_path / "made")
    made.replace(ANSWERS_FILE, str(default_project.recorded["_src_path"]), str(template.path))
    made.commit("As generated")
    as_on_windows(monkeypatch)
    git(tmp_path, "clone", "--quiet", str(made.path), str(tmp_path / "project"))
    project = Project(tmp_path / "project", made.answers)
    assert project.contents() == made.contents()

    copier.run_update(project.path, data={"user_name": "Ada"}, defaults=True, overwrite=True, quiet=True)

    assert project.recorded["_commit"] == PRESENT
    assert (project.path / "schemas/manifest.schema.json").is_file()
    changed = git(project.path, "diff", "--name-only").split()
    assert "pyproject.toml" in changed
    assert not any(name.startswith(("schemas/", "sandbox/")) for name in changed)


def test_a_template_from_a_zip_makes_the_same_project_and_no_update(
    template: Template, default_project: Project, tmp_path: Path
) -> None:
    unpacked = tmp_path / "template"
    shutil.copytree(template.path, unpacked, ignore=shutil.ignore_patterns(".git"))
    project = Template(unpacked, template.questionnaire).copy(
        tmp_path / "project", {"origin_name": "Acme Reviews"}
    )
    assert project.contents() == default_project.contents()

    project.commit("As generated")
    with pytest.raises(UserMessageError, match="cannot obtain old template references"):
        copier.run_update(project.path, defaults=True, overwrite=True, quiet=True)


def as_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, (name, value) in enumerate([("core.autocrlf", "true"), ("core.symlinks", "false")]):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", name)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "2")


def attributes(folder: Path, *names: str) -> dict[str, dict[str, str]]:
    listed = git(folder, "check-attr", "-z", "text", "eol", "--", *names).split("\0")[:-1]
    found: dict[str, dict[str, str]] = {}
    for name, attribute, value in zip(listed[::3], listed[1::3], listed[2::3], strict=True):
        found.setdefault(name, {})[attribute] = value
    return found


def test_every_binary_file_of_the_template_is_named_as_one() -> None:
    names = list(filter(None, git(ROOT, "ls-files", "-z").split("\0")))
    assert_named(ROOT, [name for name in names if (ROOT / name).is_file()])


def test_every_binary_file_of_a_project_is_named_as_one(default_project: Project, tmp_path: Path) -> None:
    project = default_project.copied(tmp_path / "project")
    project.commit("As generated")
    assert_named(project.path, project.files())
    photos = [f"photo{ending}" for ending in IMAGES]
    assert all(found["text"] == "unset" for found in attributes(project.path, *photos).values())


def assert_named(folder: Path, names: list[str]) -> None:
    found = attributes(folder, *names)
    binary = [name for name in names if b"\0" in (folder / name).read_bytes()]
    assert binary
    assert {name for name in names if found[name]["text"] == "unset"} == set(binary)
    assert all(found[name]["eol"] == "lf" for name in names if name not in binary)
