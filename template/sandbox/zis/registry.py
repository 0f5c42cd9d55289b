"""The HTTP interfaces of Integration Services, and what is registered: integrations, tokens, bundles, job specs."""

import re
import secrets
import uuid
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.formparsers import MultiPartException
from starlette.responses import JSONResponse, Response

from ..validate.rules import as_array, as_object
from . import configs, connections, links, oauth, uploads, webhooks
from .calls import REDACTED, Ask, Handler, RefusedError, first, page
from .connections import Connections
from .credentials import (
    EVERYONE,
    NO_API_TOKEN,
    NO_OAUTH,
    NO_TOKENS_OF_ANY_INTEGRATION,
    Kind,
    Refusal,
    admit,
    caller,
    new_token,
)
from .model import Client, Integration, JobSpec, ZisState
from .oauth import CALLBACK, OAuth
from .webhooks import Webhooks

BASE = "/api/services/zis"
TOKEN_SECONDS = 30 * 60
"""How long a token that came by client_credentials is good for, of clients made since 2026."""
INVALID_SPEC = "one or more requested job specs is invalid"
_INTEGRATION = re.compile(r"[a-z0-9_-]{1,64}", re.ASCII)
_SPEC = re.compile(r"zis:([a-z0-9_-]{1,64}):job_spec:([^:\s]+)", re.ASCII)


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
    now: Callable[[], datetime]
    connections: Connections
    oauth: OAuth
    webhooks: Webhooks

    def calls(self) -> list[tuple[str, str, Handler]]:
        """Every call: method, path, and what answers."""
        of, everyone, by_token = self._of, EVERYONE, NO_API_TOKEN
        registering = NO_TOKENS_OF_ANY_INTEGRATION
        registry, mine, linked = f"{BASE}/registry", f"{BASE}/integrations/{{i}}", f"{BASE}/links/{{i}}"
        hooks, authorizing = webhooks.PATH, f"{BASE}/connections/oauth"
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
            ("GET", f"{mine}/connections/all", of(by_token, connections.listed)),
            ("POST", f"{mine}/connections/{{kind}}", of(by_token, self.connections.add)),
            ("DELETE", f"{mine}/connections/{{kind}}/{{name}}", of(by_token, connections.delete)),
            ("POST", f"{authorizing}/clients/{{i}}", of(by_token, self.oauth.add_client)),
            ("GET", f"{authorizing}/clients/{{i}}", of(by_token, oauth.listed)),
            ("PATCH", f"{authorizing}/clients/{{i}}/{{uuid}}", of(by_token, self.oauth.change_client)),
            ("PUT", f"{authorizing}/clients/{{i}}/{{uuid}}", of(by_token, oauth.refuse_put)),
            ("DELETE", f"{authorizing}/clients/{{i}}/{{uuid}}", of(by_token, oauth.delete_client)),
            ("POST", f"{authorizing}/start/{{i}}", of(by_token, self.oauth.start)),
            ("GET", f"{authorizing}/access_codes/{{i}}", of(by_token, oauth.access_code)),
            ("GET", CALLBACK, self.oauth.callback),
            ("GET", f"{BASE}/connections/{{i}}", of(by_token, connections.find)),
            ("GET", f"{mine}/configs", of(by_token, configs.find)),
            ("POST", f"{mine}/configs", of(by_token, configs.add)),
            ("PUT", f"{mine}/configs/{{scope}}", of(by_token, configs.replace)),
            ("PATCH", f"{mine}/configs/{{scope}}", of(by_token, configs.patch)),
            ("DELETE", f"{mine}/configs/{{scope}}", of(by_token, configs.delete)),
            ("GET", linked, of(by_token, links.answer_load)),
            ("POST", linked, of(by_token, links.answer_create)),
            ("PATCH", linked, of(by_token, links.answer_patch)),
            ("DELETE", linked, of(by_token, links.answer_delete)),
            ("POST", f"{hooks}/ingest/{{token}}", self.webhooks.ingest),
            ("POST", f"{hooks}/{{i}}", of(by_token, self.webhooks.add)),
            ("GET", f"{hooks}/{{i}}/all", of(by_token, webhooks.listed)),
            ("GET", f"{hooks}/{{i}}/{{uuid}}", of(by_token, webhooks.read)),
            ("DELETE", f"{hooks}/{{i}}/{{uuid}}", of(by_token, webhooks.delete)),
        ]

    # --- Who calls, for which integration -------------------------------------------------------------

    def _admit(self, ask: Ask, refusals: dict[Kind, Refusal], integration: Integration | None) -> None:
        found = caller(ask.request, self.state, self.now())
        if found.kind == "admin session" and not self.is_admin():
            raise RefusedError(403, "Only admin user is allowed", "an app's page is open to every agent")
        admit(found, refusals, integration)

    def _open(self, refusals: dict[Kind, Refusal], answer: Callable[[Ask], Response]) -> Handler:
        async def handle(ask: Ask) -> Response:
            self._admit(ask, refusals, None)
            return answer(ask)

        return handle

    def _of(self, refusals: dict[Kind, Refusal], answer: Callable[[Integration, Ask], Response]) -> Handler:
        async def handle(ask: Ask) -> Response:
            integration = self.state.integration(ask.path["i"])
            self._admit(ask, refusals, integration)
            if integration is None:
                # Asking is the only way to learn whether there is one.
                why = "" if ask.request.method == "GET" else "register the integration first"
                raise RefusedError(400, "invalid integration key", why)
            return answer(integration, ask)

        return handle

    def _of_spec(self, answer: Callable[[Integration, str], Response]) -> Handler:
        """Find the integration in the full name of a job spec."""

        async def handle(ask: Ask) -> Response:
            match = _SPEC.fullmatch(ask.query.get("job_spec_name", ""))
            integration = self.state.integration(match[1]) if match else None
            self._admit(ask, EVERYONE, integration)
            if not match or integration is None:
                raise RefusedError(400, INVALID_SPEC, "the name is zis:{integration}:job_spec:{name}")
            return answer(integration, match[2])

        return handle

    # --- Integrations, clients and tokens -------------------------------------------------------------

    def _register(self, ask: Ask) -> Response:
        name = ask.path["i"]
        if not _INTEGRATION.fullmatch(name) or name in {"integrations", "job_specs"}:
            raise RefusedError(400, "invalid integration key", "1 to 64 of a-z, 0-9, - and _")
        if name in self.taken():
            raise RefusedError(
                400,
                f"the integration: {name} is not available for upsert by this account",
                "names are unique over all of Zendesk; take another one",
            )
        description = str(ask.document.get("description", ""))
        integration = self.state.integration(name)
        if integration is None:
            client = Client(self.new_id(), f"zis_{name}", secrets.token_hex(32))
            self.hide(client.secret)
            integration = Integration(name, description, client)
            self.state.integrations.append(integration)
        integration.description = description or integration.description
        return JSONResponse(_shown(integration, secret=integration.client.secret))

    def _integrations(self, ask: Ask) -> Response:
        return JSONResponse({"integrations": [_shown(each) for each in self.state.integrations]})

    def _clients(self, ask: Ask) -> Response:
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

    def _token(self, ask: Ask) -> Response:
        asked = as_object(ask.document.get("token"))
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

    async def _admin_token(self, ask: Ask) -> Response:
        client = self.state.admin_client
        try:
            asked = ask.document
        except RefusedError:
            try:
                asked = dict(await ask.request.form())
            except MultiPartException as error:
                raise RefusedError(400, error.message) from None
        if (
            client is None
            or asked.get("grant_type") != "client_credentials"
            or asked.get("client_id") != client.identifier
            or not secrets.compare_digest(str(asked.get("client_secret")).encode(), client.secret.encode())
        ):
            ask.remarks.append("only client_credentials of the admin's client are given tokens here")
            return JSONResponse({"error": "invalid_client"}, 401)
        token = new_token(self.state, client, self.now() + timedelta(seconds=TOKEN_SECONDS))
        self.hide(token.text)
        answer = {"access_token": token.text, "token_type": "bearer", "expires_in": TOKEN_SECONDS}
        return JSONResponse(answer | {"scope": asked.get("scope", "read write")})

    # --- Bundles and job specs ------------------------------------------------------------------------

    def _upload(self, integration: Integration, ask: Ask) -> Response:
        bundle = ask.document
        uploads.check(bundle, ask.remarks)
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
        return page(ask, "bundles", listed)

    def _bundle(self, integration: Integration, ask: Ask) -> Response:
        uuid_ = ask.path["uuid"]
        return JSONResponse(first((b for b in integration.bundles.values() if b["uuid"] == uuid_), "bundle"))

    def _keep_bundle(self, integration: Integration, ask: Ask) -> Response:
        raise RefusedError(404, "bundles cannot be deleted", "uninstall its job specs, so that nothing runs")

    def _job_specs(self, integration: Integration, ask: Ask) -> Response:
        listed = [
            asdict(spec) | {"description": "", "integration": integration.name}
            for spec in integration.job_specs
        ]
        return page(ask, "job_specs", listed)

    def _install(self, integration: Integration, name: str) -> Response:
        spec = _uploaded_spec(integration, name)
        spec.installed = True
        return Response(status_code=200)

    def _install_named(self, integration: Integration, ask: Ask) -> Response:
        names = [str(as_object(item).get("name")) for item in as_array(ask.body)]
        specs = [_uploaded_spec(integration, name.rpartition(":")[2]) for name in names]
        for spec in specs:
            spec.installed = True
        return Response(status_code=200)

    def _uninstall(self, integration: Integration, name: str) -> Response:
        known = (spec for spec in integration.job_specs if spec.name == name and spec.installed)
        first(known, "job spec", "no such job spec is installed").installed = False
        return Response(status_code=204)


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


def _shown(integration: Integration, secret: str = REDACTED) -> dict[str, Any]:
    client = integration.client
    return {
        "name": integration.name,
        "description": integration.description,
        "jwt_public_key": "",
        "zendesk_oauth_client": {"id": client.id, "identifier": client.identifier, "secret": secret},
    }
