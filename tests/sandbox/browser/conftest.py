"""A real browser, beside Zendesk and an integration that answer over HTTP on sites of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio
from sandbox.browser import at_localhost, launched, listening, watched
from sandbox.serving import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page
    from sandbox.zendesk import Zendesk
    from scripted_integration import ScriptedIntegration


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    async with watched(browser) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def zendesk(integration: ScriptedIntegration) -> AsyncIterator[Zendesk]:
    """Zendesk with an integration that obeys the test."""
    listener, url = listening("127.0.0.1")
    async with serving(integration.app, listener), at_localhost(url) as zendesk, zendesk:
        yield zendesk
