"""`POST /channel/zis/ticket_event`: a flow of Integration Services tells that a ticket was solved.

The flow proves itself with the token of its connection, which belongs to one Zendesk account. Delivery is at least
once: an event that is known is answered as it was at first, and nothing is done about it.
"""

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..core.accounts import Account, Accounts
from ..core.security import Signer, UntrustedError
from ..web.errors import RequestError
from ..web.forms import BODY_LIMIT, read_message
from .connection_tokens import subdomain_of
from .messages import TicketEvent
from .solved_tickets import SolvedTickets
from .ticket_tags import ACCOUNT_LENGTH, threads_of

RETRY_AFTER = 30

THREADS_LIMIT = 10
"""Threads of one ticket; an agent may have written any number of tags."""


class TicketEventEndpoint:
    def __init__(self, accounts: Accounts[Any], signer: Signer, solved_tickets: SolvedTickets) -> None:
        self._accounts = accounts
        self._signer = signer
        self._solved_tickets = solved_tickets

    def routes(self) -> list[Route]:
        return [Route("/channel/zis/ticket_event", self.respond, methods=["POST"], max_body_size=BODY_LIMIT)]

    async def respond(self, request: Request) -> Response:
        """Answer 200 once the origin knows, and 503 as long as it does not: Zendesk then runs the flow again."""
        subdomain = self._caller(request)
        event = read_message(TicketEvent, _json(await request.body()))
        if event.ticket.status != "solved":
            return JSONResponse({"outcome": "not solved"})
        accounts = await self._accounts_of(subdomain)
        threads = [
            (accounts[account], thread_id)
            for account, thread_id in dict.fromkeys(threads_of(event.ticket.tags))
            if account in accounts
        ]
        outcomes = await asyncio.gather(
            *(
                self._solved_tickets.take(account, thread_id, event)
                for account, thread_id in threads[:THREADS_LIMIT]
            )
        )
        if unfinished := {"acting", "owed"}.intersection(outcomes):
            description = f"The origin does not know of it yet: {', '.join(sorted(unfinished))}"
            raise RequestError(503, "not_done", description, retry_after=RETRY_AFTER)
        return JSONResponse({"outcome": ", ".join(outcomes) or "no post of this service"})

    def _caller(self, request: Request) -> str:
        try:
            return subdomain_of(self._signer, request.headers.get("authorization", ""))
        except UntrustedError as error:
            raise RequestError(401, "unauthorized", f"The connection proves no account: {error}") from None

    async def _accounts_of(self, subdomain: str) -> dict[str, Account]:
        accounts = await self._accounts.of_subdomain(subdomain)
        return {account.id[:ACCOUNT_LENGTH]: account for account in accounts}


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError(400, "invalid_json", "The body is not JSON") from None
