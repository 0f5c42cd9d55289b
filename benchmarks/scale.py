"""Compares one, two and four web processes with as many workers, behind Caddy, on one PostgreSQL.

python benchmarks/scale.py [--rounds N] [--requests N] [--posts N]

Every round measures each number once: pulls, replies, and posts from their webhooks to their arrival at Zendesk, and
the CPU time of the processes behind each request. What is printed is the table of README.md: medians over the rounds,
and ratios to one process within the same round. A second table says what a row takes in PostgreSQL, indexes included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from projects_to_measure import TEMPLATE, generate
from readme import add_option, publish, tabular

# What starts a fleet for the tests starts this one.
sys.path.extend(str(TEMPLATE / "tests" / folder) for folder in ("", "form", "hosting", "projects"))

from fleet import Fleet
from load_balancer import adapted, running_caddy
from machine import Machine, free_port, running_origin, running_postgresql
from projects import Project

HERE = Path(__file__).resolve().parent
COUNTS = (1, 2, 4)
CAPABILITIES = ["pull", "push", "channelback", "event_callback"]

Measured = dict[str, dict[str, float]]
"""Requests or posts per second, and milliseconds, of each kind of work."""

Sizes = dict[str, tuple[int, int]]
"""Rows and bytes of each table."""

MANY = 100
"""Rows of which a table needs so many to tell what one takes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="how often each number is measured (7)")
    parser.add_argument("--requests", type=int, default=400, help="pulls, and replies, in each (400)")
    parser.add_argument(
        "--posts", type=int, default=1000, help="posts in each, a webhook for every one (1000)"
    )
    add_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "project"
        python = generate(path, capabilities=CAPABILITIES, hosting="compose")
        machine = Machine(Project(path, Project(path).recorded), python.parent, Path(folder))
        measured, sizes = measure(machine, arguments.rounds, arguments.requests, arguments.posts)
    publish({"scale": table(measured), "scale: rows": table_of_sizes(sizes)}, write=arguments.write)


def measure(
    machine: Machine, rounds: int, requests: int, posts: int
) -> tuple[dict[int, list[Measured]], Sizes]:
    measured: dict[int, list[Measured]] = {count: [] for count in COUNTS}
    ports = [free_port() for _ in range(max(COUNTS))]
    caddyfile = machine.project.text("deploy/Caddyfile")
    with ExitStack() as stack:
        stack.enter_context(running_postgresql(machine))
        origin = stack.enter_context(running_origin(machine))
        urls: dict[int, str] = {}
        for count in COUNTS:
            folder = machine.folder / f"caddy-{count}"
            folder.mkdir()
            urls[count] = stack.enter_context(running_caddy(adapted(caddyfile, ports[:count]), folder)).url
        command = [machine.programs / "python", HERE / "measure_scale.py", str(requests), str(posts)]
        load = stack.enter_context(
            subprocess.Popen(
                command, cwd=machine.project.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        )
        assert load.stdin
        assert load.stdout
        zendesk = json.loads(load.stdout.readline())
        fleet = Fleet(machine, public_url=urls[1], origin_url=origin, zendesk_url=zendesk)
        web = [stack.enter_context(fleet.web(port)) for port in ports]
        postmaster = int((machine.folder / "postgresql" / "postmaster.pid").read_text("utf-8").split()[0])
        tell(load.stdin, fleet.told)
        for _ in range(rounds):
            for count in COUNTS:
                with ExitStack() as working:
                    workers = []
                    for number in range(count):
                        workers.append(worker := working.enter_context(fleet.worker(number)))
                        working.callback(worker.end)
                    processes = {
                        "web processes": [each.process.pid for each in web[:count]],
                        "workers": [each.process.pid for each in workers],
                        "PostgreSQL": [postmaster],
                    }
                    tell(load.stdin, {"url": urls[count], "processes": processes})
                    measured[count].append(json.loads(load.stdout.readline()))
        load.stdin.close()
        sizes = json.loads(load.stdout.readline())
    return measured, sizes


def tell(to: IO[str], what: Any) -> None:
    to.write(json.dumps(what) + "\n")
    to.flush()


def table(measured: dict[int, list[Measured]]) -> str:
    lines = [f"| | | {' | '.join(map(str, measured))} |", f"|---|---|{'---|' * len(measured)}"]
    for work, numbers in measured[1][0].items():
        for unit in numbers:
            texts = (
                text([each[work][unit] for each in rounds], [each[work][unit] for each in measured[1]])
                for rounds in measured.values()
            )
            lines.append(f"| {work} | {unit} | {' | '.join(texts)} |")
    return "\n".join(lines)


def table_of_sizes(sizes: Sizes) -> str:
    kept = {name: f"{rows} | {size / rows:.0f}" for name, (rows, size) in sizes.items() if rows >= MANY}
    return tabular("Table", "rows | bytes a row", kept)


def text(values: list[float], of_one: list[float]) -> str:
    ratios = [value / one for value, one in zip(values, of_one, strict=True) if one]
    ratio = f" ({statistics.median(ratios):.2f})" if ratios and values != of_one else ""
    return f"{statistics.median(values):.1f}{ratio}"


if __name__ == "__main__":
    main()
