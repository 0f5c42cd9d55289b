"""Tells when the code of the service was changed, or its settings."""

import asyncio
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

CODE = Path("src")
SETTINGS = Path(".env")


async def watch(changed: asyncio.Event) -> None:
    """Set the event whenever a file below `src/` has changed, or `.env` beside it; for ever."""

    async def code() -> None:
        async for _ in awatch(CODE, watch_filter=DefaultFilter()):
            changed.set()

    async def settings() -> None:
        # The folder and not the file, which an editor replaces and which may not be there yet.
        async for _ in awatch(Path(), watch_filter=_is_settings, recursive=False):
            changed.set()

    await asyncio.gather(code(), settings())


def _is_settings(change: Change, path: str) -> bool:
    return Path(path).name == SETTINGS.name
