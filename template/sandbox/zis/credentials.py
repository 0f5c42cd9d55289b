"""Who calls Integration Services, and what each may call: documentation and practice differ, practice is followed."""

import base64
import binascii
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from starlette.requests import Request

from .calls import RefusedError
from .model import Bearer, Client, Integration, ZisState

SESSION = "_zendesk_session"
CSRF = "x-csrf-token"

Kind = Literal["api token", "OAuth token", "ZIS token", "admin session", "nobody"]


class Refusal(NamedTuple):
    status: int
    text: str
    why: str


EVERYONE: dict[Kind, Refusal] = {}
NO_TOKENS_OF_ANY_INTEGRATION: dict[Kind, Refusal] = {
    "ZIS token": Refusal(
        401, "Authentication failed", "the token of an integration neither registers nor makes tokens"
    )
}
NO_OAUTH: dict[Kind, Refusal] = {
    kind: Refusal(
        401,
        "Authorization failed due to OAuth being disabled for this API request",
        "an upload takes an API token (none can be made since 2026-10-27, all end on 2027-04-30) "
        "or an admin's session in the browser, and no OAuth token",
    )
    for kind in ("ZIS token", "OAuth token")
}
NO_API_TOKEN: dict[Kind, Refusal] = {
    "api token": Refusal(
        403, "API token is not supported", "this takes the token of the client zis_{integration}"
    )
}


@dataclass(frozen=True)
class Caller:
    kind: Kind
    client_id: int | None = None


def prepare(state: ZisState, new_id: Callable[[], int]) -> None:
    """Give an admin what the account's owner has outside of Integration Services."""
    state.admin_client = state.admin_client or Client(new_id(), "sandbox_admin", secrets.token_hex(32))
    state.api_token = state.api_token or secrets.token_urlsafe(30)
    state.session = state.session or secrets.token_urlsafe(30)


def caller(request: Request, state: ZisState, now: datetime) -> Caller:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        for token in state.tokens:
            is_valid = token.expires_at is None or token.expires_at > now
            if is_valid and secrets.compare_digest(token.text.encode(), text.encode()):
                is_admin = state.admin_client is not None and token.client_id == state.admin_client.id
                return Caller("OAuth token" if is_admin else "ZIS token", token.client_id)
    if scheme.lower() == "basic" and _is_api_token(text, state.api_token):
        return Caller("api token")
    cookie = request.cookies.get(SESSION, "")
    if cookie and secrets.compare_digest(cookie.encode(), state.session.encode()):
        if request.method != "GET" and request.headers.get(CSRF) != state.session:
            raise RefusedError(403, "Invalid authenticity token", "a session writes with X-CSRF-Token only")
        return Caller("admin session")
    return Caller("nobody")


def admit(found: Caller, refusals: dict[Kind, Refusal], integration: Integration | None) -> None:
    """Raise RefusedError for who may not call this, or not for this integration."""
    if found.kind == "nobody":
        raise RefusedError(401, "Authentication failed", "no credentials, or none that are valid")
    if refusal := refusals.get(found.kind):
        raise RefusedError(refusal.status, refusal.text, refusal.why)
    if found.kind == "ZIS token" and (integration is None or integration.client.id != found.client_id):
        why = "the token is of another client than zis_{integration}"
        raise RefusedError(401, "Authorization failed due to integration mismatch", why)


def new_token(state: ZisState, client: Client, expires_at: datetime | None = None) -> Bearer:
    token = Bearer(secrets.token_hex(32), client.id, expires_at)
    state.tokens.append(token)
    return token


def _is_api_token(basic: str, token: str) -> bool:
    try:
        user, _, password = base64.b64decode(basic, validate=True).decode().rpartition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return user.endswith("/token") and secrets.compare_digest(password.encode(), token.encode())
