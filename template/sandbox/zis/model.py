"""What Zendesk keeps of integrations: their clients and tokens, bundles, job specs, connections and configs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal


@dataclass
class Client:
    """An OAuth client. That of an integration is called `zis_` and its name."""

    id: int
    identifier: str
    secret: str


@dataclass
class Bearer:
    text: str
    client_id: int
    expires_at: datetime | None = None


@dataclass
class Connection:
    """Credentials that Zendesk adds to a flow's requests, for one host and those below it."""

    name: str
    kind: Literal["bearer_token", "basic_auth", "api_key", "oauth"]
    allowed_domain: str
    uuid: str
    header: str
    value: str
    oauth_client: str = ""
    """The uuid of the client that it came by."""


@dataclass
class OAuthClient:
    """An OAuth client of another service."""

    uuid: str
    name: str
    grant_type: str
    client_id: str
    client_secret: str
    auth_url: str
    token_url: str
    default_scopes: str


@dataclass
class OAuthFlow:
    """A person is on the way to another service, and back to `back` with a verification code."""

    token: str
    client: str
    name: str
    back: str
    subdomain: str = ""
    verification_code: str = ""


@dataclass
class Link:
    """That two objects belong together, one on each side. Their names and the type identify it."""

    link_type: str
    left_object: dict[str, Any]
    right_object: dict[str, Any]
    uuid: str = ""


@dataclass
class JobSpec:
    """What starts which flow. One that its bundle no longer has stays here."""

    name: str
    uuid: str
    event_source: str
    event_type: str
    flow_name: str
    installed: bool = False
    """Whether events start its flow."""


@dataclass
class Webhook:
    id: int
    uuid: str
    token: str
    username: str
    password: str
    source_system: str
    event_type: str


@dataclass
class Integration:
    name: str
    description: str
    client: Client
    bundles: dict[str, dict[str, Any]] = field(default_factory=dict)
    """As Zendesk returns them, by name."""
    job_specs: list[JobSpec] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    webhooks: list[Webhook] = field(default_factory=list)
    oauth_clients: list[OAuthClient] = field(default_factory=list)
    oauth_flows: list[OAuthFlow] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    def definition(self, kind: str, name: str) -> dict[str, Any] | None:
        """Find what a flow or an action does, by its name in references."""
        for properties in self._uploaded(kind):
            if properties["name"] == name:
                definition: dict[str, Any] = properties["definition"]
                return definition
        return None

    def configs_of(self, scope: str) -> dict[str, dict[str, Any]]:
        """Find configs by their scope, in which * stands for anything."""
        return {name: config for name, config in self.configs.items() if covers(scope, name)}

    def secrets(self) -> Iterator[str]:
        yield self.client.secret
        for connection in self.connections:
            yield connection.value.rpartition(" ")[2]
        for client in self.oauth_clients:
            yield client.client_secret
        for webhook in self.webhooks:
            yield from (webhook.token, webhook.username, webhook.password)

    def names(self, kind: str) -> set[str]:
        return {properties["name"] for properties in self._uploaded(kind)}

    def _uploaded(self, kind: str) -> Iterator[dict[str, Any]]:
        for bundle in self.bundles.values():
            for resource in bundle["resources"].values():
                if resource["type"] == kind:
                    yield resource["properties"]


@dataclass
class Run:
    """A line of the integration log in Admin Center."""

    number: int
    integration: str
    started_at: datetime
    status: Literal["info", "warning", "error"]
    description: str
    states: list[str]
    details: str = ""


@dataclass
class SeenTicket:
    status: str
    subject: str
    fields: dict[str, Any]
    comments: int
    """How many there were."""


@dataclass
class ZisState:
    """Everything about Integration Services that a session is resumed from."""

    integrations: list[Integration] = field(default_factory=list)
    admin_client: Client | None = None
    """A confidential client of an admin's, whose tokens come by client_credentials."""
    api_token: str = ""
    """Of an admin, for basic authentication."""
    session: str = ""
    """The cookie of an admin's browser."""
    tokens: list[Bearer] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    tickets_seen: dict[int, SeenTicket] = field(default_factory=dict)
    """Each ticket as it was when flows last heard of it."""

    def secrets(self) -> Iterator[str]:
        """What no log may show."""
        yield from (self.api_token, self.session, *(token.text for token in self.tokens))
        if self.admin_client:
            yield self.admin_client.secret
        for integration in self.integrations:
            yield from integration.secrets()

    def integration(self, name: str) -> Integration | None:
        return next((each for each in self.integrations if each.name == name), None)


def covers(pattern: str, text: str) -> bool:
    """Whether a text is what a pattern says, in which * stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None
