"""Request deadlines: a caller that sends its request drop by drop is cut off.

uvicorn waits for ever for the rest of a request; a proxy in front may have limits of its own, or none.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol


class BoundedProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's own protocol, with a time limit for the head of a request and another one for its body."""

    head_seconds = 10.0
    body_seconds = 30.0
    last_seconds = 2.0
    """For the rest of a body once the service stops: nobody has acted upon half a request."""

    _awaited: tuple[object, str] | None = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._bound()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._bound()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        super().shutdown()
        awaited = self._now_awaited()
        if awaited is not None and awaited[1] == "body":
            self._stop()
            self._deadline = self.loop.call_later(self.last_seconds, self.transport.close)

    def _bound(self) -> None:
        """Begin a time limit when something else is awaited than before: one covers a whole head, or a whole body."""
        awaited = self._now_awaited()
        if awaited == self._awaited:
            return
        self._stop()
        self._awaited = awaited
        if awaited is not None:
            seconds = self.body_seconds if awaited[1] == "body" else self.head_seconds
            self._deadline = self.loop.call_later(seconds, self.transport.close)

    def _now_awaited(self) -> tuple[object, str] | None:
        cycle: Any = self.cycle
        if cycle is None or cycle.response_complete:
            return (cycle, "head")
        return (cycle, "body") if cycle.more_body else None

    def _stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
