"""Pages of other sites in the browser of whoever tries the sandbox: they read nothing there and change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
import pytest_asyncio
from sandbox.zendesk import FakeClock, Zendesk
from scripted_integration import MANIFEST_URL, ScriptedIntegration, resource

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOSTS = (
    "evil.example",
    "evil.example:8002",
    "localhost.evil.example:8002",
    "127.0.0.1.evil.example:8002",
    "0.0.0.0:8002",
    "169.254.169.254",
)
"""Names that an attacker has lead to this machine once their page is open (DNS rebinding)."""

READ = ("/agent", "/exchanges.har", "/admin")

SENDERS: dict[str, dict[str, str]] = {
    "another site": {"Origin": "https://evil.example"},
    "a page without an origin": {"Origin": "null"},
    "another site that names itself in no other way": {"Sec-Fetch-Site": "cross-site"},
    "the service": {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "cross-site"},
    "another port": {"Origin": "http://localhost:8001", "Sec-Fetch-Site": "same-site"},
}
CHANGED = (
    "/admin/uninstall",
    "/faults/switches",
    "/api/v2/any_channel/proxy.json?post_to_path=/channel/like&ticket_id=1",
    "/agent/apps/1/invoke",
)


@pytest.fixture(scope="module")
def integration() -> ScriptedIntegration:
    return ScriptedIntegration(posts=[resource("post-1", message="what customers write")])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def zendesk(integration: ScriptedIntegration) -> AsyncIterator[Zendesk]:
    async with Zendesk(MANIFEST_URL, integration.app, clock=FakeClock()) as zendesk:
        await zendesk.pull(await zendesk.add_account("Main", key="password-1"))
        yield zendesk


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser(zendesk: Zendesk) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(zendesk.app)
    async with httpx2.AsyncClient(transport=transport, base_url=zendesk.settings.address) as browser:
        yield browser


@pytest.mark.parametrize("path", READ)
@pytest.mark.parametrize("host", HOSTS)
async def test_nobody_reads_by_another_name(browser: httpx2.AsyncClient, host: str, path: str) -> None:
    answer = await browser.get(path, headers={"Host": host})
    assert answer.status_code == 403
    assert "customers" not in answer.text


@pytest.mark.parametrize("path", CHANGED)
@pytest.mark.parametrize("headers", SENDERS.values(), ids=SENDERS)
async def test_nobody_changes_anything_from_elsewhere(
    integration: ScriptedIntegration,
    zendesk: Zendesk,
    browser: httpx2.AsyncClient,
    headers: dict[str, str],
    path: str,
) -> None:
    asked = len(integration.requests)

    answer = await browser.post(path, headers=headers, data={"stale_manifest": "on"})

    assert answer.status_code == 403
    assert zendesk.state.manifest
    assert not zendesk.faults.stale_manifest
    assert len(integration.requests) == asked


async def test_people_read_and_change(zendesk: Zendesk, browser: httpx2.AsyncClient) -> None:
    assert "what customers write" in (await browser.get("/agent")).text
    headers = {"Origin": zendesk.settings.address, "Sec-Fetch-Site": "same-origin"}
    await browser.post("/faults/switches", headers=headers, data={"stale_manifest": "on"})
    assert zendesk.faults.stale_manifest
