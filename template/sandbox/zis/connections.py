"""Connections: credentials of one kind each, which Zendesk adds to the requests of flows."""

import base64
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from .calls import REDACTED, Ask, RefusedError, first, page
from .model import Connection, Integration

_NAME = re.compile(r"[A-Za-z0-9_-]{3,64}", re.ASCII)


@dataclass
class Connections:
    hide: Callable[[str], None]

    def add(self, integration: Integration, ask: Ask) -> Response:
        kind, asked = ask.path["kind"], ask.document
        if kind not in {"bearer_token", "basic_auth", "api_key"}:
            raise RefusedError(404, "connection type not found", "bearer_token, basic_auth or api_key")
        name, domain = str(asked.get("name", "")), str(asked.get("allowed_domain", ""))
        if not _NAME.fullmatch(name):
            raise RefusedError(400, "invalid connection name", "3 to 64 letters, digits, - and _")
        if not domain:
            raise RefusedError(400, "allowed_domain is required", "the credentials go to one host")
        refuse_taken(name, integration.connections)
        header, value, secret = _credentials(kind, asked)
        self.hide(secret)
        self.hide(value.rpartition(" ")[2])
        connection = Connection(name, kind, domain, str(uuid.uuid4()), header, value)
        integration.connections.append(connection)
        return JSONResponse({kind: _shown(connection)}, 201)


def refuse_taken(name: str, connections: list[Connection]) -> None:
    if any(each.name == name for each in connections):
        raise RefusedError(409, f"connection {name} already exists", "names are unique over all kinds")


def listed(integration: Integration, ask: Ask) -> Response:
    return page(ask, "connections", list(map(_shown, integration.connections)))


def delete(integration: Integration, ask: Ask) -> Response:
    wanted = (ask.path["kind"], ask.path["name"])
    known = (each for each in integration.connections if (each.kind, each.name) == wanted)
    integration.connections.remove(first(known, "connection"))
    return Response(status_code=204)


def find(integration: Integration, ask: Ask) -> Response:
    """Find a connection by name or uuid: OAuth connections only."""
    name, uuid_ = ask.query.get("name"), ask.query.get("uuid")
    known = (each for each in integration.connections if each.name == name or each.uuid == uuid_)
    found = first((each for each in known if each.kind == "oauth"), "connection", "OAuth connections only")
    return JSONResponse({"name": found.name, "uuid": found.uuid, "oauth_client_uuid": found.oauth_client})


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _credentials(kind: str, asked: dict[str, Any]) -> tuple[str, str, str]:
    """Return the header that carries a connection's credentials, its value, and what is secret in it."""
    match kind, asked:
        case "bearer_token", {"token": str(token)} if token:
            return "Authorization", f"Bearer {token}", token
        case "basic_auth", {"username": str(user), "password": str(password)} if user:
            return "Authorization", basic(user, password), password
        case "api_key", {"api_key": str(key), "header_name": str(header)} if key and header:
            return header, key, key
    raise RefusedError(
        400, "credentials are required", "token; username and password; or api_key and header_name"
    )


def _shown(connection: Connection) -> dict[str, Any]:
    return {
        "name": connection.name,
        "uuid": connection.uuid,
        "allowed_domain": connection.allowed_domain,
        "token": REDACTED,
    }
