"""Sends 10,000 posts through a generated service while Zendesk misbehaves and processes are killed; then checks them.

python benchmarks/storm.py {sqlite,postgresql} [--seed N] [--messages N] [--kills N] … [--write]

Exits with 1 if a post is lost, or a thread out of order. The storm itself is in tests/chaos.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from courses import listed, survive
from readme import tabular

if TYPE_CHECKING:
    from readme import Place

PLACES: dict[str, Place] = {"sqlite": "storm on sqlite", "postgresql": "storm on postgresql"}


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
    sys.exit(survive(__doc__, "course.py", ["push"], PLACES, table))
