"""Zendesk's API for tickets and users, as far as apps beside a ticket use it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ... import json_text
from ...zis.credentials import CSRF, SESSION
from ..context import Part
from ..front import Front, Handler, RefusedError
from ..imports import via
from ..model import Comment, NotDoneError, Status, Ticket, User
from ..verdicts import Remark
from .fields import AGENT_ID

Json = dict[str, Any]


@dataclass
class Rest(Part):
    reply: Callable[[Ticket, str], Awaitable[object]]
    note: Callable[[Ticket, str], object]

    def routes(self, front: Front) -> list[Route]:
        ticket, user = "/api/v2/tickets/{ticket:number}", "/api/v2/users/{user:number}"
        reads: list[tuple[str, Callable[[Request], Json]]] = [
            ("/api/v2/tickets", self._tickets),
            (ticket, lambda request: {"ticket": self._shown(self._ticket(request))}),
            (f"{ticket}/comments", self._comments),
            ("/api/v2/users/me", lambda _: {"user": self._agent()}),
            (user, self._user),
        ]
        found = [
            front.route(each, "app", self._reading(read), "GET")
            for path, read in reads
            for each in (path, f"{path}.json")
        ]
        return [
            *found,
            *(front.route(each, "app", self._write, "PUT") for each in (ticket, f"{ticket}.json")),
        ]

    def _reading(self, read: Callable[[Request], Json]) -> Handler:
        async def handle(request: Request, content: bytes, remarks: list[Remark]) -> Response:
            self._authorised(request)
            return JSONResponse(read(request))

        return handle

    async def _write(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        self._authorised(request)
        ticket = self._ticket(request)
        try:
            asked = dict(json_text.read(content)["ticket"])
            comment = dict(asked.get("comment") or {})
            fields = {str(each["id"]): each["value"] for each in asked.get("custom_fields") or []}
        except (ValueError, KeyError, TypeError):
            raise RefusedError(422, "RecordInvalid", 'Send {"ticket": {…}}.') from None
        if asked.get("status", ticket.status) not in get_args(Status):
            raise RefusedError(422, "RecordInvalid", f"Status: {asked['status']} is not valid here")
        text = str(comment.get("body") or comment.get("html_body") or "")
        try:
            if text and comment.get("public", True):
                await self.reply(ticket, text)
            elif text:
                self.note(ticket, text)
        except NotDoneError as error:
            raise RefusedError(422, "RecordInvalid", str(error)) from None
        ticket.status = asked.get("status", ticket.status)
        ticket.subject = str(asked.get("subject", ticket.subject))
        ticket.fields |= fields
        self.context.changes.note()
        return JSONResponse({"ticket": self._shown(ticket)})

    def _tickets(self, request: Request) -> Json:
        return {"tickets": [self._shown(ticket) for ticket in self.state.tickets], "next_page": None}

    def _comments(self, request: Request) -> Json:
        ticket = self._ticket(request)
        return {"comments": [self._comment(ticket, each) for each in ticket.comments], "next_page": None}

    def _user(self, request: Request) -> Json:
        number = request.path_params["user"]
        if number == AGENT_ID:
            return {"user": self._agent()}
        for user in self.state.users:
            if user.id == number:
                return {"user": _customer(user)}
        raise RefusedError(404, "RecordNotFound", "Not found")

    def _ticket(self, request: Request) -> Ticket:
        for ticket in self.state.tickets:
            if ticket.id == request.path_params["ticket"]:
                return ticket
        raise RefusedError(404, "RecordNotFound", "Not found")

    def _authorised(self, request: Request) -> None:
        """Take an agent's session in the browser, which writes with a token only, and any other credentials."""
        session = self.state.zis.session
        if request.headers.get("authorization"):
            return
        if request.cookies.get(SESSION) != session:
            raise RefusedError(401, "Couldn't authenticate you", "There are no credentials.")
        if request.method != "GET" and request.headers.get(CSRF) != session:
            raise RefusedError(403, "Forbidden", "A session writes with X-CSRF-Token only.")

    def _agent(self) -> Json:
        email = f"agent@{self.settings.subdomain}.example"
        shown = {"id": AGENT_ID, "name": "Agent", "email": email, "role": "admin", "verified": True}
        return shown | {"locale": self.settings.locale, "time_zone": "UTC"}

    def _shown(self, ticket: Ticket) -> Json:
        account = next((each for each in self.state.accounts if each.id == ticket.account_id), None)
        times = [each.created_at.isoformat() for each in ticket.comments]
        custom = [{"id": id_, "value": value} for id_, value in ticket.fields.items()]
        return {
            "id": ticket.id,
            "url": f"{self.settings.address}/api/v2/tickets/{ticket.id}.json",
            "external_id": None,
            "via": via(self.state.manifest, account) if self.state.manifest else {"channel": "api"},
            "created_at": times[0] if times else None,
            "updated_at": times[-1] if times else None,
            "subject": ticket.subject,
            "raw_subject": ticket.subject,
            "description": ticket.comments[0].body if ticket.comments else "",
            "status": ticket.status,
            "requester_id": ticket.requester_id,
            "submitter_id": ticket.requester_id,
            "followup_source_id": ticket.follow_up_of,
            "allow_channelback": ticket.allow_channelback,
            "tags": ticket.fields.get("tags", []),
            "custom_fields": custom,
            "fields": custom,
        }

    def _comment(self, ticket: Ticket, comment: Comment) -> Json:
        return {
            "id": comment.id,
            "type": "Comment",
            "author_id": AGENT_ID if comment.by_agent else comment.author_id,
            "body": comment.body,
            "html_body": comment.html_body or comment.body,
            "plain_body": comment.body,
            "public": comment.public,
            "created_at": comment.created_at.isoformat(),
            "attachments": [
                {
                    "file_name": file.name,
                    "content_type": file.content_type,
                    "size": len(file.content),
                    "content_url": f"{self.settings.address}/agent/comments/{comment.id}/files/{number}",
                }
                for number, file in enumerate(comment.files)
            ],
        }


def _customer(user: User) -> Json:
    shown = {"id": user.id, "name": user.name, "role": "end-user", "external_id": user.external_id}
    return shown | {"locale": user.locale, "email": None}
