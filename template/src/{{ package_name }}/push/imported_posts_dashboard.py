"""The dashboard's section on imported posts: which ticket and comment each pushed post has become."""

from collections.abc import Mapping

from ..core.tables import Table
from .outbox import Outbox

ROWS = 50


class ImportedPostSection:
    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def tables(self, names: Mapping[str, str], account_id: str | None = None) -> list[Table]:
        return [
            Table(
                title="Imported posts",
                columns=("Taken by Zendesk", "Account", "Post", "Ticket", "Comment"),
                rows=[
                    (
                        taken_at or "",
                        names.get(account_id, ""),
                        post.external_id,
                        str(post.ticket_id),
                        str(post.comment_id),
                    )
                    for account_id, taken_at, post in await self._outbox.imported(ROWS, account_id)
                ],
                empty="Zendesk has not confirmed a post yet.",
            )
        ]
