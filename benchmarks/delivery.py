"""Compares the durable way of posts to Zendesk with a bare client that sends the same batches, and times a webhook.

python benchmarks/delivery.py [--messages N] [--accounts N] [--webhooks N]

Each number is measured in the same run, against the same Zendesk on this machine, which answers at once:

- posts per second of a bare client, of the service on SQLite, and of one, two and four workers on PostgreSQL;
- milliseconds from sending a webhook to its post's arrival at Zendesk, while nothing else happens.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from projects_to_measure import generate

HERE = Path(__file__).resolve().parent
TARGET = 50
"""Milliseconds from a webhook to Zendesk, in the median."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=40_000, help="posts in each run (40000)")
    parser.add_argument("--accounts", type=int, default=10, help="accounts that they belong to (10)")
    parser.add_argument("--webhooks", type=int, default=50, help="webhooks that are timed (50)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        command = [generate(project), HERE / "measure_delivery.py"]
        numbers = [str(number) for number in vars(arguments).values()]
        measured = subprocess.run([*command, *numbers], cwd=project, check=True, stdout=subprocess.PIPE)
    report(json.loads(measured.stdout))


def report(measured: dict[str, Any]) -> None:
    rates = measured["rates"]
    lines = [
        f"{way:28} {rate:8.0f} posts/s  {rate / rates['bare client']:5.2f} of the bare client"
        for way, rate in rates.items()
    ]
    for way, milliseconds in measured["milliseconds"].items():
        ordered = sorted(milliseconds)
        median, most = statistics.median(ordered), ordered[int(len(ordered) * 0.9)]
        lines.append(
            f"webhook to Zendesk, {way:24} median {median:6.1f} ms (target: below {TARGET}), nine tenths within {most:6.1f} ms"
        )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
