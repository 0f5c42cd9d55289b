"""Zendesk's API for Integration Services: who may make which call, and what is said of each."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from pydantic import SecretStr

from ..core.masking import mask, remember
from .environments import DeploymentError, Environment

ZIS = "/api/services/zis"
PAGE = 100

UPLOADS = (
    "Uploads take no OAuth token. An admin's API token does, in ZENDESK_EMAIL and ZENDESK_API_TOKEN: Zendesk has given "
    "out no new ones since 2026-10-27, and those that there are work until 2027-04-30. What stays is an admin's "
    "session in the browser: open the page of the installer app in Zendesk."
)
ADMINS = (
    "This needs an admin: set ZENDESK_EMAIL and ZENDESK_API_TOKEN, or ZENDESK_OAUTH_TOKEN to the token of an OAuth "
    "client of an admin's."
)


class RefusedError(DeploymentError):
    """Zendesk's answer was an error."""

    def __init__(self, call: str, status: int, text: str) -> None:
        super().__init__(f"{call} was answered with {status}: {text}")
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the environment holds; each call takes what Zendesk lets make it."""

    admin: str = ""
    """For `Authorization`: basic with an API token, or an OAuth token of an admin's."""
    may_upload: bool = False
    integration: str = ""


def credentials_of(environment: Environment) -> Credentials:
    """Read the variables, and the file in which `token` keeps the integration's own token."""
    email, api_token = os.environ.get("ZENDESK_EMAIL"), os.environ.get("ZENDESK_API_TOKEN")
    oauth, own = os.environ.get("ZENDESK_OAUTH_TOKEN"), os.environ.get("ZIS_TOKEN") or _kept(environment)
    remember(*(SecretStr(secret) for secret in (api_token, oauth, own) if secret))
    if email and api_token:
        admin = httpx2.BasicAuth(f"{email}/token", api_token)
        request = next(admin.auth_flow(httpx2.Request("GET", environment.zendesk_url)))
        return Credentials(request.headers["authorization"], may_upload=True, integration=own)
    return Credentials(f"Bearer {oauth}" if oauth else "", integration=own)


def _kept(environment: Environment) -> str:
    try:
        lines = environment.secrets_file.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return ""
    return next((line.removeprefix("ZIS_TOKEN=") for line in lines if line.startswith("ZIS_TOKEN=")), "")


@dataclass
class Api:
    """Makes calls one after the other, and says of each what became of it. A dry run makes those that only read."""

    http: httpx2.Client
    environment: Environment
    credentials: Credentials
    say: Callable[[str], None]
    dry_run: bool

    def as_admin(self, method: str, path: str, body: Any = None, **query: str) -> httpx2.Response:
        if not self.credentials.admin and not self.dry_run:
            raise DeploymentError(ADMINS)
        return self._send(self.credentials.admin, method, path, body, query)

    def as_uploader(self, method: str, path: str, body: Any = None) -> httpx2.Response:
        if not self.credentials.may_upload and not self.dry_run:
            raise DeploymentError(UPLOADS)
        try:
            return self._send(self.credentials.admin, method, path, body, {})
        except RefusedError as error:
            if error.status == 401:
                raise DeploymentError(f"{error}\n{UPLOADS}") from None
            raise

    def as_integration(self, method: str, path: str, body: Any = None, **query: str) -> httpx2.Response:
        """Calls that take the token of the client zis_{integration} alone."""
        if not self.credentials.integration and not self.dry_run:
            raise DeploymentError("There is no token of the integration yet: run `zis token` first.")
        return self._send(f"Bearer {self.credentials.integration}", method, path, body, query)

    def as_either(self, method: str, path: str, body: Any = None, **query: str) -> httpx2.Response:
        """Calls that take the integration's token or an admin."""
        call = self.as_integration if self.credentials.integration else self.as_admin
        return call(method, path, body, **query)

    def pages(self, path: str, key: str) -> Iterator[dict[str, Any]]:
        """Read a whole list."""
        query = {"page[size]": str(PAGE)}
        while True:
            document = self.as_either("GET", path, None, **query).json()
            yield from document.get(key, [])
            meta = document.get("meta") or {}
            if not meta.get("has_more") or not meta.get("after"):
                return
            query["page[after]"] = str(meta["after"])

    def _send(
        self, authorization: str, method: str, path: str, body: Any, query: Mapping[str, str]
    ) -> httpx2.Response:
        request = self.http.build_request(
            method, f"{self.environment.zendesk_url}{path}", json=body, params=query or None
        )
        call = f"{method} {request.url}"
        if self.dry_run and (method != "GET" or not authorization.removeprefix("Bearer ")):
            text = f" {json.dumps(body, indent=2, ensure_ascii=False)}" if body is not None else ""
            self.say(mask(f"would send {call}{text}"))
            return httpx2.Response(200, json={}, request=request)
        request.headers["authorization"] = authorization
        try:
            response = self.http.send(request)
        except httpx2.TransportError as error:
            raise DeploymentError(f"{call} was not answered: {error or type(error).__name__}") from None
        self.say(f"{response.status_code} {call}")
        if not response.is_success:
            raise RefusedError(f"{method} {path}", response.status_code, mask(_reason(response)))
        return response


def _reason(response: httpx2.Response) -> str:
    try:
        document = response.json()
    except ValueError:
        return response.text[:300] or response.reason_phrase
    if isinstance(document, dict):
        return str(document.get("message") or document.get("error") or document)[:300]
    return str(document)[:300]
