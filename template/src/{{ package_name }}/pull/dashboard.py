"""The dashboard's section on pulling: the last pulls, and the posts that were quarantined."""

from ..core.tables import ROWS, AccountName, Cell, Status, Table, Tone, View, page_of
from .log import PULLS, QUARANTINE, Outcome, PullLog, PullRecord, QuarantineRecord

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

    async def tables(self, view: View) -> list[Table]:
        return [await self._quarantine_table(view), await self._pull_table(view)]

    async def _quarantine_table(self, view: View) -> Table:
        def row(entry: QuarantineRecord) -> list[Cell]:
            return [AccountName(entry.account_id), entry.item_id, entry.reason, entry.at]

        key = "quarantine"
        found = await self._pull_log.quarantined(ROWS + 1, view.account_id, view.behind.get(key, ""))
        rows, goes_on = page_of(found, row, QUARANTINE.place_of)
        return Table(
            title="Quarantined posts",
            columns=("Account", "Post", "Reason", "When"),
            rows=rows,
            empty="None: every post could be turned into a comment.",
            key=key,
            goes_on=goes_on,
        )

    async def _pull_table(self, view: View) -> Table:
        def row(pull: PullRecord) -> list[Cell]:
            return [
                pull.at,
                AccountName(pull.account_id),
                Status(pull.outcome, OUTCOME_TONES[pull.outcome]),
                str(pull.returned),
                str(pull.quarantined),
                f"{pull.seconds:.2f}",
                pull.detail,
            ]

        key = "pulls"
        found = await self._pull_log.last_pulls(ROWS + 1, view.account_id, view.behind.get(key, ""))
        rows, goes_on = page_of(found, row, PULLS.place_of)
        return Table(
            title="Last pulls",
            columns=("When", "Account", "Outcome", "Posts", "Quarantined", "Seconds", "Detail"),
            rows=rows,
            empty="Zendesk has not asked yet.",
            key=key,
            goes_on=goes_on,
        )
