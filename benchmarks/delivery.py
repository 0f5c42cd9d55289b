"""Compares the durable way of posts to Zendesk with a bare client that sends the same batches, and times a webhook.

python benchmarks/delivery.py [--messages N] [--accounts N] [--webhooks N] [--write]

Each number is measured in the same run, against the same Zendesk on this machine, which answers at once:

- posts per second of a bare client, of the service on SQLite, and of one, two and four workers on PostgreSQL;
- milliseconds from sending a webhook to its post's arrival at Zendesk, while nothing else happens.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

from projects_to_measure import generate
from readme import add_option, publish, tabular

HERE = Path(__file__).resolve().parent
TARGET = 50
"""Milliseconds from a webhook to Zendesk, in the median."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=40_000, help="posts in each run (40000)")
    parser.add_argument("--accounts", type=int, default=10, help="accounts that they belong to (10)")
    parser.add_argument("--webhooks", type=int, default=50, help="webhooks that are timed (50)")
    add_option(parser)
    arguments = parser.parse_args()
    numbers = (arguments.messages, arguments.accounts, arguments.webhooks)
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        command = [generate(project), HERE / "measure_delivery.py", *map(str, numbers)]
        ended = subprocess.run(command, cwd=project, check=True, stdout=subprocess.PIPE)
    measured = json.loads(ended.stdout)
    tables = {
        "delivery": rates(measured["rates"], arguments.messages),
        "delivery: one webhook": waits(measured["milliseconds"]),
    }
    publish(tables, write=arguments.write)


def rates(measured: dict[str, float], messages: int) -> str:
    rows = {way: f"{rate:,.0f} | {rate / measured['bare client']:.2f}" for way, rate in measured.items()}
    return tabular(f"{messages:,} posts", "posts a second | of the bare client", rows)


def waits(measured: dict[str, list[float]]) -> str:
    rows = {}
    for way, milliseconds in measured.items():
        ordered = sorted(milliseconds)
        rows[way] = f"{statistics.median(ordered):.0f} | {ordered[int(len(ordered) * 0.9)]:.0f} | {TARGET}"
    return tabular("From a webhook to Zendesk", "ms, median | in nine tenths | goal for the median", rows)


if __name__ == "__main__":
    main()
