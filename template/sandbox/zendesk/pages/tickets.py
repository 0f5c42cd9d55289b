"""Agent Workspace: tickets, their comments, and what agents do with them."""

from typing import cast, get_args
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ..channelback import ReplyRefusedError, Upload
from ..model import Comment, Status, Ticket, UnknownError
from .apps import with_apps
from .pages import Pages

IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")


class TicketPages(Pages):
    def routes(self) -> list[Route]:
        ticket, comment = "/agent/tickets/{ticket:number}", "/agent/comments/{comment:number}"
        return [
            self.route("/agent", self.read_all),
            self.route(ticket, self.read),
            self.route(f"{ticket}/status", self.change_status, "POST"),
            self.route(f"{ticket}/comments", self.write, "POST"),
            self.route(f"{comment}/send", self.send_again, "POST"),
            self.route(f"{comment}/files/{{file:number}}", self.read_file),
        ]

    async def read_all(self, request: Request) -> Response:
        status, account = (request.query_params.get(name, "") for name in ("status", "account"))
        tickets = [
            ticket
            for ticket in reversed(self.zendesk.tickets)
            if status in ("", ticket.status) and account in ("", str(ticket.account_id))
        ]
        return self.show("tickets.html", {"tickets": tickets, "status": status, "account": account})

    async def read(self, request: Request) -> Response:
        return self._page(request, self._ticket(request))

    async def change_status(self, request: Request) -> None:
        ticket, status = self._ticket(request), (await request.form()).get("status")
        if status not in get_args(Status):
            raise UnknownError(f"A ticket that is {ticket.status} cannot become {status}.")
        self.zendesk.set_status(ticket, cast("Status", status))

    async def write(self, request: Request) -> Response:
        """Write a note or a reply; a reply is sent when the browser has the page again."""
        ticket, form = self._ticket(request), await request.form()
        message = str(form.get("message", "")).replace("\r\n", "\n").strip()
        files = [each for each in form.getlist("files") if isinstance(each, UploadFile) and each.filename]
        uploads = [Upload(str(each.filename), await each.read(), str(each.content_type)) for each in files]
        if form.get("kind") == "note":
            self.zendesk.note(ticket, message)
            return RedirectResponse(f"/agent/tickets/{ticket.id}", 303)
        try:
            comment = self.zendesk.channelback.write(ticket, message, uploads)
        except ReplyRefusedError as error:
            return self._page(request, ticket, 422, typed=message, refusal=str(error))
        return self._sending(ticket, comment)

    async def send_again(self, request: Request) -> Response:
        comment = self.zendesk.state.comment(request.path_params["comment"])
        ticket = self.zendesk.state.ticket(comment.ticket_id)
        self.zendesk.channelback.allowed(ticket)
        if not comment.error or comment.external_id or comment.id in self.zendesk.channelback.under_way:
            raise ReplyRefusedError("Only a reply that did not arrive is sent again.")
        return self._sending(ticket, comment)

    async def read_file(self, request: Request) -> Response:
        """Show a picture; hand anything else over to be kept."""
        files = self.zendesk.state.comment(request.path_params["comment"]).files
        for file in files[request.path_params["file"] :]:
            kind = "inline" if file.content_type in IMAGES else "attachment"
            headers = {
                "content-disposition": f"{kind}; filename*=UTF-8''{quote(file.name, safe='')}",
                "content-security-policy": "default-src 'none'; sandbox",
                "x-content-type-options": "nosniff",
            }
            return Response(file.content, 200, headers, file.content_type)
        raise UnknownError("There is no such file.")

    def _sending(self, ticket: Ticket, comment: Comment) -> Response:
        task = BackgroundTask(self.zendesk.channelback.send, ticket, comment)
        return RedirectResponse(f"/agent/tickets/{ticket.id}#c{comment.id}", 303, background=task)

    def _ticket(self, request: Request) -> Ticket:
        return self.zendesk.state.ticket(request.path_params["ticket"])

    def _page(
        self, request: Request, ticket: Ticket, status: int = 200, typed: str = "", refusal: str = ""
    ) -> Response:
        via = self.zendesk.via(ticket) if self.zendesk.state.manifest else {}
        shut = ""
        try:
            self.zendesk.channelback.allowed(ticket)
        except ReplyRefusedError as error:
            shut = str(error)
        typing = {"shut": shut, "typed": typed, "refusal": refusal}
        context = {"ticket": ticket, "via": via, "images": IMAGES, **typing}
        frames = self.zendesk.hosting.frames("ticket_sidebar", request, ticket)
        return with_apps(self, request, "ticket.html", context, frames, status)
