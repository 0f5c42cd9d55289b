"""Compares the CPU time of a generated service, request by request, with bare services that do the same work.

python benchmarks/request_cost.py [--rounds N] [--each N]

Generates a project with nearly every capability, and starts it on SQLite, pinned to one core, beside a bare Starlette app and a
FastAPI app with the same routes, calls and commits. They take turns in every round. What is printed is the table of
README.md: medians of the CPU time of a request, and of the ratios within a round.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from projects_to_measure import SERVED, generate
from readme import add_option, publish, tabular
from uv import find_uv_bin

SCRIPT = Path(__file__).with_name("measure_requests.py")
BESIDE = ("fastapi", "python-multipart", "aiosqlite")
"""What only the services need that the generated one is compared with."""

OBVIOUS = "FastAPI, SQLAlchemy"
"""The service that no request may cost more than."""

GOALS = {
    "pull, nothing new": 2.2,
    "pull of 200": 3,
    "channelback": 2.2,
    "channelback, repeated": 3,
    "click-through": 2.2,
    "admin form": 3,
    "webhook, one post": 2.2,
}
"""How many times as much as the bare service a request may cost at most."""

PUSHING = "webhook to Zendesk, one post"
PUSHING_GOAL = 6
"""CPU milliseconds."""

Spent = dict[str, dict[str, list[float]]]
"""Milliseconds of CPU time of one request, by kind and service, in each round."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="how often each number is measured (7)")
    parser.add_argument("--each", type=int, default=100, help="requests of each kind in a round (100)")
    add_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        python = generate(project, capabilities=SERVED)
        subprocess.run(
            [find_uv_bin(), "--quiet", "pip", "install", "--python", str(python), *BESIDE], check=True
        )
        command = [python, SCRIPT, str(arguments.rounds), str(arguments.each)]
        environment = os.environ | {"PYTHONPATH": str(project)}
        measured = subprocess.run(command, cwd=project, env=environment, check=True, stdout=subprocess.PIPE)
    spent = json.loads(measured.stdout)
    publish({"requests": table(spent), "requests: goals": goals(spent)}, write=arguments.write)


def table(spent: Spent) -> str:
    names = list(next(iter(spent.values())))
    heads = [*(f"{name}, CPU ms" for name in names), *(f"service / {name}" for name in names[1:])]
    lines = [f"| Request | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    for kind, by_service in spent.items():
        medians = [f"{statistics.median(values):.2f}" for values in by_service.values()]
        ratios = [f"{ratio(by_service['service'], by_service[name]):.1f}" for name in names[1:]]
        lines.append(f"| {' | '.join([kind, *medians, *ratios])} |")
    return "\n".join(lines)


def goals(spent: Spent) -> str:
    rows = {}
    for kind, goal in GOALS.items():
        reached = ratio(spent[kind]["service"], spent[kind]["bare"])
        rows[kind] = f"{goal} | {verdict(reached, goal)} | {no_more_than_obvious(spent[kind])}"
    pushing = statistics.median(spent[PUSHING]["service"])
    reached = verdict(pushing, PUSHING_GOAL, " ms")
    rows[PUSHING] = f"{PUSHING_GOAL} ms | {reached} | {no_more_than_obvious(spent[PUSHING])}"
    columns = f"service / bare: goal | reached? | no more than {OBVIOUS}?"
    return tabular("Request", columns, rows)


def no_more_than_obvious(by_service: dict[str, list[float]]) -> str:
    return verdict(ratio(by_service["service"], by_service[OBVIOUS]), 1)


def verdict(value: float, most: float, unit: str = "") -> str:
    return f"{'yes' if round(value, 1) <= most else 'no'}, {value:.1f}{unit}"


def ratio(own: list[float], others: list[float]) -> float:
    return statistics.median(mine / other for mine, other in zip(own, others, strict=True))


if __name__ == "__main__":
    main()
