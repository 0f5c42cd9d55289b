"""Event callbacks: what happened, posted to the service in batches (ZEN-55, ZEN-56)."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from .calls import Calls, NoAnswerError
from .clock import text_of
from .context import Part
from .verdicts import Remark

Event = dict[str, Any]

_AT_ONCE = "Answer 200, at once."


@dataclass
class Events(Part):
    calls: Calls
    emitted: list[Event] = field(default_factory=list)
    """Everything that happened, whether or not anyone wants to hear it."""
    waiting: list[tuple[str, Event]] = field(default_factory=list)
    """What goes out with the next flush, and where to."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def emit(self, type_id: str, data: dict[str, Any], *, error: str | None = None) -> None:
        """Note what happened; it is posted with the next flush, if the manifest has an `event_callback_url`."""
        manifest = self.state.manifest
        if manifest is None:
            return
        event: Event = {
            "type_id": type_id,
            "timestamp": text_of(self.clock.now()),
            "subdomain": self.settings.subdomain,
            "integration_name": manifest.name,
            "integration_id": manifest.id,
            "data": data,
        }
        if error is not None:
            event["error"] = error
        self.emitted.append(event)
        self.context.changes.note()
        if url := manifest.urls.get("event_callback_url"):
            self.waiting.append((url, event))

    async def settle(self) -> None:
        """Post what waits, unless events are held back."""
        if not self.settings.hold_events:
            await self.flush()

    async def hand_over(self) -> None:
        """Settle, but leave it to a flush that runs already: it may be waiting for the one who calls."""
        if not self._lock.locked():
            await self.settle()

    async def flush(self) -> None:
        """Post everything that waits, one try each: nothing says that Zendesk repeats an event."""
        async with self._lock:
            while self.waiting:
                url, size = self.waiting[0][0], self.settings.event_batch_size
                batch = [entry for entry in self.waiting if entry[0] == url][:size]
                self.waiting = [entry for entry in self.waiting if not any(entry is sent for sent in batch)]
                events = [event for _, event in (reversed(batch) if self.faults.reorder_events else batch)]
                for _ in range(2 if self.faults.duplicate_events else 1):
                    await self._post(url, events)

    async def _post(self, url: str, batch: list[Event]) -> None:
        timeout = self.settings.event_timeout
        try:
            answer = await self.calls.post_json("event_callback", url, {"events": batch}, timeout)
        except NoAnswerError as error:
            error.exchange.remarks.append(Remark("", f"events: {error}", ("SVC-54",), _AT_ONCE))
            return
        if not answer.is_success:
            answer.remark(Remark("", f"events were answered with {answer.status}", ("SVC-54",), _AT_ONCE))
