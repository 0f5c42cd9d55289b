"""Says what one core carries, and what a million accounts would need, from the tables in README.md.

python benchmarks/capacity.py [--write]

Nothing is measured here. CPU times of requests on SQLite are those of `request_cost.py`, on PostgreSQL and with workers
those of `scale.py` with one process, and so are the bytes of a row. What else goes in stands below.
"""

from __future__ import annotations

import argparse
import re

from readme import README, add_option, publish, tabular

PULL_SECONDS = 120
"""Zendesk pulls each account about every two minutes."""

BUSY = 0.6
"""Share of a core that is planned for; the rest is for peaks."""

PEAK = 4
"""Posts and replies come in eight working hours, and in their busiest ones twice as often."""

POSTS_A_DAY = 10
REPLIES_A_DAY = 5
"""Of one account, on average over all."""

ACCOUNTS = 1_000_000
DAY = 24 * 60 * 60

KEPT_DAYS = {"outbox": 30, "webhook_deliveries": 30, "channelback_claims": 90}
"""How long a row stays by default."""

KINDS = ("web processes", "workers", "PostgreSQL")
PULL = "pull"
REPLY = "channelback"
POST = "webhook, to the arrival of its post at Zendesk"
"""How `scale.py` calls them."""

SPARE = 2
"""PostgreSQL's files hold rows that are gone, and new ones need room before they are cleaned up."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_option(parser)
    write = parser.parse_args().write
    readme = README.read_text("utf-8")
    publish({"capacity": one_core(readme), "capacity: a million accounts": million(readme)}, write=write)


def one_core(readme: str) -> str:
    """PostgreSQL's own time, and that of workers, is part of what a request takes there."""
    per_core = {
        "accounts that Zendesk pulls every two minutes": ("pull, nothing new", PULL, PULL_SECONDS),
        "agents' replies a second": ("channelback", REPLY, 1),
        "posts a second, from webhooks to Zendesk": ("webhook to Zendesk, one post", POST, 1),
    }
    rows = {
        what: " | ".join(
            rounded(BUSY * seconds / milliseconds * 1000)
            for milliseconds in (
                cell(readme, on_sqlite),
                sum(cell(readme, on_postgresql, f"CPU ms of {kind}") for kind in KINDS),
            )
        )
        for what, (on_sqlite, on_postgresql, seconds) in per_core.items()
    }
    return tabular("One core carries", "on SQLite | on PostgreSQL", rows)


def million(readme: str) -> str:
    pulls = ACCOUNTS / PULL_SECONDS
    posts = ACCOUNTS * POSTS_A_DAY / DAY * PEAK
    replies = ACCOUNTS * REPLIES_A_DAY / DAY * PEAK
    cores = {
        kind: (
            pulls * cell(readme, PULL, f"CPU ms of {kind}")
            + replies * cell(readme, REPLY, f"CPU ms of {kind}")
            + posts * cell(readme, POST, f"CPU ms of {kind}")
        )
        / 1000
        / BUSY
        for kind in KINDS
    }
    rows_kept = {
        "accounts": ACCOUNTS,
        "push_credentials": ACCOUNTS,
        **{
            name: ACCOUNTS * (REPLIES_A_DAY if name == "channelback_claims" else POSTS_A_DAY) * days
            for name, days in KEPT_DAYS.items()
        },
    }
    gigabytes = sum(count * cell(readme, name, column=1) for name, count in rows_kept.items()) * SPARE / 1e9
    rows = {
        "pulls a second": rounded(pulls),
        "posts, and replies a second at the peak": f"{rounded(posts)}, {rounded(replies)}",
        **{f"cores for {kind}": rounded(count) for kind, count in cores.items()},
        **{f"rows of {name}": f"{rounded(count / 1e6)} million" for name, count in rows_kept.items()},
        "disk for them": f"{rounded(gigabytes)} GB",
    }
    return tabular(f"{ACCOUNTS:,} accounts, each pulled and pushed to", "on PostgreSQL", rows)


def cell(readme: str, *names: str, column: int = 0) -> float:
    """Read the number behind the first cells of a table's row."""
    row = re.search(rf"^\| {re.escape(' | '.join(names))} \| (.+) \|$", readme, re.MULTILINE)
    if row is None:
        raise LookupError(f"README.md has no row {' | '.join(names)}")
    return float(row[1].split(" | ")[column].partition(" ")[0])


def rounded(number: float) -> str:
    """Two digits count."""
    return f"{float(f'{number:.1e}'):,.0f}"


if __name__ == "__main__":
    main()
