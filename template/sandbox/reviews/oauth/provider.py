"""What the provider knows: codes, grants and their tokens, and switches for what providers do to their clients."""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from ..review_site import utc_now

CODE_LIFETIME = timedelta(minutes=5)


class RefusedError(Exception):
    """A token that is not given; `error` is the word for it (RFC 6749, section 5.2)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Client:
    """The one service that is registered here. It may come back to any address."""

    id: str = "sandbox"
    secret: str = "sandbox-secret"  # noqa: S105


@dataclass(slots=True)
class Switches:
    """`lifetime` of an access token in seconds; a refresh token that was rotated still works for `grace` seconds."""

    lifetime: int = 3600
    rotate: bool = True
    grace: int = 30
    refuse_refresh: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What a service asks of a person."""

    redirect_uri: str
    challenge: str
    scope: str
    state: str


@dataclass(slots=True)
class Code:
    business_id: str
    asked: Request
    until: datetime


@dataclass(slots=True)
class Grant:
    """What a business has granted; `used` are refresh tokens that were rotated, with the moment when that was."""

    id: str
    business_id: str
    scope: str
    access_token: str = ""
    until: datetime = field(default_factory=utc_now)
    refresh_token: str = ""
    used: dict[str, datetime] = field(default_factory=dict)


class Provider:
    def __init__(self, client: Client | None = None, clock: Callable[[], datetime] = utc_now) -> None:
        self.client = client or Client()
        self.switches = Switches()
        self.grants: dict[str, Grant] = {}
        self.refreshes = 0
        """How often a refresh token was taken."""
        self._clock = clock
        self._codes: dict[str, Code] = {}
        self._numbers = count(1)

    def allow(self, business_id: str, asked: Request) -> str:
        """Give the code with which the service gets its tokens."""
        code = secrets.token_urlsafe(24)
        self._codes[code] = Code(business_id, asked, self._clock() + CODE_LIFETIME)
        return code

    def exchange(self, code: str, redirect_uri: str, verifier: str) -> Grant:
        """Give a grant for a code, once. Raises RefusedError."""
        known = self._codes.pop(code, None)
        if known is None or known.until < self._clock():
            raise RefusedError("invalid_grant", "The code is unknown, used or too old.")
        if known.asked.redirect_uri != redirect_uri or known.asked.challenge != challenge(verifier):
            raise RefusedError("invalid_grant", "The code was given to somebody else.")
        grant = Grant(f"grant-{next(self._numbers)}", known.business_id, known.asked.scope)
        self.grants[grant.id] = grant
        self._renew(grant)
        return grant

    def refresh(self, refresh_token: str) -> Grant:
        """Renew the tokens of a grant. Raises RefusedError; a token that was rotated long ago ends the grant."""
        self.refreshes += 1
        if self.switches.refuse_refresh:
            raise RefusedError("invalid_grant", "Refreshing is switched off.")
        for grant in self.grants.values():
            if refresh_token == grant.refresh_token:
                self._renew(grant)
                return grant
            if rotated := grant.used.get(refresh_token):
                if self._clock() - rotated <= timedelta(seconds=self.switches.grace):
                    return grant
                self.revoke(grant.id)
                raise RefusedError(
                    "invalid_grant", "This refresh token was used before: the grant is revoked."
                )
        raise RefusedError("invalid_grant", "There is no such refresh token.")

    def business_of(self, access_token: str) -> str | None:
        """The business that a token lets in, as long as it is valid."""
        grant = self._grant_of(access_token)
        return grant.business_id if grant and self._clock() < grant.until else None

    def revoke(self, grant_id: str) -> None:
        self.grants.pop(grant_id, None)

    def revoke_token(self, token: str) -> None:
        if grant := self._grant_of(token):
            self.revoke(grant.id)

    def expire(self, grant_id: str) -> None:
        """End the access token, and leave the refresh token."""
        self.grants[grant_id].until = self._clock()

    def _grant_of(self, token: str) -> Grant | None:
        found = (
            grant for grant in self.grants.values() if token in (grant.access_token, grant.refresh_token)
        )
        return next(found, None) if token else None

    def _renew(self, grant: Grant) -> None:
        now = self._clock()
        grant.access_token, grant.until = (
            secrets.token_urlsafe(32),
            now + timedelta(seconds=self.switches.lifetime),
        )
        if self.switches.rotate or not grant.refresh_token:
            if grant.refresh_token:
                grant.used[grant.refresh_token] = now
            grant.refresh_token = secrets.token_urlsafe(32)


def challenge(verifier: str) -> str:
    """What PKCE makes of a verifier by S256 (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
