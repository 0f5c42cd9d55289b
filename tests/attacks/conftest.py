"""A service that can do everything, running in this process, for whoever attacks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio
import whole_package  # noqa: F401
from attacked import Attacked, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def attacked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Attacked]:
    async with running(tmp_path_factory.mktemp("attacked")) as service:
        yield service
