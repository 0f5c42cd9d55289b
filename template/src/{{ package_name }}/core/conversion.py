"""Conversion: the origin's posts become resources for Zendesk; what cannot become one is quarantined."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError

from ..origin_protocol import FileUrlMaker, Item, OriginProtocol
from .accounts import Account
from .messages import ExternalResource, validation_faults

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Converted:
    """A valid resource, and its size in bytes as JSON."""

    resource: ExternalResource
    size: int


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A post that could not become a valid resource, and why."""

    item_id: str
    reason: str


class Conversion:
    """Converts one post at a time: whatever `origin.py` does wrong stops that post alone."""

    def __init__(self, origin: OriginProtocol[Any], file_urls: Callable[[Account], FileUrlMaker]) -> None:
        self._origin = origin
        self._file_urls = file_urls

    def convert(self, account: Account, configuration: Any, item: Item) -> Converted | Quarantined | None:
        """Give the resource, the reason for its quarantine, or None for a post that `origin.py` leaves out."""
        try:
            resource = self._origin.to_resource(configuration, item, self._file_urls(account))
            if resource is None:
                return None
            # Fields may hold anything: what is no JSON shows here, not when the whole answer is written.
            return Converted(resource, len(resource.model_dump_json(exclude_none=True).encode()))
        except Exception as error:  # noqa: BLE001
            return self.quarantine(account, item, error)

    def quarantine(self, account: Account, item: Item, error: Exception) -> Quarantined:
        """Log why a post is quarantined, and give the entry to be kept."""
        if isinstance(error, ValidationError):
            reason = validation_faults(error)
        else:
            reason = f"{type(error).__name__}: {error}"
        logger.warning("post quarantined", account=account.id, item=item.id, reason=reason)
        return Quarantined(str(item.id), reason)
