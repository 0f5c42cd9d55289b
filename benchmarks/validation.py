"""Claims that a service validates 200 resources in less than a seventh of the time that the pull with them takes.

python benchmarks/validation.py [--rounds N]

Generates a project, runs it beside its demonstration origin and compares, in one run, what README.md describes.
Exits with 1 if the claim does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import copier
from readme import add_option, publish, tabular
from uv import find_uv_bin

HERE = Path(__file__).resolve().parent
MOST = 1 / 7
CLAIMED = "model"
STEPS = {
    "pull": "the pull, from the request to the last byte",
    "model": "the service's own validation",
    "jsonschema-rs": "the schema, by jsonschema-rs",
    "jsonschema": "the schema, by jsonschema",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100, help="how often each step is measured (100)")
    add_option(parser)
    arguments = parser.parse_args()
    rounds = arguments.rounds
    with tempfile.TemporaryDirectory() as folder:
        seconds = measure(Path(folder) / "project", rounds)
    shares = {
        step: [own / pull for own, pull in zip(seconds[step], seconds["pull"], strict=True)] for step in STEPS
    }
    publish({"validation": table(seconds, shares)}, write=arguments.write)
    holds = statistics.median(shares[CLAIMED]) < MOST
    print(f"\n{STEPS[CLAIMED]} takes {'less' if holds else 'NOT less'} than a seventh of the pull")
    return 0 if holds else 1


def table(seconds: dict[str, list[float]], shares: dict[str, list[float]]) -> str:
    rows = {}
    for step, title in STEPS.items():
        low, high = spread(shares[step])
        rows[title] = (
            f"{statistics.median(seconds[step]) * 1000:.1f} | {statistics.median(shares[step]):.3f}"
            f" | {low:.3f} to {high:.3f} | {min(seconds[step]) / min(seconds['pull']):.3f}"
        )
    columns = "ms, median | share of the pull, median | its middle eight tenths | share of the fastest"
    return tabular(f"{len(seconds['pull'])} rounds", columns, rows)


def measure(project: Path, rounds: int) -> dict[str, list[float]]:
    answers = {"origin_name": "Acme Reviews", "package_name": "acme_reviews"}
    copier.run_copy(str(HERE.parent), project, data=answers, defaults=True, quiet=True, vcs_ref="HEAD")
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    uv = [find_uv_bin(), "--quiet"]
    subprocess.run([*uv, "sync"], cwd=project, env=environment, check=True)
    measured = subprocess.run(
        [*uv, "run", "--with", "jsonschema-rs", "python", HERE / "measure_validation.py", str(rounds)],
        cwd=project,
        env=environment | {"PYTHONPATH": str(project)},
        check=True,
        stdout=subprocess.PIPE,
    )
    seconds: dict[str, list[float]] = json.loads(measured.stdout)
    return seconds


def spread(values: list[float]) -> tuple[float, float]:
    ordered = sorted(values)
    tenth = len(ordered) // 10
    return ordered[tenth], ordered[-1 - tenth]


if __name__ == "__main__":
    sys.exit(main())
