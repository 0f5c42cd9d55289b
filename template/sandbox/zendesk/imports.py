"""How pulled and pushed resources become tickets and comments (ZEN-25 to ZEN-36)."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, cast, get_args
from urllib.parse import unquote, urlsplit

from .addresses import is_secure, resolved
from .calls import Calls, NoAnswerError
from .context import Part
from .model import Account, Comment, File, Manifest, Status, Ticket, User
from .verdicts import Remark

Resource = dict[str, Any]
Code = Literal[
    "success",
    "already_imported",
    "could_not_locate_parent_external_resource",
    "processing_error",
    "halted",
]

LONGEST_SUBJECT = 150
VIA = "any_channel"


@dataclass
class Result:
    """What became of one resource, in the words of the push API."""

    external_id: str
    code: str
    description: str | None = None
    comment: Comment | None = None
    """The new one, or the one that there was already."""
    event: dict[str, Any] | None = None
    """Its entry in `resources_created_from_external_ids`."""


class Found(NamedTuple):
    ticket: Ticket | None
    thread_key: str


@dataclass
class Imports(Part):
    calls: Calls

    async def take(self, account: Account, resource: Resource, request_id: str, *, pushed: bool) -> Result:
        """Import one resource whose form has been checked."""
        if refusal := self._refusal(account, resource, pushed=pushed):
            return refusal
        files, error = await self._files(account, resource.get("file_urls", []))
        # While files were on their way, the same may have come by another.
        return self._refusal(account, resource, pushed=pushed) or self._add(
            account, resource, request_id, files, error
        )

    def _refusal(self, account: Account, resource: Resource, *, pushed: bool) -> Result | None:
        """Why a resource is not imported, if it is not."""
        external_id: str = resource["external_id"]
        if account not in self.state.accounts:
            return Result(external_id, "processing_error", "the account has been removed")
        if known := self.find(account, external_id):
            return Result(external_id, "already_imported", comment=known)
        if "parent_id" in resource and "thread_id" in resource:
            wrong = "parent_id and thread_id exclude each other (SVC-38)"
            return Result(external_id, "processing_error", wrong)
        strict = pushed or self.settings.unknown_parent_fails_pull
        if strict and self._thread(account, resource) is None:
            code: Code = "could_not_locate_parent_external_resource"
            return Result(external_id, code, resource["parent_id"])
        return None

    def find(self, account: Account, external_id: str) -> Comment | None:
        """The comment of an id that was imported, or that a channelback gave."""
        scope = account if self.settings.external_ids_are_per_account else None
        return next((each for each in self.state.comments(scope) if each.external_id == external_id), None)

    def _thread(self, account: Account, resource: Resource) -> Found | None:
        """The ticket that a resource belongs to, if it is there already; None if its parent is unknown."""
        if "parent_id" in resource:
            parent = self.find(account, resource["parent_id"])
            if parent is None:
                return None
            thread_key = self.state.ticket(parent.ticket_id).thread_key
        else:
            thread_key = str(resource.get("thread_id", resource["external_id"]))
        tickets = [
            ticket
            for ticket in self.state.tickets
            if ticket.account_id == account.id and ticket.thread_key == thread_key
        ]
        return Found(tickets[-1] if tickets else None, thread_key)

    def _add(
        self, account: Account, resource: Resource, request_id: str, files: list[File], error: str | None
    ) -> Result:
        created_at = _moment(resource["created_at"])
        found = self._thread(account, resource) or Found(None, resource["external_id"])
        author = self._author(account, resource["author"])
        ticket, event_type = found.ticket, "comment_on_existing_ticket"
        closed = ticket if ticket and ticket.status == "closed" else None
        if ticket is None or closed:
            follows = closed if closed and self.state.installed.create_followup_tickets else None
            ticket = self._new_ticket(account, resource, author, found.thread_key, follows)
            event_type = "comment_on_follow_up_ticket" if follows else "comment_on_new_ticket"
        elif ticket.status == "solved" and self.settings.solved_tickets_reopen:
            ticket.status = "open"
        comment = Comment(
            id=self.state.new_id(),
            ticket_id=ticket.id,
            body=resource["message"],
            created_at=created_at,
            author_id=author.id,
            html_body=resource.get("html_message"),
            public=not resource.get("internal_note", False),
            external_id=resource["external_id"],
            parent_id=resource.get("parent_id"),
            request_id=request_id,
            allow_channelback=resource.get("allow_channelback", True),
            display_info={entry["type"]: entry["data"] for entry in resource.get("display_info", [])},
            files=files,
            error=error,
        )
        ticket.comments.append(comment)
        event = {"type_id": event_type, "external_id": comment.external_id, "comment_id": comment.id}
        if ticket.follow_up_of and event_type == "comment_on_follow_up_ticket":
            event |= {"ticket_id": ticket.follow_up_of, "follow_up_ticket_id": ticket.id}
        else:
            event["ticket_id"] = ticket.id
        return Result(resource["external_id"], "success", comment=comment, event=event)

    def _new_ticket(
        self, account: Account, resource: Resource, author: User, thread_key: str, follows: Ticket | None
    ) -> Ticket:
        """Open a ticket; only now do the resource's `fields` count (ZEN-30)."""
        fields = {str(entry["id"]): entry["value"] for entry in resource.get("fields", [])}
        status = fields.get("status")
        ticket = Ticket(
            id=self.state.new_id(),
            account_id=account.id,
            subject=str(fields.get("subject") or _subject(resource["message"])),
            requester_id=author.id,
            thread_key=thread_key,
            status=cast("Status", status) if status in get_args(Status) else "new",
            fields=fields,
            follow_up_of=follows.id if follows else None,
        )
        self.state.tickets.append(ticket)
        return ticket

    def _author(self, account: Account, author: Resource) -> User:
        """The user of an author, who is made when first seen and named after the id if nothing else (ZEN-32)."""
        told: Resource = {"name": author["external_id"]} | {
            key: value for key, value in author.items() if key in ("name", "image_url", "locale", "fields")
        }
        for user in self.state.users:
            if (user.account_id, user.external_id) == (account.id, author["external_id"]):
                if self.settings.users_follow_their_author:
                    for key, value in told.items():
                        setattr(user, key, value)
                return user
        user = User(self.state.new_id(), account.id, author["external_id"], **told)
        self.state.users.append(user)
        return user

    async def _files(self, account: Account, urls: list[str]) -> tuple[list[File], str | None]:
        """Fetch a resource's files; one that does not come is left out, and said so."""
        files, errors = [], []
        for relative in urls:
            url = resolved(self.state.installed.url, relative)
            try:
                files.append(await self._file(account, url))
            except _FileError as error:
                errors.append(f"{url}: {error}")
        return files, "; ".join(errors) or None

    async def _file(self, account: Account, url: str) -> File:
        if not is_secure(url, self.settings):
            raise _FileError("it is not an https URL")
        name = unquote(urlsplit(url).path.rpartition("/")[2]) or "file"
        status = 0
        for method in self.settings.file_methods:
            try:
                answer = await self.calls.fetch(method, url, self.settings.file_timeout)
            except NoAnswerError as error:
                raise _FileError(str(error)) from None
            if answer.is_success:
                kind = answer.headers.get("content-type", "")
                if not kind:
                    answer.remark(Remark("", "the file has no Content-Type", ("SVC-43",), refused=False))
                return File(
                    name,
                    kind or "application/octet-stream",
                    answer.content,
                    secrets.token_urlsafe(16),
                    account.id,
                )
            status = answer.status
            remedy = "Answer POST as well as GET."
            answer.remark(Remark("", f"{method} for a file was answered with {status}", ("SVC-43",), remedy))
        raise _FileError(f"it was answered with {status}")


class _FileError(Exception):
    """A file did not come."""


def via(manifest: Manifest, account: Account | None) -> dict[str, Any]:
    """How a ticket says where it came from (ZEN-34)."""
    service_info = {
        "supports_channelback": "channelback_url" in manifest.urls,
        "supports_clickthrough": "clickthrough_url" in manifest.urls,
        "registered_integration_service_name": manifest.name,
        "registered_integration_service_external_id": manifest.id,
        "integration_service_instance_name": account.name if account else None,
    }
    return {"channel": VIA, "source": {"from": {"service_info": service_info}}}


def resource_events(results: list[Result], request_id: str) -> Iterator[dict[str, Any]]:
    """The `data` of the event that tells what became of resources, if any came in."""
    if events := [result.event for result in results if result.event]:
        yield {"request_id": request_id, "resource_events": events}


def _moment(text: str) -> datetime:
    """Read a date-time of RFC 3339, of which Python takes neither small letters nor leap seconds."""
    return datetime.fromisoformat(re.sub(r":60(?=[.Z+-])", ":59", text.upper()))


def _subject(message: str) -> str:
    """Zendesk makes a subject of the text where none is given."""
    return " ".join(message.split())[:LONGEST_SUBJECT]
