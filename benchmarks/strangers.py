"""Sends 20,000 bent requests to a generated service, and looks at answers, waits, memory and log.

python benchmarks/strangers.py [--listen] {sqlite,postgresql} [--requests N] [--seed N] [--write]

The service has every capability; its origin sends webhooks, or with --listen is listened to.

Exits with 1 if one is answered with a 5xx, waits for more than five seconds, or leaves something behind. The requests
themselves are made in tests/chaos.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from courses import DATABASES, listed, ran
from projects_to_measure import EVERYTHING
from readme import Place, add_option, publish, tabular

PLACES: dict[str, Place] = {"sqlite": "strangers on sqlite", "postgresql": "strangers on postgresql"}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", choices=DATABASES)
    parser.add_argument("--listen", action="store_true", help="the origin sends no webhooks")
    parser.add_argument("--requests", type=int, default=20_000, help="(20000)")
    parser.add_argument("--seed", type=int, default=1, help="makes other requests (1)")
    add_option(parser)
    arguments = parser.parse_args()
    capabilities = [name for name in EVERYTHING if name != "listen" or arguments.listen]
    options = (arguments.database, "--requests", arguments.requests, "--seed", arguments.seed)
    report, code = ran("strangers.py", *options, capabilities=capabilities)
    written = table(arguments.seed, {DATABASES[arguments.database]: report})
    publish({PLACES[arguments.database]: written}, write=arguments.write)
    return code


def table(seed: int, reports: dict[str, dict[str, Any]]) -> str:
    """Give a column for each report; they have the same rows."""
    columns = [rows(report) for report in reports.values()]
    joined = {name: " | ".join(column.get(name, "") for column in columns) for name in columns[0]}
    return tabular(f"Seed {seed}", " | ".join(reports), joined)


def rows(report: dict[str, Any]) -> dict[str, str]:
    first, last = report["mebibytes"]
    found = {
        "requests": f"{report['requests']:,}",
        "answers": listed(report["statuses"]),
        "longest wait": f"{report['longest_wait']:.1f} s",
        "memory after a quarter, at the end": f"{first}, {last} MiB",
    }
    if "log_bytes" in report:
        found["log, a request"] = f"{report['log_bytes'] / report['requests']:.0f} bytes"
    return found


if __name__ == "__main__":
    sys.exit(main())
