"""What goes wrong on purpose, endpoint by endpoint."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from .settings import Seconds

Endpoint = Literal[
    "manifest",
    "admin_ui",
    "return_url",
    "pull",
    "file",
    "channelback",
    "event_callback",
    "clickthrough",
    "proxied",
    "push",
    "validate_token",
    "report_error",
    "proxy",
    "attachment",
    "zis",
    "zis_action",
    "apps",
    "app",
    "app_request",
    "unknown",
]
"""The interfaces by name: `proxy` is an app's call to Zendesk, `proxied` the one that Zendesk makes of it,
`zis` a call of Integration Services and `zis_action` a flow's request, `app` what an app asks the page around it for
and `app_request` what is sent elsewhere for it."""


@dataclass
class Fault:
    """What happens to the next `times` requests; None means all of them, until it is removed.

    A `status` is answered in place of the truth, without the request arriving. `delay` is waited first, by Zendesk's
    clock in seconds. `dropped` closes the connection before the request is processed, or after.
    """

    times: PositiveInt | None = 1
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"error": "Fault", "description": "made by the sandbox"}'
    delay: Seconds = 0
    dropped: Literal["before", "after"] | None = None

    def __str__(self) -> str:
        parts = [
            f"answered {self.status}" if self.status else "",
            f"delayed {self.delay:g} s" if self.delay else "",
            f"dropped {self.dropped} processing" if self.dropped else "",
        ]
        return ", ".join(filter(None, parts))


class DroppedError(Exception):
    """A connection was closed on purpose, without an answer."""


class Faults:
    def __init__(self) -> None:
        self.waiting: dict[Endpoint, list[Fault]] = {}
        self.push_results: dict[str, list[str]] = {}
        """Codes for the next tries of a pushed post, by its external id; one that is no success halts the rest."""
        self.stale_manifest = False
        """Zendesk goes on with its copy of the manifest, whatever was changed."""
        self.duplicate_events = False
        """Each batch of events comes twice."""
        self.reorder_events = False
        """The events of a batch come last first."""

    def add(self, endpoint: Endpoint, fault: Fault) -> None:
        """Have it happen behind those that wait already."""
        self.waiting.setdefault(endpoint, []).append(fault)

    def clear(self) -> None:
        self.waiting.clear()

    def take(self, endpoint: Endpoint) -> Fault | None:
        """The fault of the request that is made now."""
        waiting = self.waiting.get(endpoint)
        if not waiting:
            return None
        fault = waiting[0]
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                waiting.pop(0)
        return fault

    def result_of(self, external_id: str) -> str | None:
        codes = self.push_results.get(external_id)
        return codes.pop(0) if codes else None
