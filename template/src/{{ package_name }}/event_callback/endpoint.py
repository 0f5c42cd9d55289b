"""`POST /channel/event_callback`: Zendesk tells what became of accounts, people and posts (SVC-54, SVC-55).

Zendesk signs nothing, and anybody can post here. An event acts on an account only if it brings what this service gave
to that account alone, and comes from that account's subdomain (SVC-60).
"""

import json
from collections.abc import Awaitable, Callable, Mapping
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
"""What is done about an event. Raises UnprovenError or ValidationError; done twice, it does no harm."""

RETRY_AFTER = 60

logger = structlog.get_logger()


class UnprovenError(Exception):
    """Nothing shows that Zendesk sent this event for an account of this service."""


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
        if "failed" in outcomes:
            raise RequestError(
                503, "not_done", "Some events could not be acted upon", retry_after=RETRY_AFTER
            )
        return JSONResponse({"events": len(outcomes)})

    async def _react(self, content: Any) -> str:
        """Act upon one event, whatever becomes of the others, and say how that went."""
        try:
            event = Event.model_validate(content)
        except ValidationError as error:
            return self._outcome("other", "unreadable", validation_faults(error))
        if event.error:
            logger.warning(
                "zendesk reports an error",
                type=event.type_id[:64],
                subdomain=event.subdomain[:63],
                error=event.error[:500],
            )
        reaction = self._reactions.get(event.type_id)
        if reaction is None:
            # Some types only inform, and others are not known yet; anybody can invent more.
            entries = sum(len(value) for value in event.data.values() if isinstance(value, list))
            logger.info(
                "event noted", type=event.type_id[:64], subdomain=event.subdomain[:63], entries=entries
            )
            return self._outcome("other", "noted")
        try:
            await reaction(event)
        except UnprovenError as error:
            return self._outcome(event.type_id, "unproven", str(error))
        except ValidationError as error:
            return self._outcome(event.type_id, "unreadable", validation_faults(error))
        except Exception:
            logger.exception("event failed", type=event.type_id)
            return self._outcome(event.type_id, "failed")
        return self._outcome(event.type_id, "done")

    def _outcome(self, type_id: str, outcome: str, reason: str = "") -> str:
        if reason:
            logger.warning("event not acted upon", type=type_id, outcome=outcome, reason=reason)
        self._metrics.events.labels(type_id, outcome).inc()
        return outcome


def _events(body: bytes) -> list[Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError(400, "invalid_json", "The body is not JSON") from None
    events = document.get("events") if isinstance(document, dict) else None
    if not isinstance(events, list):
        raise RequestError(400, "invalid_request", "The body has no list of events")
    return events
