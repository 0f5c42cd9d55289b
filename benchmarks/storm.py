"""Sends 10,000 posts through a generated service while Zendesk misbehaves and processes are killed; then checks them.

python benchmarks/storm.py {sqlite,postgresql} [--seed N] [--messages N] [--kills N] … [--write]

Exits with 1 if a post is lost, or a thread out of order. The storm itself is in tests/chaos.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from courses import DATABASES, listed, ran
from readme import Place, add_option, publish, tabular

PLACES: dict[str, Place] = {"sqlite": "storm on sqlite", "postgresql": "storm on postgresql"}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Further options are those of tests/chaos/course.py.",
    )
    parser.add_argument("database", choices=DATABASES)
    parser.add_argument("--seed", default="1", help="repeats the order of the faults (1)")
    add_option(parser)
    arguments, others = parser.parse_known_args()
    options = (arguments.database, "--seed", arguments.seed, *others)
    report, code = ran("course.py", *options, capabilities=["push"])
    written = table(DATABASES[arguments.database], arguments.seed, report)
    publish({PLACES[arguments.database]: written}, write=arguments.write)
    return code


def table(database: str, seed: str, report: dict[str, Any]) -> str:
    rows = {
        "posts": f"{report['messages']:,}",
        "processes killed or frozen": report["disturbances"],
        "Zendesk's answers": listed(report["requests"]),
        "what it made of posts": listed(report["results"]),
        "took": f"{report['seconds']:.0f} s",
    }
    return tabular(f"Seed {seed}", database, rows)


if __name__ == "__main__":
    sys.exit(main())
