"""Callers of Integration Services with each kind of credentials, and a bundle for them to upload."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import httpx2
from sandbox.zendesk import InProcess, Zendesk

BASE = "/api/services/zis"
TELL = {
    "method": "POST",
    "url": "https://integration.test/zis",
    "connectionName": "site",
    "requestBody": {"ticket": "{{$.input.ticket_event.ticket.id}}"},
}


def bundle(integration: str = "acme", *, tell: dict[str, Any] = TELL, **specs: str) -> dict[str, Any]:
    """A bundle that tells the service of each type of event."""
    flow = {
        "StartAt": "Tell",
        "States": {"Tell": {"Type": "Action", "ActionName": f"zis:{integration}:action:tell", "End": True}},
    }
    resources: dict[str, Any] = {
        "tell": {
            "type": "ZIS::Action::Http",
            "properties": {"name": "tell", "definition": copy.deepcopy(tell)},
        },
        "flow": {"type": "ZIS::Flow", "properties": {"name": "flow", "definition": flow}},
    }
    for name, event_type in (specs or {"solved": "ticket.StatusChanged"}).items():
        resources[name] = {
            "type": "ZIS::JobSpec",
            "properties": {
                "name": name,
                "event_source": "support",
                "event_type": event_type,
                "flow_name": f"zis:{integration}:flow:flow",
            },
        }
    return {"name": "bundle", "description": "", "zis_template_version": "2019-10-14", "resources": resources}


@dataclass
class Callers:
    """Clients of Zendesk's API, by what they prove themselves with."""

    zendesk: Zendesk
    nobody: httpx2.AsyncClient
    api_token: httpx2.AsyncClient
    session: httpx2.AsyncClient
    oauth: httpx2.AsyncClient

    async def of_integration(self, name: str) -> httpx2.AsyncClient:
        """Register an integration, and prove oneself with its token."""
        answer = await self.api_token.post(f"{BASE}/registry/{name}", json={"description": "d"})
        client_id = answer.json()["zendesk_oauth_client"]["id"]
        asked = {"token": {"client_id": client_id, "scopes": ["read", "write"]}}
        token = (await self.api_token.post("/api/v2/oauth/tokens", json=asked)).json()["token"]["full_token"]
        return client(self.zendesk, {"authorization": f"Bearer {token}"})

    async def install(self, name: str, document: dict[str, Any], *specs: str) -> None:
        """Upload a bundle and install job specs of it, as an admin."""
        (await self.api_token.post(f"{BASE}/registry/{name}/bundles", json=document)).raise_for_status()
        for spec in specs or ("solved",):
            parameters = {"job_spec_name": f"zis:{name}:job_spec:{spec}"}
            answer = await self.api_token.post(f"{BASE}/registry/job_specs/install", params=parameters)
            answer.raise_for_status()


def client(zendesk: Zendesk, headers: dict[str, str] | None = None) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=InProcess(zendesk), base_url=zendesk.settings.address, headers=headers
    )
