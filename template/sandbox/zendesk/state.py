"""Keeps what Zendesk knows in a file, so that a session can be resumed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import TypeAdapter

from .changes import Changes
from .model import State

PAUSE = 1
"""Seconds between two writes, however much happens."""

_FORMAT = TypeAdapter(State)


def load(file: Path) -> State:
    """Read a session; an absent file is a new one. Raises `pydantic.ValidationError` for what is no session."""
    return _FORMAT.validate_json(file.read_bytes()) if file.exists() else State()


def save(file: Path, state: State) -> None:
    """Write a session, readable by its owner only: it holds tokens."""
    file = file.resolve()
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_bytes(_FORMAT.dump_json(state, indent=2))
    fresh.replace(file)


@asynccontextmanager
async def kept(file: Path, state: State, changes: Changes) -> AsyncIterator[None]:
    """Save a session now, soon after each change, and at the end. Raises OSError."""

    async def keep() -> None:
        while True:
            number = changes.number
            save(file, state)
            await changes.after(number)
            await asyncio.sleep(PAUSE)

    save(file, state)
    task = asyncio.create_task(keep())
    try:
        yield
    finally:
        task.cancel()
        save(file, state)
