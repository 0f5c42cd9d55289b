"""Inbound webhooks: events from elsewhere, which start flows as those of tickets do."""

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from .calls import Ask, RefusedError, first
from .connections import basic
from .model import Integration, Webhook, ZisState

PATH = "/api/services/zis/inbound_webhooks/generic"
LONGEST_EVENT = 200 * 1024


@dataclass
class Webhooks:
    state: ZisState
    new_id: Callable[[], int]
    hide: Callable[[str], None]
    receive: Callable[[Integration, str, str, Any], None]
    """Takes an event: its source, its type, and what was posted."""

    def add(self, integration: Integration, ask: Ask) -> Response:
        source, type_ = ask.document.get("source_system"), ask.document.get("event_type")
        if not isinstance(source, str) or not isinstance(type_, str) or not source or not type_:
            raise RefusedError(400, "source_system and event_type are required", "two texts")
        webhook = Webhook(
            id=self.new_id(),
            uuid=str(uuid.uuid4()),
            token=secrets.token_urlsafe(24),
            username=secrets.token_hex(8),
            password=secrets.token_hex(16),
            source_system=source,
            event_type=type_,
        )
        for secret in (webhook.token, webhook.username, webhook.password):
            self.hide(secret)
        integration.webhooks.append(webhook)
        once = {"username": webhook.username, "password": webhook.password}
        return JSONResponse(_shown(integration, webhook) | once)

    async def ingest(self, ask: Ask) -> Response:
        """Take an event, with the webhook's own user and password."""
        for integration in self.state.integrations:
            for webhook in integration.webhooks:
                if webhook.token == ask.path["token"]:
                    self._take(integration, webhook, ask)
                    return Response(status_code=200)
        raise RefusedError(404, "webhook not found")

    def _take(self, integration: Integration, webhook: Webhook, ask: Ask) -> None:
        given = ask.request.headers.get("authorization", "")
        if not secrets.compare_digest(given.encode(), basic(webhook.username, webhook.password).encode()):
            raise RefusedError(401, "Authentication failed")
        if len(ask.content) > LONGEST_EVENT:
            raise RefusedError(413, "the event is larger than 200 KB")
        self.receive(integration, webhook.source_system, webhook.event_type, ask.body)


def listed(integration: Integration, ask: Ask) -> Response:
    return JSONResponse({"webhooks": [_shown(integration, each) for each in integration.webhooks]})


def read(integration: Integration, ask: Ask) -> Response:
    return JSONResponse(_shown(integration, _found(integration, ask)))


def delete(integration: Integration, ask: Ask) -> Response:
    integration.webhooks.remove(_found(integration, ask))
    return Response(status_code=204)


def _found(integration: Integration, ask: Ask) -> Webhook:
    uuid_ = ask.path["uuid"]
    return first((each for each in integration.webhooks if each.uuid == uuid_), "webhook")


def _shown(integration: Integration, webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "uuid": webhook.uuid,
        "path": f"{PATH}/ingest/{webhook.token}",
        "integration": integration.name,
        "source_system": webhook.source_system,
        "event_type": webhook.event_type,
        "zendesk_account_id": 1,
    }
