"""Has origin, Zendesk, database and clock fail at once while customers write, agents reply and the service is killed.

python benchmarks/soak.py {sqlite,postgresql} [--seed N] [--posts N] [--kills N] … [--write]

Exits with 1 if a post or a reply is lost or doubled, a reply comes back as a customer's comment, a thread is out of
order, or the log holds a traceback that none of the faults explains. The soak itself is in tests/chaos.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from courses import DATABASES, listed, ran
from readme import Place, add_option, publish, tabular

PLACES: dict[str, Place] = {"sqlite": "soak on sqlite", "postgresql": "soak on postgresql"}

CAPABILITIES = (
    *("pull", "push", "channelback", "deferred_replies"),
    *("clickthrough", "event_callback", "about", "dashboard"),
)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Further options are those of tests/chaos/soak.py.",
    )
    parser.add_argument("database", choices=DATABASES)
    parser.add_argument("--seed", default="1", help="repeats the order of the blows (1)")
    add_option(parser)
    arguments, others = parser.parse_known_args()
    options = (arguments.database, "--seed", arguments.seed, *others)
    report, code = ran("soak.py", *options, capabilities=CAPABILITIES)
    written = table(DATABASES[arguments.database], arguments.seed, report)
    publish({PLACES[arguments.database]: written}, write=arguments.write)
    return code


def table(database: str, seed: str, report: dict[str, Any]) -> str:
    answers = {
        status: sum(
            number for answer, number in report["answers"].items() if answer.rpartition(" ")[2] == status
        )
        for status in ("200", "202", "302", "401", "503", "none")
    }
    rows = {
        "posts, replies": f"{report['posts']:,}, {report['replies']:,}",
        "blows": listed(report["blows"]),
        "the origin's answers": listed(report["origin"]),
        "Zendesk's answers": listed(report["zendesk"]),
        "the service's answers": listed(answers),
        "longest end": f"{report['longest_end']} s",
        "memory when all is calm": f"{', '.join(map(str, report['mebibytes']))} MiB",
        # PostgreSQL's clock cannot be moved.
        **({"rows years later": listed(report["rows"])} if report["rows"] else {}),
        "took": f"{report['seconds'] / 60:.1f} minutes",
    }
    return tabular(f"Seed {seed}", database, rows)


if __name__ == "__main__":
    sys.exit(main())
