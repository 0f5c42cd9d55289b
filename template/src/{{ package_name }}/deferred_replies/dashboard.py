"""The dashboard's section on replies that were answered before they were posted."""

from collections.abc import Mapping

from ..core.tables import Status, Table, Tone
from .replies import DeferredReplies

ROWS = 50

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

    async def tables(self, names: Mapping[str, str], account_id: str | None = None) -> list[Table]:
        return [
            Table(
                title="Deferred replies",
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
                    for reply in await self._replies.last(ROWS, account_id)
                ],
                empty="None: Zendesk is answered once a reply is posted.",
            )
        ]
