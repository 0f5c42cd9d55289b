"""A real browser for tests, and a Zendesk that is another site to it than the service."""

import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from .zendesk import Settings, Zendesk

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PATIENCE = 60_000
"""Milliseconds until a test gives up what it waits for; a busy machine takes as many as it needs."""


@asynccontextmanager
async def launched(*arguments: str) -> AsyncIterator[Browser]:
    path = chromium()
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*QUIET, *arguments])
        yield browser
        await browser.close()


def chromium() -> str:
    """Where the browser is. Without one its tests are skipped, unless BROWSER_TESTS says that they are required."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        how = "There is no Chromium here. Install one (apt install chromium), or set CHROMIUM to its path."
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(how)
        pytest.skip(how)
    return found


@asynccontextmanager
async def watched(browser: Browser) -> AsyncIterator[Page]:
    """A window in which nothing of our own goes wrong."""
    context = await browser.new_context(viewport={"width": 1200, "height": 800})
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if "violates" in message.text else None)
    yield page
    await context.close()
    wrong = [error for error in errors if "frame-ancestors" not in error]
    assert wrong == [], wrong


@asynccontextmanager
async def at_localhost(service: str) -> AsyncIterator[Zendesk]:
    """Zendesk over HTTP: for browsers, localhost is another site than a service at 127.0.0.1."""
    listener, address = listening("localhost")
    settings = Settings(address=address, allow_loopback_http=True)
    zendesk = Zendesk(f"{service}/channel/manifest", settings=settings)
    async with zendesk.serving(listener):
        yield zendesk


def listening(host: str) -> tuple[socket.socket, str]:
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"http://{host}:{listener.getsockname()[1]}"
