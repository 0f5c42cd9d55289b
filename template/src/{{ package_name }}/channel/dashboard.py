"""`GET /channel/dashboard`: how the accounts are doing, for the people who run the service. It shows no secret."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..accounts import Accounts
from ..identity import NAME
from .operator import OperatorAccess
from .pages import Pages
from .pages.tables import Table


class Section(Protocol):
    """What one part of the service shows; `names` are the accounts' names by their ids."""

    async def tables(self, names: Mapping[str, str]) -> list[Table]: ...


class DashboardEndpoint:
    def __init__(
        self, accounts: Accounts[Any], sections: Sequence[Section], access: OperatorAccess, pages: Pages
    ) -> None:
        self._accounts = accounts
        self._sections = sections
        self._access = access
        self._pages = pages

    def routes(self) -> list[Route]:
        return [Route("/channel/dashboard", self.respond, methods=["GET"])]

    async def respond(self, request: Request) -> Response:
        if refusal := self._access.refusal(request):
            return refusal
        names = {
            account.id: f"{account.name} ({account.subdomain})" for account in await self._accounts.all()
        }
        tables: list[Table] = []
        for section in self._sections:
            tables += await section.tables(names)
        return self._pages.respond("dashboard.html", origin_name=NAME, tables=tables, now=datetime.now(UTC))
