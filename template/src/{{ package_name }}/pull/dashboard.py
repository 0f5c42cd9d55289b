"""The dashboard's section on pulling: the last pulls, and the posts that were quarantined."""

from collections.abc import Mapping

from ..core.tables import Status, Table, Tone
from .log import Outcome, PullLog

ROWS = 50

OUTCOME_TONES: dict[Outcome, Tone] = {
    "complete": "good",
    "more waiting": "good",
    "cut short": "warn",
    "origin unavailable": "warn",
    "credentials rejected": "bad",
    "outdated": "bad",
    "failed": "bad",
}


class PullSection:
    def __init__(self, pull_log: PullLog) -> None:
        self._pull_log = pull_log

    async def tables(self, names: Mapping[str, str], account_id: str | None = None) -> list[Table]:
        return [await self._quarantine_table(names, account_id), await self._pull_table(names, account_id)]

    async def _quarantine_table(self, names: Mapping[str, str], account_id: str | None) -> Table:
        return Table(
            title="Quarantined posts",
            columns=("Account", "Post", "Reason", "When"),
            rows=[
                (names.get(entry.account_id, ""), entry.item_id, entry.reason, entry.at)
                for entry in await self._pull_log.quarantined(ROWS, account_id)
            ],
            empty="None: every post could be turned into a comment.",
        )

    async def _pull_table(self, names: Mapping[str, str], account_id: str | None) -> Table:
        return Table(
            title="Last pulls",
            columns=("When", "Account", "Outcome", "Posts", "Quarantined", "Seconds", "Detail"),
            rows=[
                (
                    pull.at,
                    names.get(pull.account_id, ""),
                    Status(pull.outcome, OUTCOME_TONES[pull.outcome]),
                    str(pull.returned),
                    str(pull.quarantined),
                    f"{pull.seconds:.2f}",
                    pull.detail,
                )
                for pull in await self._pull_log.last_pulls(ROWS, account_id)
            ],
            empty="Zendesk has not asked yet.",
        )
