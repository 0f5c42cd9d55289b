"""Integration Services in this Zendesk: what happens to tickets starts flows, each at its time, and into the log."""

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .. import json_text
from ..zis.actions import Actions, Answer, missing_connection
from ..zis.actions import NoAnswerError as NobodyError
from ..zis.calls import Ask, RefusedError
from ..zis.calls import Handler as ZisHandler
from ..zis.connections import Connections
from ..zis.credentials import prepare
from ..zis.data import MissingError
from ..zis.flows import FailedError, Flow, FlowError, TimeIsUpError
from ..zis.model import Integration, Run, SeenTicket
from ..zis.oauth import OAuth
from ..zis.registry import Registry
from ..zis.webhooks import Webhooks
from .addresses import is_loopback_http
from .calls import Calls, NoAnswerError
from .clock import text_of
from .context import Part
from .front import Front, Handler
from .model import Ticket
from .verdicts import Remark

RUNS = 4
"""How often a flow is run in all while it is answered with 429 or 5xx."""
WAITS = (30, 60, 60)
LONGEST_RETRY_AFTER = 120
TOKEN_SECONDS = 15
LOG_KEPT = timedelta(days=7)


@dataclass
class Delivery:
    """An event on its way to a flow."""

    integration: Integration
    flow_name: str
    event: Any
    due: datetime
    runs: int = 0


@dataclass
class IntegrationServices(Part):
    calls: Calls
    zendesk: httpx2.AsyncClient
    """Leads to Zendesk's own API."""
    _waiting: list[Delivery] = field(default_factory=list)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.zis = self.state.zis
        prepare(self.zis, self.state.new_id)
        self.log.hide(*self.zis.secrets())
        hide, new_id = self.log.hide, self.state.new_id
        self.registry = Registry(
            self.zis,
            new_id,
            hide,
            is_admin=lambda: self.settings.zis_person_is_admin,
            detaches=lambda: self.settings.zis_upload_uninstalls,
            taken=lambda: self.settings.zis_names_taken,
            now=self.clock.now,
            connections=Connections(hide),
            oauth=OAuth(self.zis, hide, lambda: self.settings.address, self._exchange),
            webhooks=Webhooks(self.zis, new_id, hide, self.receive),
        )

    def routes(self, front: Front) -> list[Route]:
        return [
            front.route(path, "zis", _answering(handler), method)
            for method, path, handler in self.registry.calls()
        ]

    # --- What starts flows ----------------------------------------------------------------------------

    def receive(self, integration: Integration, source: str, type_: str, event: Any) -> None:
        """Hand an event to the flows of the installed job specs that wait for it."""
        for spec in integration.job_specs:
            if spec.installed and (spec.event_source, spec.event_type) == (source, type_):
                # Delivery is at least once.
                for _ in range(2 if self.faults.duplicate_events else 1):
                    self._waiting.append(Delivery(integration, spec.flow_name, event, self.clock.now()))

    def look_at_tickets(self) -> None:
        """Tell of what has happened to tickets since they were last looked at."""
        seen = self.zis.tickets_seen
        for ticket in self.state.tickets:
            events = list(_events(ticket, seen.get(ticket.id)))
            sequence = str(uuid.uuid4())
            for position, (type_, more) in enumerate(events, 1):
                meta = {
                    "version": "1.0",
                    "occurred_at": text_of(self.clock.now()),
                    "ref": str(uuid.uuid4()),
                    "sequence": {"id": sequence, "position": position, "total": len(events)},
                }
                event = {"meta": meta, "type": _spaced(type_), **more, "ticket": self._shown(ticket)}
                for integration in self.zis.integrations:
                    self.receive(integration, "support", f"ticket.{type_}", {"ticket_event": event})
            seen[ticket.id] = SeenTicket(
                ticket.status, ticket.subject, {**ticket.fields}, len(ticket.comments)
            )

    def _shown(self, ticket: Ticket) -> dict[str, Any]:
        created = ticket.comments[0].created_at if ticket.comments else self.clock.now()
        nothing = dict.fromkeys(
            ("type", "priority", "submitter_id", "assignee_id", "organization_id", "group_id", "external_id")
        )
        return {
            "id": ticket.id,
            "created_at": text_of(created),
            "updated_at": text_of(self.clock.now()),
            "status": ticket.status,
            "requester_id": ticket.requester_id,
            "brand_id": 1,
            "form_id": 1,
            "tags": ticket.fields.get("tags", []),
            "via": {"channel": "any_channel"},
            **nothing,
        }

    # --- Time -----------------------------------------------------------------------------------------

    def start_due(self) -> None:
        """Start what is due, beside whatever else happens."""
        self.look_at_tickets()
        now = self.clock.now()
        due = [delivery for delivery in self._waiting if delivery.due <= now]
        if self.faults.reorder_events:
            due.reverse()
        self._waiting = [delivery for delivery in self._waiting if delivery.due > now]
        for delivery in due:
            task = asyncio.create_task(self._run(delivery))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def settle(self) -> None:
        """Wait for every flow that is under way, and for those that it starts."""
        self.start_due()
        while self._running:
            await asyncio.gather(*self._running)
            self.start_due()

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    @property
    def next_due(self) -> datetime | None:
        return min((delivery.due for delivery in self._waiting), default=None)

    # --- A run ----------------------------------------------------------------------------------------

    async def _run(self, delivery: Delivery) -> None:
        integration, name = delivery.integration, delivery.flow_name.rpartition(":")[2]
        started = self.clock.now()
        definition = integration.definition("ZIS::Flow", name)
        if definition is None:
            self._note(integration, started, "error", f"The flow {delivery.flow_name} does not exist")
            return
        actions = Actions(
            integration,
            {
                "account_id": 1,
                "integration_key": integration.name,
                "subdomain": self.settings.subdomain,
                "zendeskHost": "zendesk.com",
            },
            self.settings.address,
            is_allowed=lambda url: self.settings.allow_loopback_http and is_loopback_http(url),
            send=self._send,
            remarks=[],
        )
        flow = Flow(self.clock, actions.perform, remarks=actions.remarks)
        delivery.runs += 1
        try:
            if missing := missing_connection(integration, definition):
                text = f"Cannot start flow because the connection named '{missing}' does not exist"
                self._note(integration, started, "error", text)
                return
            message = await flow.run(definition, {**actions.constants, "input": delivery.event})
        except (FlowError, MissingError) as error:
            again = self._again(delivery, error)
            text = f"{getattr(error, 'error', 'States.Runtime')}: {error}"
            self._note(integration, started, "error", text + again, flow)
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            text = f"The flow is not well-formed: {type(error).__name__}: {error}"
            self._note(integration, started, "error", text, flow)
        else:
            status = "warning" if flow.remarks else "info"
            self._note(integration, started, status, message, flow)

    def _again(self, delivery: Delivery, error: Exception) -> str:
        """Run a flow again later if it was answered with 429 or 5xx; say so for the log."""
        status = error.status if isinstance(error, FlowError) else None
        is_final = isinstance(error, FailedError | TimeIsUpError) or delivery.runs >= RUNS
        if is_final or status is None or not (status == 429 or status >= 500):
            return ""
        wait = WAITS[delivery.runs - 1]
        asked = error.retry_after if isinstance(error, FlowError) else None
        if status == 429 and asked and asked.isdecimal():
            wait = min(int(asked), LONGEST_RETRY_AFTER)
        delivery.due = self.clock.now() + timedelta(seconds=wait)
        self._waiting.append(delivery)
        return f" (runs again in {wait} s)"

    async def _exchange(self, url: str, form: dict[str, str]) -> dict[str, Any]:
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        if not url.startswith("https://") and not (
            self.settings.allow_loopback_http and is_loopback_http(url)
        ):
            raise RefusedError(400, f"{url} is not secure: write https")
        try:
            answer = await self._send("POST", url, headers, urlencode(form).encode(), TOKEN_SECONDS)
        except NobodyError as error:
            raise RefusedError(400, f"the token's address did not answer: {error}") from None
        try:
            document = json_text.read(answer.content)
        except ValueError:
            document = None
        if not 200 <= answer.status < 300 or not isinstance(document, dict):
            raise RefusedError(400, f"the token's address answered {answer.status}")
        return document

    async def _send(
        self, method: str, url: str, headers: dict[str, str], content: bytes, seconds: float
    ) -> Answer:
        if url.startswith(f"{self.settings.address}/"):
            try:
                response = await self.zendesk.request(method, url, headers=headers, content=content)
            except httpx2.RequestError as error:
                raise NobodyError(str(error)) from None
            return Answer(response.status_code, response.headers.get("retry-after"), response.content)
        try:
            answer = await self.calls.request("zis_action", method, url, headers, content, seconds)
        except NoAnswerError as error:
            raise NobodyError(str(error)) from None
        return Answer(answer.status, answer.headers.get("retry-after"), answer.content)

    def _note(
        self,
        integration: Integration,
        started: datetime,
        status: Any,
        description: str,
        flow: Flow | None = None,
    ) -> None:
        number = self.zis.runs[-1].number + 1 if self.zis.runs else 1
        states, remarks = (flow.states_run, flow.remarks) if flow else ([], [])
        run = Run(number, integration.name, started, status, description, states, "; ".join(remarks))
        oldest = self.clock.now() - LOG_KEPT
        self.zis.runs = [each for each in [*self.zis.runs, run] if each.started_at > oldest]
        self.context.changes.note()


def _events(ticket: Ticket, before: SeenTicket | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the types of events, without `ticket.`, and what each has beside the ticket."""
    if before is None:
        yield "TicketCreated", {}
        return
    if before.status != ticket.status:
        yield "StatusChanged", {"previous": before.status, "current": ticket.status}
    if before.subject != ticket.subject:
        yield "SubjectChanged", {"previous": before.subject, "current": ticket.subject}
    old, new = (fields.get("tags") or [] for fields in (before.fields, ticket.fields))
    if set(old) != set(new):
        added, removed = [tag for tag in new if tag not in old], [tag for tag in old if tag not in new]
        yield "TagsChanged", {"tags_added": added, "tags_removed": removed}
    for id_, value in ticket.fields.items():
        was = before.fields.get(id_)
        if id_.isdecimal() and was != value:
            yield "CustomFieldChanged", {"custom_field": {"id": id_}, "previous": was, "current": value}
    for comment in ticket.comments[before.comments :]:
        shown = {
            "id": comment.id,
            "body": comment.body,
            "is_public": comment.public,
            "author": {"id": comment.author_id, "is_staff": comment.by_agent},
        }
        yield "CommentAdded", {"comment": shown}


def _spaced(type_: str) -> str:
    """Write `StatusChanged` as events name themselves: `Status Changed`."""
    return "".join(f" {letter}" if letter.isupper() else letter for letter in type_).strip()


def _answering(handler: ZisHandler) -> Handler:
    async def handle(request: Request, content: bytes, remarks: list[Remark]) -> Response:
        ask = Ask(request, content)
        try:
            response = await handler(ask)
        except RefusedError as error:
            response = error.answer
            ask.remarks += [error.why] if error.why else []
        remarks += [Remark("", text) for text in ask.remarks]
        return response

    return handle
