"""Conversion: the origin's posts become resources for Zendesk; what cannot become one is quarantined."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError

from ..origin_protocol import (
    CredentialsRejectedError,
    FileUrlMaker,
    OriginAccount,
    OriginProtocol,
    OriginUnavailableError,
)
from .messages import ExternalResource, shorten, validation_faults

NAME_LIMIT = 255
REASON_LIMIT = 500

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

    def __init__(self, origin: OriginProtocol[Any], file_urls: Callable[[str], FileUrlMaker]) -> None:
        self._origin = origin
        self._file_urls = file_urls

    async def convert(self, account: OriginAccount[Any], item: Any) -> Converted | Quarantined | None:
        """Give the resource, the reason for its quarantine, or None for a post that `origin.py` leaves out.

        Raises CredentialsRejectedError or OriginUnavailableError when the origin failed while something was looked up.
        """
        try:
            resource = await self._origin.to_resource(account, item, self._file_urls(account.id))
            if resource is None:
                return None
            # Fields may hold anything: what is no JSON shows here, not when the whole answer is written.
            return Converted(resource, len(resource.model_dump_json(exclude_none=True).encode()))
        except (CredentialsRejectedError, OriginUnavailableError):
            raise
        except Exception as error:  # noqa: BLE001
            entry = Quarantined(name_of(item), _reason(error))
            logger.warning("post quarantined", account=account.id, item=entry.item_id, reason=entry.reason)
            return entry


def name_of(item: Any) -> str:
    """Name a post as the origin gave it: by the id it shows, or else by a digest of all that it says."""
    try:
        return _shown_id(item) or _digest(repr(item))
    except Exception:  # noqa: BLE001
        # Objects of the origin's own may fail at anything that is asked of them.
        return _digest(type(item).__name__)


def _shown_id(item: Any) -> str:
    for key in ("id", "external_id", "event_id"):
        shown = item.get(key) if isinstance(item, Mapping) else getattr(item, key, None)
        if isinstance(shown, str | int) and shown != "":
            return str(shown)[:NAME_LIMIT]
    return ""


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode(errors="replace")).hexdigest()[:16]


def _reason(error: Exception) -> str:
    """Say what is wrong with a post; a message may quote all of it, and ends after its beginning."""
    if isinstance(error, ValidationError):
        return shorten(validation_faults(error), REASON_LIMIT)
    try:
        return shorten(f"{type(error).__name__}: {error}", REASON_LIMIT)
    except Exception:  # noqa: BLE001
        return type(error).__name__
