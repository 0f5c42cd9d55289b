"""Capability: what one folder of that name adds to the service."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from starlette.routing import Route


@dataclass(frozen=True, slots=True)
class Capability:
    """What a capability adds to the service."""

    routes: Sequence[Route]
    manifest: Mapping[str, str | bool] = field(default_factory=dict)
    """Keys of the manifest beside the URLs."""

    manifest_urls: Mapping[str, str] = field(default_factory=dict)
    """Paths by their key in the manifest's `urls` (SVC-04)."""

    housekeeping: Sequence[Callable[[], Awaitable[object]]] = ()
    """Called every hour."""

    take_back: Sequence[Callable[[], Awaitable[object]]] = ()
    """Called at start if no other process uses the database: what killed ones held is free at once."""
