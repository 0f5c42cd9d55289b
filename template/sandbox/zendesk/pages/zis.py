"""Integration Services in Admin Center: the log of flows, what is registered, and an admin's credentials."""

import secrets

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...zis.credentials import SESSION
from .pages import Pages

MOST_ROWS = 300


class ZisPage(Pages):
    def routes(self) -> list[Route]:
        return [
            self.route("/admin/zis", self.read),
            self.route("/admin/zis/credentials", self.renew, "POST"),
        ]

    async def read(self, request: Request) -> Response:
        return self._page({})

    async def renew(self, request: Request) -> Response:
        """Make new credentials of an admin, shown this once; those before are void."""
        zis = self.zendesk.zis.zis
        zis.api_token = secrets.token_urlsafe(30)
        fresh = {"API token": zis.api_token}
        if client := zis.admin_client:
            client.secret = secrets.token_hex(32)
            zis.tokens = [token for token in zis.tokens if token.client_id != client.id]
            fresh[f"Secret of the OAuth client {client.identifier}"] = client.secret
        self.zendesk.log.hide(*fresh.values())
        return self._page(fresh)

    def _page(self, fresh: dict[str, str]) -> Response:
        zis = self.zendesk.zis.zis
        runs = list(reversed(zis.runs))[:MOST_ROWS]
        response = self.show("zis.html", {"integrations": zis.integrations, "runs": runs, "fresh": fresh})
        response.set_cookie(SESSION, zis.session, httponly=True, samesite="strict")
        return response
