"""The tests are held to what they demand of others, and the tools around them agree with each other."""

from __future__ import annotations

import re
import tomllib

import pytest
from commands import ROOT, run, tool
from packaging.requirements import Requirement
from packaging.version import Version

CHECKS = [
    ("ruff", "check", "tests", "benchmarks"),
    ("ruff", "format", "--check", "--diff", "tests", "benchmarks"),
    ("mypy",),
]


@pytest.mark.parametrize("command", CHECKS, ids=" ".join)
def test_the_tests_are_clean(command: tuple[str, ...]) -> None:
    run(tool(command[0]), *command[1:], folder=ROOT)


def test_the_lock_fulfils_every_requirement_and_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in lock
    # Some packages are locked twice, for different versions of Python.
    locked: dict[str, list[Version]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE):
        locked.setdefault(name, []).append(Version(version))
    assert lock.count("--hash=sha256:") >= sum(map(len, locked.values()))

    metadata = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for line in [*metadata["project"]["dependencies"], *metadata["dependency-groups"]["test"]]:
        requirement = Requirement(line)
        versions = locked.get(requirement.name, [])
        assert versions, f"requirements.lock has no {requirement.name}"
        assert all(map(requirement.specifier.contains, versions)), f"requirements.lock is older than {line}"
