"""A simulated day of 10,000 accounts: the service and the sandbox's Zendesk go by one clock, which is moved.

python benchmarks/day.py [--accounts N] [--hours N] [--pulls N] [--posts N] [--write]

Zendesk pulls each account as often a day as --pulls says, not every two minutes, which would take hours. Each account gets
--posts posts a day; of every tenth account they come by webhooks, and are pushed. Exits with 1 if an account is not
pulled as often as is due, a post does not come in once, and by the right way, the process grows, or rows are left
when nothing is to be kept any more.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from courses import ran
from readme import add_option, publish, tabular

CAPABILITIES = ("pull", "push", "channelback", "deferred_replies", "event_callback", "dashboard")

NUMBERS = ("accounts", "hours", "pulls", "posts")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accounts", type=int, default=10_000, help="(10000)")
    parser.add_argument("--hours", type=int, default=24, help="that are simulated (24)")
    parser.add_argument("--pulls", type=int, default=6, help="of each account in 24 hours (6)")
    parser.add_argument("--posts", type=int, default=2, help="of each account in 24 hours (2)")
    add_option(parser)
    arguments = vars(parser.parse_args())
    numbers = [arguments[name] for name in NUMBERS]
    report, code = ran("day.py", *numbers, capabilities=CAPABILITIES)
    publish({"day": table(report)}, write=arguments["write"])
    print(*report["faults"], sep="\n", file=sys.stderr)
    return code


def table(report: dict[str, Any]) -> str:
    def each(work: str, number: int) -> str:
        seconds = report["cpu_seconds"][work]
        return f"{seconds:.0f} s: {seconds / max(number, 1) * 1000:.1f} ms each"

    rows = {
        "pulls": f"{report['pulls']:,}",
        "posts that came in; the others were written behind the last pull": f"{report['posts']:,}",
        "of them pushed": f"{report['pushed']:,}",
        "CPU of the service for pulls, with what they bring": each("pulls", report["pulls"]),
        "CPU of the service for webhooks and pushes": each("webhooks and pushes", report["pushed"]),
        "memory at the beginning, in the middle, at the end": f"{', '.join(map(str, report['mebibytes']))} MiB",
        "database": f"{report['database_mebibytes']} MiB",
        "rows two years later": ", ".join(
            f"{number:,} {name}" for name, number in report["rows years later"].items()
        ),
        "took": f"{report['seconds'] / 60:.0f} minutes",
    }
    return tabular(f"{report['accounts']:,} accounts, {report['hours']} hours", "SQLite", rows)


if __name__ == "__main__":
    sys.exit(main())
