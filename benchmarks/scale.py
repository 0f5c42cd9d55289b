"""Compares one, two and four web processes with as many workers, behind Caddy, on one PostgreSQL.

python benchmarks/scale.py [--rounds N] [--requests N] [--posts N]

Every round measures each number once: pulls, replies, and posts from their webhooks to their arrival at Zendesk. What
is printed are medians over the rounds, and ratios to one process within the same round.
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="how often each number is measured (7)")
    parser.add_argument("--requests", type=int, default=400, help="pulls, and replies, in each (400)")
    parser.add_argument(
        "--posts", type=int, default=1000, help="posts in each, a webhook for every one (1000)"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "project"
        python = generate(path, capabilities=CAPABILITIES, hosting="compose")
        machine = Machine(Project(path, Project(path).recorded), python.parent, Path(folder))
        report(measure(machine, arguments.rounds, arguments.requests, arguments.posts))


def measure(machine: Machine, rounds: int, requests: int, posts: int) -> dict[int, list[Measured]]:
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
        for port in ports:
            stack.enter_context(fleet.web(port))
        tell(load.stdin, fleet.told)
        for _ in range(rounds):
            for count in COUNTS:
                with ExitStack() as working:
                    for number in range(count):
                        worker = working.enter_context(fleet.worker(number))
                        working.callback(worker.end)
                    tell(load.stdin, urls[count])
                    measured[count].append(json.loads(load.stdout.readline()))
        load.stdin.close()
    return measured


def tell(to: IO[str], what: Any) -> None:
    to.write(json.dumps(what) + "\n")
    to.flush()


def report(measured: dict[int, list[Measured]]) -> None:
    single = measured[1]
    for work in single[0]:
        print(work)
        for count, rounds in measured.items():
            values = {
                unit: (
                    statistics.median(each[work][unit] for each in rounds),
                    statistics.median(
                        each[work][unit] / one[work][unit] for each, one in zip(rounds, single, strict=True)
                    ),
                )
                for unit in rounds[0][work]
            }
            texts = [f"{value:7.1f} {unit} ({ratio:4.2f} of one)" for unit, (value, ratio) in values.items()]
            print(f"  processes: {count}  {', '.join(texts)}")


if __name__ == "__main__":
    main()
