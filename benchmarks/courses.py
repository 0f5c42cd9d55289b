"""Courses: what tests/chaos has happen to a service, here to a project that is generated for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects_to_measure import generate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CHAOS = Path(__file__).resolve().parent.parent / "tests" / "chaos"
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def ran(course: str, *options: object, capabilities: Iterable[str]) -> tuple[dict[str, Any], int]:
    """Run a course; give what it reports, and its exit code. One that reports nothing ends this script, too."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        python = generate(project, capabilities=[*capabilities])
        return ran_by(python, course, *options, path=[project], folder=project)


def ran_by(
    python: Path | str, course: str, *options: object, path: Iterable[Path], folder: Path
) -> tuple[dict[str, Any], int]:
    """Run a course where it finds what it imports."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    command = [str(python), str(CHAOS / course), *map(str, options)]
    ended = subprocess.run(command, cwd=folder, env=env, check=False, stdout=subprocess.PIPE)
    if not ended.stdout:
        sys.exit(ended.returncode or f"{course} reports nothing")
    return json.loads(ended.stdout.splitlines()[-1]), ended.returncode


def listed(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {name}" for name, number in sorted(numbers.items()))
