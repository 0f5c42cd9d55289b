"""The gate of a generated project is alive: each of its steps finds what it is there to find."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from commands import CommandError
from projects import Project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from projects import Template

pytestmark = pytest.mark.gate


@dataclass(frozen=True)
class Breakage:
    """One way to spoil a project, and what the gate says about it."""

    spoil: Callable[[Project], None]
    step: str
    words: str


def appended(name: str, text: str) -> Callable[[Project], None]:
    return lambda project: project.append(name.replace("PACKAGE", project.source), text)


def written(name: str, text: str) -> Callable[[Project], None]:
    return lambda project: project.write(name.replace("PACKAGE", project.source), text)


def as_only_test(name: str, text: str) -> Callable[[Project], None]:
    """Leave nothing else to run: hundreds of passing tests would only delay the failure."""

    def spoil(project: Project) -> None:
        for file in project.path.glob("tests/**/test_*.py"):
            file.unlink()
        project.write(name, text)

    return spoil


def know_the_application(project: Project) -> None:
    origin = f"{project.source}/origin.py"
    before, relative_import, after = project.text(origin).partition("\nfrom .")
    project.write(
        origin, f"{before}\nfrom . import app{relative_import}{after}\n\nAPPLICATION = app.__name__\n"
    )


def know_the_application_by_another(project: Project) -> None:
    text = '"""Mine."""\n\nfrom .core.database import Database\n\nDATABASE = Database\n'
    project.write(f"{project.source}/mine.py", text)
    origin = f"{project.source}/origin.py"
    before, relative_import, after = project.text(origin).partition("\nfrom .origin_protocol")
    text = f"{before}\nfrom .mine import DATABASE{relative_import}{after}\n\nMINE = DATABASE\n"
    project.write(origin, text)


FAILING = """
def test_arithmetic() -> None:
    assert 1 + 1 == 3
"""
WARNING = """
import warnings


def test_warning() -> None:
    warnings.warn("old", DeprecationWarning, stacklevel=1)
"""
UNTESTED = "".join(
    f"\n\ndef weigh_{number}(weight: int) -> int:\n    if weight > {number}:\n        return {number}\n    return weight\n"
    for number in range(200)
)

BREAKAGES = {
    "an unused import": Breakage(appended("PACKAGE/core/accounts.py", "\nimport shlex\n"), "lint", "F401"),
    "a dangerous call": Breakage(
        appended("PACKAGE/core/accounts.py", '\n\nTWO = eval("1 + 1")\n'), "lint", "S307"
    ),
    "a misformatted line": Breakage(
        appended("PACKAGE/core/accounts.py", "\n\nWEIGHTS = {'a':1}\n"), "format", "would be reformatted"
    ),
    "a type error": Breakage(
        appended("PACKAGE/core/accounts.py", '\n\nCOUNT: int = "3"\n'), "types", "[assignment]"
    ),
    "a type error in a test": Breakage(
        written("tests/test_types.py", 'COUNT: int = "3"\n'), "types", "[assignment]"
    ),
    "an origin that knows the application": Breakage(know_the_application, "imports", "BROKEN"),
    "an origin whose second module knows the application": Breakage(
        know_the_application_by_another, "imports", "BROKEN"
    ),
    "a failing test": Breakage(as_only_test("tests/test_failing.py", FAILING.lstrip()), "test", "1 failed"),
    "a warning": Breakage(
        as_only_test("tests/test_warning.py", WARNING.lstrip()), "test", "DeprecationWarning: old"
    ),
    "branches without test": Breakage(
        appended("PACKAGE/web/manifest.py", UNTESTED), "test", "Coverage failure"
    ),
}


@pytest.fixture(scope="module")
def locked_project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose dependencies are resolved, for copies that then all have the same ones."""
    project = template.copy(tmp_path_factory.mktemp("locked") / "project", {"origin_name": "Acme Reviews"})
    project.uv("lock")
    return project


@pytest.mark.parametrize("name", BREAKAGES)
def test_the_gate_refuses(name: str, locked_project: Project, tmp_path: Path) -> None:
    breakage = BREAKAGES[name]
    project = Project(tmp_path / "project", locked_project.answers)
    shutil.copytree(locked_project.path, project.path)
    project.uv("sync", "--frozen")
    steps = project.configuration["tool"]["poe"]["tasks"]["gate"]
    breakage.spoil(project)

    with pytest.raises(CommandError) as refusal:
        project.uv("run", "--frozen", "poe", "gate", timeout=1500)
    output = str(refusal.value)
    assert breakage.words in output, output
    # Neither an earlier step nor the gate's own machinery is what failed.
    begun = [
        step for step in steps if f"Poe => {project.configuration['tool']['poe']['tasks'][step]}" in output
    ]
    assert begun == steps[: steps.index(breakage.step) + 1], output
    shutil.rmtree(project.path)
