"""The dashboard's section on channelback: what became of agents' replies."""

from collections.abc import Mapping

from ..ledger import Ledger
from .pages.tables import Status, Table, Tone

ROWS = 50

REPLY_TONES: dict[str, Tone] = {"posted": "good", "posting": "idle", "failed": "bad", "unknown": "warn"}


class ReplySection:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def tables(self, names: Mapping[str, str]) -> list[Table]:
        return [
            Table(
                title="Replies",
                columns=("When", "Account", "Outcome", "Posted as", "Request", "Detail"),
                rows=[
                    (
                        reply.at,
                        names.get(reply.account_id, ""),
                        Status(reply.state, REPLY_TONES[reply.state]),
                        reply.external_id or "",
                        reply.request_unique_identifier,
                        reply.detail,
                    )
                    for reply in await self._ledger.last(ROWS)
                ],
                empty="No agent has replied yet.",
            )
        ]
