"""Handshake: an admin who saves an account has mended it, so that it is listened for at once."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from ..core.handshake import HandshakeStep
from ..core.leases import Leases
from ..core.messages import AdminUiRequest
from ..origin_protocol import OriginAccount


def step(leases: Leases) -> HandshakeStep:
    async def open_form(_account_id: str, _request: AdminUiRequest) -> str:
        return ""

    async def save(_sealed: str, account: OriginAccount[Any]) -> Callable[[], Awaitable[None]]:
        return partial(leases.resume, account.id)

    return HandshakeStep(open_form, save)
