"""The HTTP interfaces of Integration Services: registry, tokens, connections, configs and inbound webhooks."""

import base64
import json
import re
import secrets
import uuid
from collections.abc import Awaitable, Callable, Collection
from dataclasses import asdict, dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .credentials import (
    EVERYONE,
    NO_API_TOKEN,
    NO_OAUTH,
    NO_TOKENS_OF_ANY_INTEGRATION,
    Kind,
    Refusal,
    RefusedError,
    admit,
    caller,
    new_token,
)
from .flows import OPERATORS
from .model import Client, Connection, Integration, JobSpec, Webhook, ZisState
from .oauth import CALLBACK, OAuth

BASE = "/api/services/zis"
TEMPLATE_VERSION = "2019-10-14"
MOST_OF_A_PAGE = 100
LONGEST_EVENT = 200 * 1024
_INTEGRATION = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
_CONNECTION = re.compile(r"[A-Za-z0-9_-]{3,64}", re.ASCII)
_SPEC = re.compile(r"zis:([a-z0-9_-]{1,64}):job_spec:([^:\s]+)", re.ASCII)
_REDACTED = "*" * 12

Ask = tuple[Request, Any, list[str]]
"""A request, its JSON, and what to remark on."""


@dataclass
class Registry:
    state: ZisState
    new_id: Callable[[], int]
    hide: Callable[[str], None]
    """Keeps a secret out of every log."""
    is_admin: Callable[[], bool]
    """Whether the person in the browser is an admin."""
    detaches: Callable[[], bool]
    """Whether an upload uninstalls the job specs."""
    taken: Callable[[], Collection[str]]
    """Names that another account owns."""
    receive: Callable[[Integration, str, str, Any], None]
    """Takes the event of an inbound webhook: its source, its type, and what was posted."""
    oauth: OAuth

    def calls(self) -> list[tuple[str, str, Callable[[Request, bytes, list[str]], Awaitable[Response]]]]:
        """Every call: method, path, and what answers."""
        of, everyone, by_token = self._of, EVERYONE, NO_API_TOKEN
        registering = NO_TOKENS_OF_ANY_INTEGRATION
        registry, mine = f"{BASE}/registry", f"{BASE}/integrations/{{i}}"
        webhooks, oauth = f"{BASE}/inbound_webhooks/generic", f"{BASE}/connections/oauth"
        return [
            ("POST", "/oauth/tokens", self._admin_token),
            ("GET", "/api/v2/oauth/clients.json", self._open(registering, self._clients)),
            ("POST", "/api/v2/oauth/tokens", self._open(registering, self._token)),
            ("POST", "/api/v2/oauth/tokens.json", self._open(registering, self._token)),
            ("GET", f"{registry}/integrations", self._open(registering, self._integrations)),
            ("POST", f"{registry}/job_specs/install", self._of_spec(self._install)),
            ("DELETE", f"{registry}/job_specs/install", self._of_spec(self._uninstall)),
            ("POST", f"{registry}/{{i}}", self._open(registering, self._register)),
            ("POST", f"{registry}/{{i}}/bundles", of(NO_OAUTH, self._upload)),
            ("GET", f"{registry}/{{i}}/bundles", of(everyone, self._bundles)),
            ("GET", f"{registry}/{{i}}/bundles/{{uuid}}", of(everyone, self._bundle)),
            ("DELETE", f"{registry}/{{i}}/bundles/{{uuid}}", of(everyone, self._keep_bundle)),
            ("GET", f"{registry}/{{i}}/job_specs", of(everyone, self._job_specs)),
            ("POST", f"{mine}/job_specs/installation", of(everyone, self._install_named)),
            ("GET", f"{mine}/connections/all", of(by_token, self._connections)),
            ("POST", f"{mine}/connections/{{kind}}", of(by_token, self._connect)),
            ("DELETE", f"{mine}/connections/{{kind}}/{{name}}", of(by_token, self._disconnect)),
            ("POST", f"{oauth}/clients/{{i}}", of(by_token, self.oauth.add_client)),
            ("GET", f"{oauth}/clients/{{i}}", of(by_token, self.oauth.clients)),
            ("PATCH", f"{oauth}/clients/{{i}}/{{uuid}}", of(by_token, self.oauth.change_client)),
            ("PUT", f"{oauth}/clients/{{i}}/{{uuid}}", of(by_token, self.oauth.refuse_put)),
            ("DELETE", f"{oauth}/clients/{{i}}/{{uuid}}", of(by_token, self.oauth.delete_client)),
            ("POST", f"{oauth}/start/{{i}}", of(by_token, self.oauth.start)),
            ("GET", f"{oauth}/access_codes/{{i}}", of(by_token, self.oauth.access_code)),
            ("GET", CALLBACK, self.oauth.callback),
            ("GET", f"{BASE}/connections/{{i}}", of(by_token, self.oauth.find)),
            ("GET", f"{mine}/configs", of(by_token, self._configs)),
            ("POST", f"{mine}/configs", of(by_token, self._add_config)),
            ("PUT", f"{mine}/configs/{{scope}}", of(by_token, self._replace_config)),
            ("PATCH", f"{mine}/configs/{{scope}}", of(by_token, self._patch_config)),
            ("DELETE", f"{mine}/configs/{{scope}}", of(by_token, self._delete_config)),
            ("POST", f"{webhooks}/ingest/{{token}}", self._ingest),
            ("POST", f"{webhooks}/{{i}}", of(by_token, self._add_webhook)),
            ("GET", f"{webhooks}/{{i}}/all", of(by_token, self._webhooks)),
            ("GET", f"{webhooks}/{{i}}/{{uuid}}", of(by_token, self._webhook)),
            ("DELETE", f"{webhooks}/{{i}}/{{uuid}}", of(by_token, self._delete_webhook)),
        ]

    # --- Who calls, for which integration -------------------------------------------------------------

    def _admit(
        self, request: Request, refusals: dict[Kind, Refusal], integration: Integration | None
    ) -> None:
        found = caller(request, self.state)
        if found.kind == "admin session" and not self.is_admin():
            raise RefusedError(403, "Only admin user is allowed", "an app's page is open to every agent")
        admit(found, refusals, integration)

    def _open(
        self, refusals: dict[Kind, Refusal], answer: Callable[[Request, Any], Response]
    ) -> Callable[[Request, bytes, list[str]], Awaitable[Response]]:
        async def handle(request: Request, content: bytes, remarks: list[str]) -> Response:
            try:
                self._admit(request, refusals, None)
                return answer(request, _json(content))
            except RefusedError as error:
                remarks += [error.why] if error.why else []
                return error.answer

        return handle

    def _of(
        self, refusals: dict[Kind, Refusal], answer: Callable[[Integration, Ask], Response]
    ) -> Callable[[Request, bytes, list[str]], Awaitable[Response]]:
        async def handle(request: Request, content: bytes, remarks: list[str]) -> Response:
            try:
                integration = self.state.integration(request.path_params["i"])
                self._admit(request, refusals, integration)
                if integration is None:
                    # Asking is the only way to learn whether there is one.
                    why = "" if request.method == "GET" else "register the integration first"
                    raise RefusedError(400, "invalid integration key", why)
                return answer(integration, (request, _json(content), remarks))
            except RefusedError as error:
                remarks += [error.why] if error.why else []
                return error.answer

        return handle

    def _of_spec(
        self, answer: Callable[[Integration, str], Response]
    ) -> Callable[[Request, bytes, list[str]], Awaitable[Response]]:
        """Find the integration in the full name of a job spec."""

        async def handle(request: Request, content: bytes, remarks: list[str]) -> Response:
            match = _SPEC.fullmatch(request.query_params.get("job_spec_name", ""))
            try:
                integration = self.state.integration(match[1]) if match else None
                self._admit(request, EVERYONE, integration)
                if not match or integration is None:
                    raise RefusedError(400, INVALID_SPEC, "the name is zis:{integration}:job_spec:{name}")
                return answer(integration, match[2])
            except RefusedError as error:
                remarks += [error.why] if error.why else []
                return error.answer

        return handle

    # --- Integrations, clients and tokens -------------------------------------------------------------

    def _register(self, request: Request, body: Any) -> Response:
        name = request.path_params["i"]
        if not _INTEGRATION.fullmatch(name) or name in {"integrations", "job_specs"}:
            raise RefusedError(400, "invalid integration key", "1 to 64 of a-z, 0-9, - and _")
        if name in self.taken():
            raise RefusedError(
                400,
                f"the integration: {name} is not available for upsert by this account",
                "names are unique over all of Zendesk; take another one",
            )
        description = str(_object(body).get("description", ""))
        integration = self.state.integration(name)
        if integration is None:
            client = Client(self.new_id(), f"zis_{name}", secrets.token_hex(32))
            self.hide(client.secret)
            integration = Integration(name, description, client)
            self.state.integrations.append(integration)
        integration.description = description or integration.description
        return JSONResponse(_shown(integration, secret=integration.client.secret))

    def _integrations(self, request: Request, body: Any) -> Response:
        return JSONResponse({"integrations": [_shown(each) for each in self.state.integrations]})

    def _clients(self, request: Request, body: Any) -> Response:
        clients = [
            {
                "id": each.client.id,
                "identifier": each.client.identifier,
                "name": f"ZIS: {each.name}",
                "secret": each.client.secret[:10],
            }
            for each in self.state.integrations
        ]
        return JSONResponse(
            {"clients": clients, "next_page": None, "previous_page": None, "count": len(clients)}
        )

    def _token(self, request: Request, body: Any) -> Response:
        asked = _object(_object(body).get("token"))
        for integration in self.state.integrations:
            if str(asked.get("client_id")) == str(integration.client.id):
                token = new_token(self.state, integration.client)
                self.hide(token.text)
                answer = {
                    "id": self.new_id(),
                    "client_id": integration.client.id,
                    "user_id": 1,
                    "token": token.text[:10],
                    "full_token": token.text,
                    "scopes": asked.get("scopes", []),
                    "expires_at": None,
                    "used_at": None,
                }
                return JSONResponse({"token": answer}, 201)
        raise RefusedError(400, "client_id is invalid", "it is the number of the client, not its identifier")

    async def _admin_token(self, request: Request, content: bytes, remarks: list[str]) -> Response:
        client = self.state.admin_client
        try:
            asked = _object(_json(content))
        except RefusedError:
            asked = dict(await request.form())
        if (
            client is None
            or asked.get("grant_type") != "client_credentials"
            or asked.get("client_id") != client.identifier
            or not secrets.compare_digest(str(asked.get("client_secret")).encode(), client.secret.encode())
        ):
            remarks.append("only client_credentials of the admin's client are given tokens here")
            return JSONResponse({"error": "invalid_client"}, 401)
        token = new_token(self.state, client)
        self.hide(token.text)
        return JSONResponse(
            {"access_token": token.text, "token_type": "bearer", "scope": asked.get("scope", "read write")}
        )

    # --- Bundles and job specs ------------------------------------------------------------------------

    def _upload(self, integration: Integration, ask: Ask) -> Response:
        _, body, remarks = ask
        bundle = _valid_bundle(_object(body), remarks)
        known = integration.bundles.get(bundle["name"], {})
        added = {"uuid": known.get("uuid", str(uuid.uuid4())), "integration": integration.name}
        integration.bundles[bundle["name"]] = {**bundle, **added, "zendesk_account_id": 1}
        for resource in bundle["resources"].values():
            if resource["type"] == "ZIS::JobSpec":
                _take_spec(integration, resource["properties"])
        # One that no bundle has any more stays installed, and goes on taking events.
        uploaded = integration.names("ZIS::JobSpec")
        for spec in integration.job_specs:
            spec.installed = spec.installed and not (self.detaches() and spec.name in uploaded)
        return Response(status_code=200)

    def _bundles(self, integration: Integration, ask: Ask) -> Response:
        listed = [
            {key: value for key, value in each.items() if key != "resources"}
            for each in integration.bundles.values()
        ]
        return _page(ask[0], "bundles", listed)

    def _bundle(self, integration: Integration, ask: Ask) -> Response:
        for bundle in integration.bundles.values():
            if bundle["uuid"] == ask[0].path_params["uuid"]:
                return JSONResponse(bundle)
        raise RefusedError(404, "bundle not found")

    def _keep_bundle(self, integration: Integration, ask: Ask) -> Response:
        raise RefusedError(404, "bundles cannot be deleted", "uninstall its job specs, so that nothing runs")

    def _job_specs(self, integration: Integration, ask: Ask) -> Response:
        listed = [
            asdict(spec) | {"description": "", "integration": integration.name}
            for spec in integration.job_specs
        ]
        return _page(ask[0], "job_specs", listed)

    def _install(self, integration: Integration, name: str) -> Response:
        spec = _uploaded_spec(integration, name)
        spec.installed = True
        return Response(status_code=200)

    def _install_named(self, integration: Integration, ask: Ask) -> Response:
        names = [str(_object(item).get("name")) for item in _array(ask[1])]
        specs = [_uploaded_spec(integration, name.rpartition(":")[2]) for name in names]
        for spec in specs:
            spec.installed = True
        return Response(status_code=200)

    def _uninstall(self, integration: Integration, name: str) -> Response:
        for spec in integration.job_specs:
            if spec.name == name and spec.installed:
                spec.installed = False
                return Response(status_code=204)
        raise RefusedError(404, "job spec not found", "no such job spec is installed")

    # --- Connections and configs ----------------------------------------------------------------------

    def _connect(self, integration: Integration, ask: Ask) -> Response:
        request, body, _ = ask
        kind, asked = request.path_params["kind"], _object(body)
        if kind not in {"bearer_token", "basic_auth", "api_key"}:
            raise RefusedError(404, "connection type not found", "bearer_token, basic_auth or api_key")
        name, domain = str(asked.get("name", "")), str(asked.get("allowed_domain", ""))
        if not _CONNECTION.fullmatch(name):
            raise RefusedError(400, "invalid connection name", "3 to 64 letters, digits, - and _")
        if not domain:
            raise RefusedError(400, "allowed_domain is required", "the credentials go to one host")
        if any(each.name == name for each in integration.connections):
            raise RefusedError(409, f"connection {name} already exists", "names are unique over all kinds")
        header, value, secret = _credentials(kind, asked)
        self.hide(secret)
        self.hide(value.rpartition(" ")[2])
        connection = Connection(name, kind, domain, str(uuid.uuid4()), header, value)
        integration.connections.append(connection)
        return JSONResponse({kind: _shown_connection(connection)}, 201)

    def _connections(self, integration: Integration, ask: Ask) -> Response:
        return _page(ask[0], "connections", list(map(_shown_connection, integration.connections)))

    def _disconnect(self, integration: Integration, ask: Ask) -> Response:
        wanted = ask[0].path_params
        for connection in integration.connections:
            if (connection.kind, connection.name) == (wanted["kind"], wanted["name"]):
                integration.connections.remove(connection)
                return Response(status_code=204)
        raise RefusedError(404, "connection not found")

    def _configs(self, integration: Integration, ask: Ask) -> Response:
        scope = ask[0].query_params.get("filter[scope]", "*")
        pattern = re.compile(".*".join(map(re.escape, scope.split("*"))), re.DOTALL)
        found = [
            {"scope": name, "config": config}
            for name, config in integration.configs.items()
            if pattern.fullmatch(name)
        ]
        if not found:
            raise RefusedError(404, "config not found")
        return _page(ask[0], "configs", found)

    def _add_config(self, integration: Integration, ask: Ask) -> Response:
        asked = _object(ask[1])
        scope, config = asked.get("scope"), asked.get("config")
        if not isinstance(scope, str) or not scope or not isinstance(config, dict):
            raise RefusedError(400, "scope and config are required", "a text and an object")
        if scope in integration.configs:
            raise RefusedError(409, f"config {scope} already exists", "PUT replaces it")
        integration.configs[scope] = config
        return JSONResponse({"scope": scope, "config": config}, 201)

    def _replace_config(self, integration: Integration, ask: Ask) -> Response:
        integration.configs[self._scope(integration, ask)] = _object(_object(ask[1]).get("config"))
        return Response(status_code=204)

    def _patch_config(self, integration: Integration, ask: Ask) -> Response:
        integration.configs[self._scope(integration, ask)] |= _object(_object(ask[1]).get("config"))
        return Response(status_code=204)

    def _delete_config(self, integration: Integration, ask: Ask) -> Response:
        del integration.configs[self._scope(integration, ask)]
        return Response(status_code=204)

    def _scope(self, integration: Integration, ask: Ask) -> str:
        scope = str(ask[0].path_params["scope"])
        if scope not in integration.configs:
            raise RefusedError(404, "config not found")
        return scope

    # --- Inbound webhooks -----------------------------------------------------------------------------

    def _add_webhook(self, integration: Integration, ask: Ask) -> Response:
        asked = _object(ask[1])
        source, type_ = asked.get("source_system"), asked.get("event_type")
        if not isinstance(source, str) or not isinstance(type_, str) or not source or not type_:
            raise RefusedError(400, "source_system and event_type are required", "two texts")
        webhook = Webhook(
            self.new_id(),
            str(uuid.uuid4()),
            secrets.token_urlsafe(24),
            secrets.token_hex(8),
            secrets.token_hex(16),
            source,
            type_,
        )
        for secret in (webhook.token, webhook.username, webhook.password):
            self.hide(secret)
        integration.webhooks.append(webhook)
        once = {"username": webhook.username, "password": webhook.password}
        return JSONResponse(_shown_webhook(integration, webhook) | once)

    def _webhooks(self, integration: Integration, ask: Ask) -> Response:
        return JSONResponse(
            {"webhooks": [_shown_webhook(integration, each) for each in integration.webhooks]}
        )

    def _webhook(self, integration: Integration, ask: Ask) -> Response:
        return JSONResponse(_shown_webhook(integration, self._found_webhook(integration, ask)))

    def _delete_webhook(self, integration: Integration, ask: Ask) -> Response:
        integration.webhooks.remove(self._found_webhook(integration, ask))
        return Response(status_code=204)

    def _found_webhook(self, integration: Integration, ask: Ask) -> Webhook:
        for webhook in integration.webhooks:
            if webhook.uuid == ask[0].path_params["uuid"]:
                return webhook
        raise RefusedError(404, "webhook not found")

    async def _ingest(self, request: Request, content: bytes, remarks: list[str]) -> Response:
        """Take an event from elsewhere, with the webhook's own user and password."""
        for integration in self.state.integrations:
            for webhook in integration.webhooks:
                if webhook.token == request.path_params["token"]:
                    expected = _basic(webhook.username, webhook.password)
                    if not secrets.compare_digest(request.headers.get("authorization", ""), expected):
                        return RefusedError(401, "Authentication failed").answer
                    if len(content) > LONGEST_EVENT:
                        return RefusedError(413, "the event is larger than 200 KB").answer
                    try:
                        event = _json(content)
                    except RefusedError as error:
                        return error.answer
                    self.receive(integration, webhook.source_system, webhook.event_type, event)
                    return Response(status_code=200)
        return RefusedError(404, "webhook not found").answer


INVALID_SPEC = "one or more requested job specs is invalid"


def _valid_bundle(bundle: dict[str, Any], remarks: list[str]) -> dict[str, Any]:
    """Check what Zendesk checks: neither whether a flow exists that is referred to, nor types of events."""
    version = bundle.get("zis_template_version")
    if version == "2019-02-28":
        remarks.append("a real export has this version of the template, the documentation 2019-10-14 only")
    elif version != TEMPLATE_VERSION:
        raise RefusedError(
            400, "BundleValidationError: zis_template_version is invalid", f"write {TEMPLATE_VERSION}"
        )
    resources = bundle.get("resources")
    if not isinstance(bundle.get("name"), str) or not isinstance(resources, dict):
        raise RefusedError(400, "BundleValidationError: name and resources are required")
    seen = set()
    for key, resource in resources.items():
        properties = _object(_object(resource).get("properties"))
        kind, name = _object(resource).get("type"), properties.get("name")
        if kind not in _NEEDED or not _NEEDED[kind] <= properties.keys():
            raise RefusedError(
                400, f"BundleValidationError: {key} is invalid", "its type, or a key is missing"
            )
        if (kind, name) in seen:
            raise RefusedError(400, "Bundle contains duplicated resources", f"{kind} {name} stands twice")
        seen.add((kind, name))
        if kind == "ZIS::Flow":
            _check_choices(properties["definition"])
    return bundle


_NEEDED = {
    "ZIS::Action::Http": {"name", "definition"},
    "ZIS::Flow": {"name", "definition"},
    "ZIS::JobSpec": {"name", "event_source", "event_type", "flow_name"},
}


def _check_choices(machine: Any) -> None:
    for name, state in _object(_object(machine).get("States")).items():
        for rule in _array(_object(state).get("Choices")):
            known = OPERATORS | {"And", "Or", "Not"}
            if not known & _object(rule).keys():
                raise RefusedError(
                    400,
                    f"BundleValidationError: {name}: And is required",
                    "the rule of the Choice has no operator that ZIS knows",
                )
        _check_choices(_object(state).get("Iterator"))


def _take_spec(integration: Integration, properties: dict[str, Any]) -> None:
    event = (properties["event_source"], properties["event_type"], properties["flow_name"])
    for spec in integration.job_specs:
        if spec.name == properties["name"]:
            spec.event_source, spec.event_type, spec.flow_name = event
            return
    integration.job_specs.append(JobSpec(properties["name"], str(uuid.uuid4()), *event))


def _uploaded_spec(integration: Integration, name: str) -> JobSpec:
    if name in integration.names("ZIS::JobSpec"):
        for spec in integration.job_specs:
            if spec.name == name:
                return spec
    raise RefusedError(400, INVALID_SPEC, "the uploaded bundles do not hold this job spec")


def _credentials(kind: str, asked: dict[str, Any]) -> tuple[str, str, str]:
    """Return the header that carries a connection's credentials, its value, and what is secret in it."""
    match kind, asked:
        case "bearer_token", {"token": str(token)} if token:
            return "Authorization", f"Bearer {token}", token
        case "basic_auth", {"username": str(user), "password": str(password)} if user:
            return "Authorization", _basic(user, password), password
        case "api_key", {"key": str(key), "header": str(header)} if key and header:
            return header, key, key
    raise RefusedError(400, "credentials are required", "token; username and password; or key and header")


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _shown(integration: Integration, secret: str = _REDACTED) -> dict[str, Any]:
    client = integration.client
    return {
        "name": integration.name,
        "description": integration.description,
        "jwt_public_key": "",
        "zendesk_oauth_client": {"id": client.id, "identifier": client.identifier, "secret": secret},
    }


def _shown_connection(connection: Connection) -> dict[str, Any]:
    return {
        "name": connection.name,
        "uuid": connection.uuid,
        "allowed_domain": connection.allowed_domain,
        "token": _REDACTED,
    }


def _shown_webhook(integration: Integration, webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "uuid": webhook.uuid,
        "path": f"{BASE}/inbound_webhooks/generic/ingest/{webhook.token}",
        "integration": integration.name,
        "source_system": webhook.source_system,
        "event_type": webhook.event_type,
        "zendesk_account_id": 1,
    }


def _page(request: Request, key: str, items: list[dict[str, Any]]) -> Response:
    """Answer with a page of a list; a cursor is the position of an item."""
    asked = request.query_params
    try:
        size = min(max(int(asked.get("page[size]", "20")), 1), MOST_OF_A_PAGE)
        start = int(asked.get("page[after]", "0"))
    except ValueError:
        raise RefusedError(400, "invalid page", "page[size] is a number, page[after] one from meta") from None
    end = start + size
    meta = {"has_more": end < len(items), "after": str(end), "before": str(max(start - size, 0))}
    return JSONResponse({key: items[start:end], "meta": meta})


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        raise RefusedError(400, "invalid JSON") from None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _array(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
