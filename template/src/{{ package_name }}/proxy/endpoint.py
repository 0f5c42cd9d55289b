"""`POST /channel/proxy/{action}`: an app beside the ticket calls the service through Zendesk (SVC-60, SVC-61).

The metadata proves the account. Everything else comes from an agent's browser and proves nothing: it is looked at only
after the account is known, and an action reaches no further than the account's own credentials at the origin.
"""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..core.accounts import Accounts, ConfigurationOutdatedError, UnknownAccountError
from ..web.errors import RequestError
from ..web.forms import BODY_LIMIT, read_form, read_message
from .actions import Actions
from .messages import CLIENT_DATA_LIMIT, ProxyRequest


class ProxyEndpoint:
    def __init__(self, accounts: Accounts[Any], actions: Actions) -> None:
        self._accounts = accounts
        self._actions = actions

    def routes(self) -> list[Route]:
        return [Route("/channel/proxy/{action}", self.respond, methods=["POST"], max_body_size=BODY_LIMIT)]

    async def respond(self, request: Request) -> Response:
        proxied = read_message(ProxyRequest, await _fields(request))
        if len(proxied.client_data) > CLIENT_DATA_LIMIT:
            raise RequestError(413, "too_large", f"Send at most {CLIENT_DATA_LIMIT} characters")
        try:
            account = await self._accounts.by_metadata(proxied.instance_metadata)
        except UnknownAccountError as error:
            raise RequestError(403, "unknown_account", str(error)) from None
        action = self._actions.named(request.path_params["action"])
        try:
            opened = self._accounts.opened(account)
        except ConfigurationOutdatedError as error:
            # No 401: it reaches a browser, where it would mean that the agent is not logged in.
            raise RequestError(
                409, "configuration_outdated", f"An admin must edit the account: {error}"
            ) from None
        answer = await action.perform(account, opened, proxied.client_data)
        return Response(answer, media_type="application/json", headers={"Cache-Control": "no-store"})


async def _fields(request: Request) -> Any:
    """Read a form or JSON: nothing says which of them Zendesk sends."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return (await read_form(request)).fields()
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        raise RequestError(400, "invalid_json", "The body is not JSON") from None
