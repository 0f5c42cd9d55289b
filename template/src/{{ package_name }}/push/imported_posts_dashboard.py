"""The dashboard's section on imported posts: which ticket and comment each pushed post has become."""

from ..core.tables import ROWS, AccountName, Cell, Table, View, page_of
from .outbox import MESSAGES, ImportedRecord, Outbox

KEY = "imported-posts"


class ImportedPostSection:
    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def tables(self, view: View) -> list[Table]:
        def row(post: ImportedRecord) -> list[Cell]:
            return [
                post.settled_at or "",
                AccountName(post.account_id),
                post.external_id,
                str(post.ticket_id),
                str(post.comment_id),
            ]

        found = await self._outbox.imported(ROWS + 1, view.account_id, view.behind.get(KEY, ""))
        rows, goes_on = page_of(found, row, MESSAGES.place_of)
        return [
            Table(
                title="Imported posts",
                columns=("Taken by Zendesk", "Account", "Post", "Ticket", "Comment"),
                rows=rows,
                empty="Zendesk has not confirmed a post yet.",
                key=KEY,
                goes_on=goes_on,
            )
        ]
