"""The tests are held to what they demand of others, and the tools around them agree with each other."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
from commands import ROOT, environment, run, tool
from hosting import EVERYTHING
from packaging.requirements import Requirement
from packaging.version import Version
from projects import write_package

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from projects import Project

CODE = ("tests", "tools", "benchmarks", "template/sandbox")
FIXTURES = [file.relative_to(ROOT).as_posix() for file in sorted(ROOT.glob("tests/*/**/conftest.py"))]
CHECKS = [
    ("ruff", "check", *CODE),
    ("ruff", "format", "--check", "--diff", *CODE),
    ("mypy",),
    # Modules of one name, of which mypy takes one at a time.
    *(("mypy", file) for file in FIXTURES),
]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where mypy finds the package that some tests import."""
    folder = tmp_path_factory.mktemp("package")
    write_package(folder, {"origin_name": "Acme Reviews", "capabilities": EVERYTHING})
    return folder


@pytest.mark.parametrize("command", CHECKS, ids=" ".join)
def test_the_code_is_clean(command: tuple[str, ...], package: Path) -> None:
    run(tool(command[0]), *command[1:], folder=ROOT, env=environment(MYPYPATH=str(package)))


def included(groups: dict[str, list[Any]], name: str) -> Iterator[str]:
    """The requirements of a dependency group, with those of the groups that it includes."""
    for entry in groups[name]:
        if isinstance(entry, dict):
            yield from included(groups, entry["include-group"])
        else:
            yield entry


def test_what_a_project_asks_for_is_here(everything: Project) -> None:
    """Its sandbox runs here, and its models are held to the schemas here."""
    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert metadata["dependency-groups"]["project"] == everything.configuration["project"]["dependencies"]


def test_the_lock_fulfils_every_requirement_and_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in lock
    # Some packages are locked twice, for different versions of Python.
    locked: dict[str, list[Version]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE):
        locked.setdefault(name, []).append(Version(version))
    assert lock.count("--hash=sha256:") >= sum(map(len, locked.values()))

    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for line in chain(metadata["project"]["dependencies"], included(metadata["dependency-groups"], "test")):
        requirement = Requirement(line)
        versions = locked.get(requirement.name, [])
        assert versions, f"requirements.lock has no {requirement.name}"
        assert all(map(requirement.specifier.contains, versions)), f"requirements.lock is older than {line}"
