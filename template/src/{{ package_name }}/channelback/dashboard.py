"""The dashboard's section on channelback: what became of agents' replies."""

from ..core.tables import ROWS, AccountName, Cell, Status, Table, Tone, View, page_of
from .claims import REPLIES, Claims, ReplyRecord

KEY = "replies"

REPLY_TONES: dict[str, Tone] = {"posted": "good", "posting": "idle", "failed": "bad", "unknown": "warn"}


class ReplySection:
    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    async def tables(self, view: View) -> list[Table]:
        def row(reply: ReplyRecord) -> list[Cell]:
            return [
                reply.at,
                AccountName(reply.account_id),
                Status(reply.state, REPLY_TONES[reply.state]),
                reply.external_id or "",
                reply.request_unique_identifier,
                reply.detail,
            ]

        found = await self._claims.last(ROWS + 1, view.account_id, view.behind.get(KEY, ""))
        rows, goes_on = page_of(found, row, REPLIES.place_of)
        return [
            Table(
                title="Replies",
                columns=("When", "Account", "Outcome", "Posted as", "Request", "Detail"),
                rows=rows,
                empty="No agent has replied yet.",
                key=KEY,
                goes_on=goes_on,
            )
        ]
