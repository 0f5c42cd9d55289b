"""The dashboard's section on replies that were answered before they were posted."""

from ..core.tables import ROWS, AccountName, Cell, Status, Table, Tone, View, page_of
from .replies import DEFERRED_REPLIES, DeferredReplies, DeferredReplyRecord

KEY = "deferred-replies"

OUTCOMES: dict[str, tuple[str, Tone]] = {
    "waiting": ("to be posted", "idle"),
    "posted": ("posted", "good"),
    "failed": ("failed, to be reported", "bad"),
    "reported": ("failed, the agent was told", "bad"),
    "unreported": ("failed, the agent does not know", "bad"),
}


class DeferredReplySection:
    def __init__(self, replies: DeferredReplies) -> None:
        self._replies = replies

    async def tables(self, view: View) -> list[Table]:
        def row(reply: DeferredReplyRecord) -> list[Cell]:
            return [
                reply.accepted_at,
                AccountName(reply.account_id),
                Status(*OUTCOMES[reply.state]),
                reply.external_id,
                reply.origin_id or "",
                str(reply.tries),
                reply.detail,
            ]

        found = await self._replies.last(ROWS + 1, view.account_id, view.behind.get(KEY, ""))
        rows, goes_on = page_of(found, row, DEFERRED_REPLIES.place_of)
        return [
            Table(
                title="Deferred replies",
                columns=("When", "Account", "Outcome", "Known to Zendesk as", "Posted as", "Tries", "Detail"),
                rows=rows,
                empty="None: Zendesk is answered once a reply is posted.",
                key=KEY,
                goes_on=goes_on,
            )
        ]
