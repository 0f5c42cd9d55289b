"""Has 300 replies posted by a generated service while Zendesk pulls, answers get lost and processes are killed.

python benchmarks/replies.py {sqlite,postgresql} [--seed N] [--replies N] [--kills N] … [--write]

Exits with 1 if a reply is lost, posted twice, or comes back as a customer's comment. The storm itself is in tests/chaos.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from courses import DATABASES, listed, ran
from readme import Place, add_option, publish, tabular

CAPABILITIES = ("pull", "push", "channelback", "deferred_replies")
PLACES: dict[str, Place] = {"sqlite": "replies on sqlite", "postgresql": "replies on postgresql"}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Further options are those of tests/chaos/replies.py.",
    )
    parser.add_argument("database", choices=DATABASES)
    parser.add_argument("--seed", default="1", help="repeats the order of the faults (1)")
    add_option(parser)
    arguments, others = parser.parse_known_args()
    options = (arguments.database, "--seed", arguments.seed, *others)
    report, code = ran("replies.py", *options, capabilities=CAPABILITIES)
    written = table(DATABASES[arguments.database], arguments.seed, report)
    publish({PLACES[arguments.database]: written}, write=arguments.write)
    return code


def table(database: str, seed: str, report: dict[str, Any]) -> str:
    rows = {
        "replies, customers' posts": f"{report['replies']:,}, {report['posts']:,}",
        "killed": report["kills"],
        "the service's answers": listed(report["answers"]),
        "took": f"{report['seconds']:.0f} s",
    }
    return tabular(f"Seed {seed}", database, rows)


if __name__ == "__main__":
    sys.exit(main())
