"""The curl lines with which Zendesk's guide makes a private integration, with their placeholders filled in."""

from __future__ import annotations

import asyncio
import json
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from sandbox.zendesk import Zendesk
from zis_callers import bundle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

REGISTER = (
    "curl https://{subdomain}.zendesk.com/api/services/zis/registry/{integration} "
    "-u {email}/token:{api_token} -X POST -H 'Content-Type: application/json' "
    """-d '{{ "description": "My integration" }}'"""
)
CLIENTS = "curl https://{subdomain}.zendesk.com/api/v2/oauth/clients.json -u {email}/token:{api_token}"
TOKEN = (
    "curl https://{subdomain}.zendesk.com/api/v2/oauth/tokens.json -X POST -u {email}/token:{api_token} "
    "-H 'Content-Type: application/json' "
    """-d '{{"token": {{"client_id": "{client_id}", "scopes": ["read", "write"]}}}}'"""
)
UPLOAD = (
    "curl https://{subdomain}.zendesk.com/api/services/zis/registry/{integration}/bundles "
    "-u {email}/token:{api_token} -X POST -H 'Content-Type: application/json' -d @{bundle}"
)
INSTALL = (
    "curl -X POST 'https://{subdomain}.zendesk.com/api/services/zis/registry/job_specs/install"
    "?job_spec_name=zis:{integration}:job_spec:solved' -u {email}/token:{api_token}"
)
UNINSTALL = INSTALL.replace("-X POST", "-X DELETE")
CONNECT = (
    "curl https://{subdomain}.zendesk.com/api/services/zis/integrations/{integration}/connections/bearer_token "
    "-X POST -H 'Authorization: Bearer {zis_token}' -H 'Content-Type: application/json' "
    """-d '{{"name": "site", "token": "canary-of-a-token", "allowed_domain": "integration.test"}}'"""
)


class Answer(NamedTuple):
    status: int
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Terminal:
    """Runs lines of the guide, which lead to the Zendesk on this machine."""

    def __init__(self, address: str, bundle: Path, api_token: str) -> None:
        self._address = address
        self._placeholders = {
            "subdomain": "acme",
            "integration": "acme_solved",
            "email": "admin@acme.test",
            "api_token": api_token,
            "bundle": str(bundle),
        }

    async def run(self, line: str, **placeholders: object) -> Answer:
        filled = line.format(**self._placeholders | placeholders)
        words = shlex.split(filled.replace("https://acme.zendesk.com", self._address))
        process = await asyncio.create_subprocess_exec(
            *words, "-s", "-w", "\n%{http_code}", stdout=asyncio.subprocess.PIPE
        )
        output, _ = await asyncio.wait_for(process.communicate(), 30)
        body, _, status = output.decode().rpartition("\n")
        return Answer(int(status), body)


@pytest.fixture
async def zendesk() -> AsyncIterator[Zendesk]:
    async with Zendesk() as zendesk:
        yield zendesk


@pytest.fixture
async def terminal(zendesk: Zendesk, tmp_path: Path) -> AsyncIterator[Terminal]:
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(bundle("acme_solved")))
    async with zendesk.serving() as address:
        yield Terminal(address, file, zendesk.zis.zis.api_token)


async def test_each_line_gives_the_answer_that_the_guide_shows(terminal: Terminal, zendesk: Zendesk) -> None:
    registered = await terminal.run(REGISTER)
    assert registered.status == 200
    client = registered.json["zendesk_oauth_client"]
    assert (registered.json["description"], client["identifier"]) == ("My integration", "zis_acme_solved")
    assert registered.json.keys() >= {"jwt_public_key"}

    clients = (await terminal.run(CLIENTS)).json["clients"]
    assert [each["id"] for each in clients if each["identifier"] == "zis_acme_solved"] == [client["id"]]

    token = (await terminal.run(TOKEN, client_id=client["id"])).json["token"]
    assert token["scopes"] == ["read", "write"]

    connected = await terminal.run(CONNECT, zis_token=token["full_token"])
    assert (connected.status, connected.json["bearer_token"]["name"]) == (201, "site")
    assert "canary-of-a-token" not in connected.body

    assert await terminal.run(UPLOAD) == (200, "")
    assert await terminal.run(INSTALL) == (200, "")
    [spec] = zendesk.zis.zis.integrations[0].job_specs
    assert spec.installed
    assert await terminal.run(UNINSTALL) == (204, "")
    assert not spec.installed


async def test_a_line_whose_placeholder_is_left_is_refused(terminal: Terminal) -> None:
    assert (await terminal.run(REGISTER, api_token="{api_token}")).status == 401
    await terminal.run(REGISTER)
    assert (await terminal.run(TOKEN, client_id="zis_acme_solved")).status == 400
    assert (await terminal.run(INSTALL)).status == 400
