"""Courses: what tests/chaos has happen to a service, here to a project that is generated for it."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects_to_measure import generate
from readme import add_option, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from readme import Place

CHAOS = Path(__file__).resolve().parent.parent / "tests" / "chaos"
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def survive(
    description: str,
    course: str,
    capabilities: Iterable[str],
    places: Mapping[str, Place],
    table: Callable[[str, str, dict[str, Any]], str],
) -> int:
    """Be the script of a course that can be run on both databases; give its exit code.

    `table` takes the database's name, the seed and the report, and belongs at the database's place.
    """
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"Further options are those of tests/chaos/{course}.",
    )
    parser.add_argument("database", choices=DATABASES)
    parser.add_argument("--seed", default="1", help="repeats the order of what befalls it (1)")
    add_option(parser)
    arguments, others = parser.parse_known_args()
    options = (arguments.database, "--seed", arguments.seed, *others)
    report, code = ran(course, *options, capabilities=capabilities)
    written = table(DATABASES[arguments.database], arguments.seed, report)
    publish({places[arguments.database]: written}, write=arguments.write)
    return code


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
