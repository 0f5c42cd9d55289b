"""Has 300 replies posted by a generated service while Zendesk pulls, answers get lost and processes are killed.

python benchmarks/replies.py {sqlite,postgresql} [--seed N] [--replies N] [--kills N] … [--write]

Exits with 1 if a reply is lost, posted twice, or comes back as a customer's comment. The storm itself is in tests/chaos.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from courses import listed, survive
from readme import tabular

if TYPE_CHECKING:
    from readme import Place

CAPABILITIES = ("pull", "push", "channelback", "deferred_replies")
PLACES: dict[str, Place] = {"sqlite": "replies on sqlite", "postgresql": "replies on postgresql"}


def table(database: str, seed: str, report: dict[str, Any]) -> str:
    rows = {
        "replies, customers' posts": f"{report['replies']:,}, {report['posts']:,}",
        "killed": report["kills"],
        "the service's answers": listed(report["answers"]),
        "took": f"{report['seconds']:.0f} s",
    }
    return tabular(f"Seed {seed}", database, rows)


if __name__ == "__main__":
    sys.exit(survive(__doc__, "replies.py", CAPABILITIES, PLACES, table))
