"""The dashboard's section on listening: each account's connection, and how it failed the last time."""

from ..core.tables import ACCOUNTS, Cell, Status, Table, View
from ..push.outbox import Outbox
from .record import Entry, Record

NOTHING = Entry(since=None, failed_at=None, error="", next_try=None)


class ListenSection:
    def __init__(self, record: Record, outbox: Outbox) -> None:
        self._record = record
        self._outbox = outbox

    async def tables(self, view: View) -> list[Table]:
        entries = await self._record.of(view.shown)
        heard = await self._outbox.last_deliveries(view.shown)
        rows: list[list[Cell]] = []
        for account_id, name in view.shown.items():
            entry = entries.get(account_id, NOTHING)
            failure = f"{entry.failed_at:%Y-%m-%d %H:%M:%S} {entry.error}" if entry.failed_at else ""
            rows.append(
                [
                    name,
                    _status(entry),
                    entry.since or "",
                    heard.get(account_id, ""),
                    entry.next_try or "",
                    failure,
                ]
            )
        return [
            Table(
                title="Listening",
                columns=("Account", "Connection", "Since", "Last post", "Next try", "Last error"),
                rows=rows,
                empty="No account yet.",
                key=ACCOUNTS,
                goes_on=view.accounts_go_on,
            )
        ]


def _status(entry: Entry) -> Status:
    if entry.since:
        return Status("listening", "good")
    return Status("failed", "bad") if entry.next_try else Status("not listening", "idle")
