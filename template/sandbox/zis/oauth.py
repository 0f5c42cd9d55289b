"""OAuth connections: clients of other services, and tokens that those services give for them."""

import json
import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from .credentials import RefusedError
from .model import Connection, Integration, OAuthClient, OAuthFlow, ZisState

CALLBACK = "/api/services/zis/connections/oauth/callback"
GRANTS = ("authorization_code", "client_credentials")
_CHANGEABLE = ("grant_type", "client_id", "client_secret", "auth_url", "token_url", "default_scopes")

Ask = tuple[Request, Any, list[str]]
Exchange = Callable[[str, dict[str, str]], Awaitable[dict[str, Any]]]
"""Posts a form to a token's address, and gives the JSON that it answers. Raises RefusedError."""


@dataclass
class OAuth:
    state: ZisState
    hide: Callable[[str], None]
    address: Callable[[], str]
    exchange: Exchange

    def add_client(self, integration: Integration, ask: Ask) -> Response:
        asked = _object(ask[1])
        name, texts = str(asked.get("name", "")), [str(asked.get(key, "")) for key in _CHANGEABLE]
        if not name or not texts[1] or not texts[4] or texts[0] not in GRANTS:
            raise RefusedError(
                400, "name, grant_type, client_id and token_url are required", " or ".join(GRANTS)
            )
        if any(each.name == name for each in integration.oauth_clients):
            raise RefusedError(409, f"OAuth client {name} already exists", "PATCH changes it")
        client = OAuthClient(str(uuid.uuid4()), name, *texts)
        self.hide(client.client_secret)
        integration.oauth_clients.append(client)
        return JSONResponse(_shown(client), 201)

    def clients(self, integration: Integration, ask: Ask) -> Response:
        return JSONResponse({"clients": list(map(_shown, integration.oauth_clients))})

    def change_client(self, integration: Integration, ask: Ask) -> Response:
        client = _client(integration, ask[0].path_params["uuid"])
        for key in _CHANGEABLE:
            if key in _object(ask[1]):
                setattr(client, key, str(ask[1][key]))
        self.hide(client.client_secret)
        return JSONResponse(_shown(client))

    def refuse_put(self, integration: Integration, ask: Ask) -> Response:
        raise RefusedError(405, "Method Not Allowed", "PATCH changes an OAuth client")

    def delete_client(self, integration: Integration, ask: Ask) -> Response:
        """Delete a client, and with it every connection that it has made."""
        client = _client(integration, ask[0].path_params["uuid"])
        integration.oauth_clients.remove(client)
        integration.connections = [
            each for each in integration.connections if each.oauth_client != client.uuid
        ]
        return Response(status_code=204)

    def start(self, integration: Integration, ask: Ask) -> Response:
        """Say where a person lets the other service give a token."""
        asked = _object(ask[1])
        wanted = {str(asked[key]) for key in ("oauth_client_uuid", "oauth_client_name") if key in asked}
        client = next((each for each in integration.oauth_clients if wanted & {each.uuid, each.name}), None)
        name, back = str(asked.get("name", "")), str(asked.get("origin_oauth_redirect_url", ""))
        if client is None or not name or not back:
            raise RefusedError(400, "name, oauth_client_name and origin_oauth_redirect_url are required")
        if any(each.name == name and each.kind != "oauth" for each in integration.connections):
            raise RefusedError(409, f"connection {name} already exists", "names are unique over all kinds")
        flow = OAuthFlow(secrets.token_urlsafe(24), client.uuid, name, back)
        self.hide(flow.token)
        integration.oauth_flows.append(flow)
        query = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": self.address() + CALLBACK,
            "scope": str(asked.get("permission_scopes") or client.default_scopes),
            "state": flow.token,
        }
        url = f"{client.auth_url}{'&' if '?' in client.auth_url else '?'}{urlencode(query)}"
        return JSONResponse({"redirect_url": url, "flow_token": flow.token})

    async def callback(self, request: Request, content: bytes, remarks: list[str]) -> Response:
        """Where the other service sends the person back: its code becomes a token, and that a connection."""
        asked = request.query_params
        for integration in self.state.integrations:
            for flow in integration.oauth_flows:
                if flow.token == asked.get("state") and not flow.verification_code:
                    try:
                        await self._connect(integration, flow, asked.get("code", ""))
                    except RefusedError as error:
                        remarks += [error.why] if error.why else []
                        return error.answer
                    joint = "&" if "?" in flow.back else "?"
                    return RedirectResponse(
                        f"{flow.back}{joint}verification_code={flow.verification_code}", status_code=302
                    )
        return RefusedError(400, "flow_token is invalid").answer

    def access_code(self, integration: Integration, ask: Ask) -> Response:
        """Show once what a verification code stands for."""
        code = ask[0].query_params.get("verification_code", "")
        for flow in integration.oauth_flows:
            if code and flow.verification_code == code:
                integration.oauth_flows.remove(flow)
                connection = next(each for each in integration.connections if each.name == flow.name)
                token = connection.value.removeprefix("Bearer ")
                return JSONResponse({"uuid": connection.uuid, "name": flow.name, "access_token": token})
        raise RefusedError(404, "verification code not found", "each is shown once")

    def find(self, integration: Integration, ask: Ask) -> Response:
        """Find a connection by name or uuid: OAuth connections only."""
        asked = ask[0].query_params
        for each in integration.connections:
            if each.kind == "oauth" and (each.name == asked.get("name") or each.uuid == asked.get("uuid")):
                return JSONResponse(
                    {"name": each.name, "uuid": each.uuid, "oauth_client_uuid": each.oauth_client}
                )
        raise RefusedError(404, "connection not found", "this finds OAuth connections only")

    async def _connect(self, integration: Integration, flow: OAuthFlow, code: str) -> None:
        client = _client(integration, flow.client)
        form = {
            "grant_type": client.grant_type,
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "code": code,
            "redirect_uri": self.address() + CALLBACK,
        }
        self.hide(code)
        token = str((await self.exchange(client.token_url, form)).get("access_token", ""))
        if not token:
            raise RefusedError(400, "the token's address gave no access_token", client.token_url)
        self.hide(token)
        flow.verification_code = secrets.token_urlsafe(16)
        self.hide(flow.verification_code)
        domain = urlsplit(client.token_url).hostname or ""
        integration.connections = [each for each in integration.connections if each.name != flow.name]
        integration.connections.append(
            Connection(
                flow.name, "oauth", domain, str(uuid.uuid4()), "Authorization", f"Bearer {token}", client.uuid
            )
        )


def _client(integration: Integration, wanted: str) -> OAuthClient:
    for client in integration.oauth_clients:
        if client.uuid == wanted:
            return client
    raise RefusedError(404, "OAuth client not found")


def _shown(client: OAuthClient) -> dict[str, Any]:
    return asdict(client) | {"client_secret": "*" * 12}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def form_answer(status: int, content: bytes) -> dict[str, Any]:
    """Read what a token's address answered."""
    try:
        document = json.loads(content)
    except ValueError:
        document = None
    if not 200 <= status < 300 or not isinstance(document, dict):
        raise RefusedError(400, f"the token's address answered {status}")
    return document
