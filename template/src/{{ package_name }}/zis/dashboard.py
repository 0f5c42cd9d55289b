"""The dashboard's section on solved tickets: whether the origin knows of each."""

from collections.abc import Mapping

from ..core.tables import Status, Table, Tone
from .solved_tickets import SolvedTickets

ROWS = 50

TONES: dict[str, Tone] = {"done": "good", "acting": "idle", "owed": "warn", "refused": "bad"}


class SolvedTicketSection:
    def __init__(self, solved_tickets: SolvedTickets) -> None:
        self._solved_tickets = solved_tickets

    async def tables(self, names: Mapping[str, str], account_id: str | None = None) -> list[Table]:
        return [
            Table(
                title="Solved tickets",
                columns=("When", "Account", "Ticket", "Thread", "Origin", "Detail"),
                rows=[
                    (
                        ticket.told_at,
                        names.get(ticket.account_id, ""),
                        str(ticket.ticket_id),
                        ticket.thread_id,
                        Status(ticket.state, TONES.get(ticket.state, "idle")),
                        ticket.detail,
                    )
                    for ticket in await self._solved_tickets.last(ROWS, account_id)
                ],
                empty="Zendesk has told of no solved ticket yet.",
            )
        ]
