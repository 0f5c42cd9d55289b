"""Mistakes that people really make in the files for hosting, and the validators that must see them.

A validator that takes anything would look the same as a good file, so each is also given files that were broken.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from check_jsonschema import main as check_jsonschema  # type: ignore[import-untyped]
from click.testing import CliRunner
from commands import environment, run, tool
from projects import Project

PUBLIC_URL = "https://reviews.example.com"

# What a validator has to say against a file: nothing, when the file is good.
Validator = Callable[[Path], str]


def program(*command: str, file: Path) -> str:
    """Run a validator that is a program of its own, installed beside Python."""
    name, *arguments = command
    ended = run(
        tool(name), *arguments, file, folder=file.parent, env=environment(PUBLIC_URL=PUBLIC_URL), check=False
    )
    return ended.output if ended.code else ""


def schema(file: Path, *, builtin: str, transform: str | None = None) -> str:
    options = ["--data-transform", transform] if transform else []
    result = CliRunner().invoke(check_jsonschema, ["--builtin-schema", builtin, *options, str(file)])
    return result.output if result.exit_code else ""


class Mistake(NamedTuple):
    """How a person breaks a file, and what a complaint about it has to mention."""

    what: str
    file: str
    before: str
    after: str
    complaint: str


def named(mistakes: list[Mistake]) -> list[Any]:
    return [
        pytest.param(mistake, id=f"{'/'.join(Path(mistake.file).parts[-2:])} {mistake.what}")
        for mistake in mistakes
    ]


def broken(project: Project, mistake: Mistake) -> str:
    """Return a file's text with the mistake in it."""
    text = project.text(mistake.file)
    assert mistake.before in text
    return text.replace(mistake.before, mistake.after)


def overlooked(project: Project, mistakes: list[Mistake]) -> list[str]:
    """Return the mistakes that the project's own tests of its deployment let pass, or see for another reason.

    One run judges a copy of the deployment for each mistake, and one without any, which has to pass.
    """
    cases = dict(enumerate([None, *mistakes]))
    for number, mistake in cases.items():
        copy = Project(project.path / "copies" / str(number))
        for folder in ("deploy", "docs", "tests/deploy"):
            # Outside a package, each copy of a test is a module of its own.
            without_package = shutil.ignore_patterns("__init__.py")
            shutil.copytree(project.path / folder, copy.path / folder, ignore=without_package)
        for file in filter(Path.is_file, project.path.iterdir()):
            shutil.copy(file, copy.path)
        (copy.path / "src").symlink_to(project.path / "src")
        if mistake:
            copy.write(mistake.file, broken(project, mistake))
    project.sync()
    folders = [f"copies/{number}/tests/deploy" for number in cases]
    # Which tests fail is all that is asked; rewriting their assertions, to explain them, would take most of the time.
    plain = ("--noconftest", "--import-mode=importlib", "--assert=plain", "--tb=line", "-rA")
    command = ["run", "--no-sync", "pytest", "-q", *plain, *folders]
    output = project.uv(*command, check=False).output
    outcomes = re.findall(r"(?m)^(PASSED|FAILED) copies/(\d+)/tests/deploy/\w+\.py::(\w+)", output)
    assert {int(number) for _, number, _ in outcomes} == set(cases), output
    refused: dict[int, set[str]] = {number: set() for number in cases}
    for outcome, number, name in outcomes:
        if outcome == "FAILED":
            refused[int(number)].add(name)
    assert not refused[0], output
    return [
        f"{mistake.file} {mistake.what}: {refused[number] or 'nothing'}, not {mistake.complaint}"
        for number, mistake in cases.items()
        if mistake and not any(mistake.complaint in name for name in refused[number])
    ]
