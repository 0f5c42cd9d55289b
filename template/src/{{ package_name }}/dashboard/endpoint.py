"""The dashboard: `/channel/dashboard/all` shows operators every account, `/channel/dashboard` shows admins their own.

The manifest's `dashboard_url` is a plain link: Zendesk says neither who follows it nor which account they mean. So the
link to an account's page is in the account's form, which Zendesk itself opens; it is signed and expires. Whoever follows
the plain link is told where to find it. No page shows a secret.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..core.accounts import FROM_THE_OLDEST, Account, Accounts, UnknownAccountError
from ..core.clock import Clock
from ..core.security import Signer, UntrustedError
from ..core.tables import ACCOUNTS, ROWS, AccountName, Table, View
from ..identity import NAME
from ..web.operator_auth import OperatorAuth
from ..web.pages import Pages

PURPOSE = "dashboard"

LINK_LIFETIME = timedelta(hours=12)
"""A working day; the page renews itself as long as its link is valid."""

Section = Callable[[View], Awaitable[Sequence[Table]]]
"""From what is looked at to what a capability shows."""

BEHIND = "behind-"
"""How the parameters begin that say on which page each list is."""


class DashboardEndpoint:
    def __init__(
        self,
        accounts: Accounts[Any],
        sections: Sequence[Section],
        operator_auth: OperatorAuth,
        signer: Signer,
        pages: Pages,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._sections = sections
        self._operator_auth = operator_auth
        self._signer = signer
        self._pages = pages
        self._clock = clock

    def routes(self) -> list[Route]:
        return [
            Route("/channel/dashboard/all", self.show_all, methods=["GET"]),
            Route("/channel/dashboard", self.show_one, methods=["GET"]),
        ]

    def account_page(self, account_id: str) -> str:
        """Make the link to an account's page."""
        link = self._signer.sign_expiring(PURPOSE, {"account": account_id})
        return f"/channel/dashboard?{urlencode({'link': link})}"

    async def show_all(self, request: Request) -> Response:
        """Show operators every account."""
        if challenge := self._operator_auth.challenge(request):
            return challenge
        behind = _behind(request).get(ACCOUNTS, "")
        return await self._show(request, await self._accounts.page(ROWS + 1, behind))

    async def show_one(self, request: Request) -> Response:
        """Show an admin the account of the link, or say where the link is."""
        link = request.query_params.get("link")
        if link is None:
            return self._pages.respond("dashboard/link_needed.html", origin_name=NAME, refused=False)
        try:
            payload = self._signer.verify_expiring(PURPOSE, link, LINK_LIFETIME)
            account = await self._accounts.by_id(str(payload.get("account")))
        except (UntrustedError, UnknownAccountError):
            return self._pages.respond(
                "dashboard/link_needed.html", status=403, origin_name=NAME, refused=True
            )
        return await self._show(request, [account], account.id)

    async def _show(
        self, request: Request, accounts: Sequence[Account], account_id: str | None = None
    ) -> Response:
        view = _view(request, accounts, account_id)
        tables: list[Table] = []
        for section in self._sections:
            tables += await section(view)
        names = await self._names(tables)
        return self._pages.respond(
            "dashboard/dashboard.html",
            origin_name=NAME,
            account_name=view.shown.get(account_id) if account_id else None,
            names=names,
            tables=tables,
            turned=partial(_turned, request),
            view=view,
            now=self._clock.now(),
        )

    async def _names(self, tables: Sequence[Table]) -> dict[str, str]:
        """Look up the accounts that lists name, whichever page of the accounts they are on."""
        cells = (cell for table in tables for row in table.rows for cell in row)
        ids = {cell.account_id for cell in cells if isinstance(cell, AccountName)}
        return _named(await self._accounts.among(ids)) if ids else {}


def _view(request: Request, accounts: Sequence[Account], account_id: str | None) -> View:
    shown = accounts[:ROWS]
    return View(
        account_id=account_id,
        behind=_behind(request),
        shown=_named(shown),
        accounts_go_on=FROM_THE_OLDEST.place_of(shown[-1]) if len(accounts) > ROWS else "",
    )


def _named(accounts: Sequence[Account]) -> dict[str, str]:
    return {account.id: f"{account.name} ({account.subdomain})" for account in accounts}


def _behind(request: Request) -> dict[str, str]:
    return {
        name.removeprefix(BEHIND): place
        for name, place in request.query_params.items()
        if name.startswith(BEHIND)
    }


def _turned(request: Request, key: str, place: str = "") -> str:
    """Make the address of this page with one of its lists turned to another page, or to its first."""
    query = {name: value for name, value in request.query_params.items() if name != BEHIND + key}
    return f"{request.url.path}?{urlencode(query | ({BEHIND + key: place} if place else {}))}"
