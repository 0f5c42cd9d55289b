"""The dashboard's section on what pushed posts became in Zendesk."""

from collections.abc import Mapping

from ..imports import Import, Imports
from .pages.tables import Table

ROWS = 50


class ImportSection:
    def __init__(self, imports: Imports) -> None:
        self._imports = imports

    async def tables(self, names: Mapping[str, str]) -> list[Table]:
        return [
            Table(
                title="Confirmed posts",
                columns=("When", "Account", "Post", "Ticket", "Comment", "As"),
                rows=[
                    (
                        entry.at,
                        names.get(entry.account_id, ""),
                        entry.external_id,
                        _ticket(entry),
                        str(entry.comment_id),
                        entry.kind.replace("_", " "),
                    )
                    for entry in await self._imports.last(ROWS)
                ],
                empty="Zendesk has not confirmed a post yet.",
            )
        ]


def _ticket(entry: Import) -> str:
    follow_up = f", follow-up {entry.follow_up_ticket_id}" if entry.follow_up_ticket_id else ""
    return f"{entry.ticket_id}{follow_up}"
