"""The dashboard's section on channelback: what became of agents' replies."""

from collections.abc import Mapping

from ..core.tables import Status, Table, Tone
from .claims import Claims

ROWS = 50

REPLY_TONES: dict[str, Tone] = {"posted": "good", "posting": "idle", "failed": "bad", "unknown": "warn"}


class ReplySection:
    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    async def tables(self, names: Mapping[str, str], account_id: str | None = None) -> list[Table]:
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
                    for reply in await self._claims.last(ROWS, account_id)
                ],
                empty="No agent has replied yet.",
            )
        ]
