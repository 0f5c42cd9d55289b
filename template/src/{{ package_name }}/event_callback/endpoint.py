"""`POST /channel/event_callback`: Zendesk tells what became of accounts, people and posts (SVC-54, SVC-55).

Zendesk signs nothing, and anybody can post here. An event acts on an account only if it brings what this service gave
to that account alone, and comes from that account's subdomain (SVC-60).
"""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..core.messages import validation_faults
from ..core.metrics import Metrics
from ..web.errors import RequestError
from ..web.forms import BODY_LIMIT
from .messages import Event

Reaction = Callable[[Event], Awaitable[None]]
"""What is done about an event. Raises UnprovenError, NotConcernedError or ValidationError; done twice, it does no harm."""

RETRY_AFTER = 60
EVENTS_LIMIT = 1000

SHOWN = 5
"""Reasons in one line of the log."""

logger = structlog.get_logger()


class UnprovenError(Exception):
    """Nothing shows that Zendesk sent this event for an account of this service."""


class NotConcernedError(Exception):
    """The event tells of something that this service did not begin."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went with one event, as metrics and the log show it."""

    type_id: str
    outcome: str
    reason: str = ""


class EventCallbackEndpoint:
    def __init__(self, reactions: Mapping[str, Reaction], metrics: Metrics) -> None:
        """Take the reactions by the types of the events; events of other types are written down only."""
        self._reactions = reactions
        self._metrics = metrics

    def routes(self) -> list[Route]:
        return [Route("/channel/event_callback", self.respond, methods=["POST"], max_body_size=BODY_LIMIT)]

    async def respond(self, request: Request) -> Response:
        """Answer once everything that the events ask for is done, and 503 if some of it could not be done now."""
        events = _events(await request.body())
        outcomes = [await self._react(event) for event in events]
        for outcome in outcomes:
            self._metrics.events.labels(outcome.type_id, outcome.outcome).inc()
        _log(outcomes)
        if any(outcome.outcome == "failed" for outcome in outcomes):
            raise RequestError(
                503, "not_done", "Some events could not be acted upon", retry_after=RETRY_AFTER
            )
        return JSONResponse({"events": len(outcomes)})

    async def _react(self, content: Any) -> Outcome:
        """Act upon one event, whatever becomes of the others, and say how that went."""
        try:
            event = Event.model_validate(content)
        except ValidationError as error:
            return Outcome("other", "unreadable", validation_faults(error))
        error_reported = f"Zendesk reports an error: {event.error[:500]}" if event.error else ""
        reaction = self._reactions.get(event.type_id)
        if reaction is None:
            # Some types only inform, and others are not known yet; anybody can invent more.
            entries = sum(len(value) for value in event.data.values() if isinstance(value, list))
            return Outcome("other", "noted", error_reported or f"{event.type_id[:64]} with {entries} entries")
        try:
            await reaction(event)
        except NotConcernedError:
            return Outcome(event.type_id, "noted", error_reported)
        except UnprovenError as error:
            return Outcome(event.type_id, "unproven", str(error))
        except ValidationError as error:
            return Outcome(event.type_id, "unreadable", validation_faults(error))
        except Exception:
            logger.exception("event failed", type=event.type_id)
            return Outcome(event.type_id, "failed", error_reported)
        return Outcome(event.type_id, "done", error_reported)


def _log(outcomes: Sequence[Outcome]) -> None:
    """Write one line however many events there were: anybody can send them."""
    counted = Counter(outcome.outcome for outcome in outcomes)
    reasons = dict.fromkeys(
        f"{outcome.type_id}, {outcome.outcome}: {outcome.reason}" for outcome in outcomes if outcome.reason
    )
    log = logger.info if counted.keys() <= {"done", "noted"} else logger.warning
    log("events", **counted, reasons=list(reasons)[:SHOWN])


def _events(body: bytes) -> list[Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError(400, "invalid_json", "The body is not JSON") from None
    events = document.get("events") if isinstance(document, dict) else None
    if not isinstance(events, list):
        raise RequestError(400, "invalid_request", "The body has no list of events")
    if len(events) > EVENTS_LIMIT:
        raise RequestError(413, "too_many_events", f"Send at most {EVENTS_LIMIT} events at a time")
    return events
