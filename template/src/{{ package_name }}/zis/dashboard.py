"""The dashboard's section on solved tickets: whether the origin knows of each."""

from ..core.tables import ROWS, AccountName, Cell, Status, Table, Tone, View, page_of
from .solved_tickets import SOLVED_TICKETS, SolvedTickets, ToldTicket

KEY = "solved-tickets"

TONES: dict[str, Tone] = {"done": "good", "acting": "idle", "owed": "warn", "refused": "bad"}


class SolvedTicketSection:
    def __init__(self, solved_tickets: SolvedTickets) -> None:
        self._solved_tickets = solved_tickets

    async def tables(self, view: View) -> list[Table]:
        def row(ticket: ToldTicket) -> list[Cell]:
            return [
                ticket.told_at,
                AccountName(ticket.account_id),
                str(ticket.ticket_id),
                ticket.thread_id,
                Status(ticket.state, TONES.get(ticket.state, "idle")),
                ticket.detail,
            ]

        found = await self._solved_tickets.last(ROWS + 1, view.account_id, view.behind.get(KEY, ""))
        rows, goes_on = page_of(found, row, SOLVED_TICKETS.place_of)
        return [
            Table(
                title="Solved tickets",
                columns=("When", "Account", "Ticket", "Thread", "Origin", "Detail"),
                rows=rows,
                empty="Zendesk has told of no solved ticket yet.",
                key=KEY,
                goes_on=goes_on,
            )
        ]
