"""OAuth connections: clients of other services, and tokens that those services give for them."""

import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.responses import JSONResponse, RedirectResponse, Response

from .calls import REDACTED, Ask, RefusedError, first
from .connections import refuse_taken
from .model import Connection, Integration, OAuthClient, OAuthFlow, ZisState

CALLBACK = "/api/services/zis/connections/oauth/callback"
"""At Zendesk's own host zis.zendesk.com; here at this Zendesk's address."""
GRANTS = ("authorization_code", "client_credentials")
SUBDOMAIN = "{{subdomain}}"
"""In addresses of a service whose customers have their own, as `oauth_url_subdomain` says."""
_CHANGEABLE = ("grant_type", "client_id", "client_secret", "auth_url", "token_url", "default_scopes")

Exchange = Callable[[str, dict[str, str]], Awaitable[dict[str, Any]]]
"""Posts a form to a token's address, and gives the JSON that it answers. Raises RefusedError."""


@dataclass
class OAuth:
    state: ZisState
    hide: Callable[[str], None]
    address: Callable[[], str]
    exchange: Exchange

    def add_client(self, integration: Integration, ask: Ask) -> Response:
        asked = ask.document
        name, texts = str(asked.get("name", "")), {key: str(asked.get(key, "")) for key in _CHANGEABLE}
        if not (name and texts["client_id"] and texts["token_url"]) or texts["grant_type"] not in GRANTS:
            raise RefusedError(
                400, "name, grant_type, client_id and token_url are required", " or ".join(GRANTS)
            )
        if any(each.name == name for each in integration.oauth_clients):
            raise RefusedError(409, f"OAuth client {name} already exists", "PATCH changes it")
        client = OAuthClient(uuid=str(uuid.uuid4()), name=name, **texts)
        self.hide(client.client_secret)
        integration.oauth_clients.append(client)
        return JSONResponse(_shown(client), 201)

    def change_client(self, integration: Integration, ask: Ask) -> Response:
        client = _client(integration, ask.path["uuid"])
        for key, value in ask.document.items():
            if key in _CHANGEABLE:
                setattr(client, key, str(value))
        self.hide(client.client_secret)
        return JSONResponse(_shown(client))

    def start(self, integration: Integration, ask: Ask) -> Response:
        """Say where a person lets the other service give a token."""
        asked = ask.document
        wanted = {str(asked[key]) for key in ("oauth_client_uuid", "oauth_client_name") if key in asked}
        client = next((each for each in integration.oauth_clients if wanted & {each.uuid, each.name}), None)
        name, back = str(asked.get("name", "")), str(asked.get("origin_oauth_redirect_url", ""))
        if client is None or not name or not back:
            raise RefusedError(400, "name, oauth_client_name and origin_oauth_redirect_url are required")
        if client.grant_type != GRANTS[0]:
            raise RefusedError(
                501, f"no flow for {client.grant_type}", "here a person allows each connection"
            )
        refuse_taken(name, [each for each in integration.connections if each.kind != "oauth"])
        subdomain = str(asked.get("oauth_url_subdomain", ""))
        flow = OAuthFlow(secrets.token_urlsafe(24), client.uuid, name, back, subdomain)
        self.hide(flow.token)
        integration.oauth_flows.append(flow)
        query = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": self.address() + CALLBACK,
            "scope": str(asked.get("permission_scopes") or client.default_scopes),
            "state": flow.token,
        }
        url = _with(client.auth_url.replace(SUBDOMAIN, subdomain), query)
        return JSONResponse({"redirect_url": url, "flow_token": flow.token})

    async def callback(self, ask: Ask) -> Response:
        """Where the other service sends the person back: its code becomes a token, and that a connection."""
        for integration in self.state.integrations:
            for flow in integration.oauth_flows:
                if flow.token == ask.query.get("state") and not flow.verification_code:
                    await self._connect(integration, flow, ask.query.get("code", ""))
                    back = _with(flow.back, {"verification_code": flow.verification_code})
                    return RedirectResponse(back, status_code=302)
        raise RefusedError(400, "flow_token is invalid")

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
        token_url = client.token_url.replace(SUBDOMAIN, flow.subdomain)
        token = str((await self.exchange(token_url, form)).get("access_token", ""))
        if not token:
            raise RefusedError(400, "the token's address gave no access_token", token_url)
        self.hide(token)
        flow.verification_code = secrets.token_urlsafe(16)
        self.hide(flow.verification_code)
        connection = Connection(
            name=flow.name,
            kind="oauth",
            allowed_domain=urlsplit(token_url).hostname or "",
            uuid=str(uuid.uuid4()),
            header="Authorization",
            value=f"Bearer {token}",
            oauth_client=client.uuid,
        )
        others = [each for each in integration.connections if each.name != flow.name]
        integration.connections = [*others, connection]


def listed(integration: Integration, ask: Ask) -> Response:
    return JSONResponse({"clients": list(map(_shown, integration.oauth_clients))})


def refuse_put(integration: Integration, ask: Ask) -> Response:
    raise RefusedError(405, "Method Not Allowed", "PATCH changes an OAuth client")


def delete_client(integration: Integration, ask: Ask) -> Response:
    """Delete a client, and with it every connection that it has made."""
    client = _client(integration, ask.path["uuid"])
    integration.oauth_clients.remove(client)
    integration.connections = [each for each in integration.connections if each.oauth_client != client.uuid]
    return Response(status_code=204)


def access_code(integration: Integration, ask: Ask) -> Response:
    """Show once what a verification code stands for."""
    code = ask.query.get("verification_code", "")
    known = (each for each in integration.oauth_flows if code and each.verification_code == code)
    flow = first(known, "verification code", "each is shown once")
    integration.oauth_flows.remove(flow)
    connection = first((each for each in integration.connections if each.name == flow.name), "connection")
    token = connection.value.removeprefix("Bearer ")
    return JSONResponse({"uuid": connection.uuid, "name": flow.name, "access_token": token})


def _client(integration: Integration, wanted: str) -> OAuthClient:
    return first((each for each in integration.oauth_clients if each.uuid == wanted), "OAuth client")


def _shown(client: OAuthClient) -> dict[str, Any]:
    return asdict(client) | {"client_secret": REDACTED}


def _with(url: str, query: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
