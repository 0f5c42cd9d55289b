"""Zendesk in this process, with an integration installed that obeys the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from sandbox.zendesk import Account, FakeClock, Zendesk
from scripted_integration import MANIFEST_URL, ScriptedIntegration

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from projects import Project


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Each test starts what it starts in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def integration() -> ScriptedIntegration:
    return ScriptedIntegration()


@pytest.fixture
async def zendesk(integration: ScriptedIntegration) -> AsyncIterator[Zendesk]:
    async with Zendesk(MANIFEST_URL, integration.app, clock=FakeClock()) as zendesk:
        yield zendesk


@pytest.fixture
async def account(zendesk: Zendesk) -> Account:
    return await zendesk.add_account("Main", key="password-1")


@pytest.fixture
async def pages(zendesk: Zendesk) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser that only reads text."""
    transport = httpx2.ASGITransport(zendesk.app)
    async with httpx2.AsyncClient(
        transport=transport, base_url=zendesk.settings.address, follow_redirects=True
    ) as browser:
        yield browser


@pytest.fixture
def code(with_webhooks: Project, folder: Path) -> Path:
    """A service that can do everything, below src/ as in its project, where a test may write."""
    return with_webhooks.installed(folder / "src")
