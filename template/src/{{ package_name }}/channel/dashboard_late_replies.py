"""The dashboard's section on replies that were answered before they were posted."""

from collections.abc import Mapping

from ..late_replies import LateReplies
from .pages.tables import Status, Table, Tone

ROWS = 50

OUTCOMES: dict[str, tuple[str, Tone]] = {
    "waiting": ("to be posted", "idle"),
    "posted": ("posted", "good"),
    "failed": ("failed, to be reported", "bad"),
    "reported": ("failed, the agent was told", "bad"),
    "unreported": ("failed, the agent does not know", "bad"),
}


class LateReplySection:
    def __init__(self, replies: LateReplies) -> None:
        self._replies = replies

    async def tables(self, names: Mapping[str, str]) -> list[Table]:
        return [
            Table(
                title="Replies answered at once",
                columns=("When", "Account", "Outcome", "Known to Zendesk as", "Posted as", "Tries", "Detail"),
                rows=[
                    (
                        reply.accepted_at,
                        names.get(reply.account_id, ""),
                        Status(*OUTCOMES[reply.state]),
                        reply.external_id,
                        reply.origin_id or "",
                        str(reply.tries),
                        reply.detail,
                    )
                    for reply in await self._replies.last_late(ROWS)
                ],
                empty="None: Zendesk is answered once a reply is posted.",
            )
        ]
