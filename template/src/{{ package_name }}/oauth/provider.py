"""Provider: what is asked of the origin's OAuth 2 provider, and what it answers (RFC 6749, 7009 and 7636)."""

from dataclasses import dataclass
from datetime import timedelta

import httpx2
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient
from pydantic import SecretStr

from ..core.masking import remember
from ..core.outbound import Purpose
from ..origin_protocol import OAuth, OriginUnavailableError

PURPOSE = Purpose("the OAuth provider", 256 * 1024, 15)

FORM = "application/x-www-form-urlencoded"
VERIFIER_LENGTH = 64

LONGEST_LIFETIME = timedelta(days=3650)

REFUSALS = frozenset({"invalid_grant", "bad_refresh_token", "invalid_refresh_token", "token_revoked"})
"""How providers say that a grant is worth nothing any more: by the RFC, and in words of their own."""


class GrantRefusedError(Exception):
    """The provider gives nothing for this grant any more: somebody has to sign in again."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the provider gave; no refresh token is an empty one, and None a lifetime that it does not tell."""

    access_token: str
    refresh_token: str
    lifetime: timedelta | None


class Provider:
    def __init__(
        self,
        http: httpx2.AsyncClient,
        oauth: OAuth,
        client_id: str,
        client_secret: SecretStr,
        redirect_uri: str,
    ) -> None:
        self._http = http
        self._oauth = oauth
        self.client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri

    def new_verifier(self) -> str:
        return str(self._client().create_code_verifier(VERIFIER_LENGTH))

    def authorize_url(self, state: str, verifier: str) -> str:
        """Say where the admin's browser goes to sign in."""
        client = self._client()
        return str(
            client.prepare_request_uri(
                self._oauth.authorize_url,
                redirect_uri=self._redirect_uri,
                scope=list(self._oauth.scopes) or None,
                state=state,
                code_challenge=client.create_code_challenge(verifier, "S256"),
                code_challenge_method="S256",
                **self._oauth.parameters,
            )
        )

    async def exchange(self, code: str, verifier: str) -> Tokens:
        """Give the tokens for a code. Raises GrantRefusedError or OriginUnavailableError."""
        remember(SecretStr(code))
        body = self._client().prepare_request_body(
            code=code,
            redirect_uri=self._redirect_uri,
            code_verifier=verifier,
            include_client_id=False,
            **self._credentials(),
        )
        return await self._tokens(body, otherwise="")

    async def refresh(self, refresh_token: str) -> Tokens:
        """Give new tokens for a refresh token. Raises GrantRefusedError or OriginUnavailableError."""
        remember(SecretStr(refresh_token))
        body = self._client().prepare_refresh_body(
            refresh_token=refresh_token,
            include_client_id="client_id" in self._credentials(),
            **self._credentials(),
        )
        return await self._tokens(body, otherwise=refresh_token)

    async def revoke(self, token: str) -> None:
        """End the grant to which a token belongs; one that is over already is no error. Raises OriginUnavailableError."""
        remember(SecretStr(token))
        url, headers, body = self._client().prepare_token_revocation_request(
            self._oauth.revocation_url, token, token_type_hint=None, **self._credentials()
        )
        response = await self._post(url, body, headers)
        if not response.is_success:
            raise OriginUnavailableError(f"the provider answered {response.status_code} to a revocation")

    def _client(self) -> WebApplicationClient:
        # It remembers what it has parsed, so that each request has one of its own.
        return WebApplicationClient(self.client_id)

    @property
    def _in_header(self) -> bool:
        return bool(self._client_secret.get_secret_value()) and not self._oauth.secret_in_body

    def _credentials(self) -> dict[str, str]:
        """What of the client's credentials stands in the body of a request."""
        if self._in_header:
            return {}
        secret = self._client_secret.get_secret_value()
        return {"client_id": self.client_id} | ({"client_secret": secret} if secret else {})

    async def _tokens(self, body: str, otherwise: str) -> Tokens:
        response = await self._post(self._oauth.token_url, body, {"Content-Type": FORM})
        if response.status_code == httpx2.codes.TOO_MANY_REQUESTS or response.is_server_error:
            pause = response.headers.get("retry-after", "")
            raise OriginUnavailableError(
                f"the provider answered {response.status_code}", float(pause) if pause.isdecimal() else None
            )
        try:
            given = self._client().parse_request_body_response(response.text)
            access_token, lifetime = given["access_token"], given.get("expires_in")
        except OAuth2Error as error:
            if str(error.error) in REFUSALS:
                raise GrantRefusedError(str(error)) from None
            raise OriginUnavailableError(f"the provider gives no token: {error}") from None
        except (ValueError, TypeError, AttributeError, KeyError):
            access_token = None
        if not isinstance(access_token, str) or not access_token:
            raise OriginUnavailableError(f"the provider's answer ({response.status_code}) holds no token")
        refresh_token = str(given.get("refresh_token") or otherwise)
        remember(SecretStr(access_token), SecretStr(refresh_token))
        return Tokens(
            access_token,
            refresh_token,
            min(timedelta(seconds=min(lifetime, 1e9)), LONGEST_LIFETIME) if lifetime else None,
        )

    async def _post(self, url: str, body: str, headers: dict[str, str]) -> httpx2.Response:
        remember(self._client_secret)
        known = httpx2.BasicAuth(self.client_id, self._client_secret.get_secret_value())
        auth = known if self._in_header else httpx2.USE_CLIENT_DEFAULT
        try:
            return await self._http.post(
                url, content=body, headers=headers | {"Accept": "application/json"}, auth=auth
            )
        except httpx2.TransportError as error:
            raise OriginUnavailableError(f"the provider did not answer: {error!r}") from error
