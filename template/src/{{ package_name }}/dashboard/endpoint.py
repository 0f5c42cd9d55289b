"""`GET /channel/dashboard`: how the accounts are doing, for the people who run the service. It shows no secret."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..core.accounts import Accounts
from ..core.clock import Clock
from ..identity import NAME
from ..web.operator_auth import OperatorAuth
from ..web.pages import Pages
from ..web.tables import Table

Section = Callable[[Mapping[str, str]], Awaitable[Sequence[Table]]]
"""From the accounts' names by their ids to what one part of the service shows."""


class DashboardEndpoint:
    def __init__(
        self,
        accounts: Accounts[Any],
        sections: Sequence[Section],
        operator_auth: OperatorAuth,
        pages: Pages,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._sections = sections
        self._operator_auth = operator_auth
        self._pages = pages
        self._clock = clock

    def routes(self) -> list[Route]:
        return [Route("/channel/dashboard", self.respond, methods=["GET"])]

    async def respond(self, request: Request) -> Response:
        if challenge := self._operator_auth.challenge(request):
            return challenge
        names = {
            account.id: f"{account.name} ({account.subdomain})" for account in await self._accounts.all()
        }
        tables: list[Table] = []
        for section in self._sections:
            tables += await section(names)
        return self._pages.respond(
            "dashboard/dashboard.html", origin_name=NAME, tables=tables, now=self._clock.now()
        )
