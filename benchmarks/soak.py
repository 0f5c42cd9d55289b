"""Has origin, Zendesk, database and clock fail at once while customers write, agents reply and the service is killed.

python benchmarks/soak.py {sqlite,postgresql} [--seed N] [--posts N] [--kills N] … [--write]

Exits with 1 if a post or a reply is lost or doubled, a reply comes back as a customer's comment, a thread is out of
order, or the log holds a traceback that none of the faults explains. The soak itself is in tests/chaos.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from courses import listed, survive
from readme import tabular

if TYPE_CHECKING:
    from readme import Place

PLACES: dict[str, Place] = {"sqlite": "soak on sqlite", "postgresql": "soak on postgresql"}

CAPABILITIES = (
    *("pull", "push", "channelback", "deferred_replies"),
    *("clickthrough", "event_callback", "about", "dashboard"),
)


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
    sys.exit(survive(__doc__, "soak.py", CAPABILITIES, PLACES, table))
