"""Agents' replies on their way to the origin (ZEN-37 to ZEN-46)."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote

from .. import json_text
from .calls import Answer, Calls, NoAnswerError
from .context import Part
from .events import Events
from .model import Account, Comment, File, Manifest, NotDoneError, Ticket
from .verdicts import Remark


class ReplyRefusedError(NotDoneError):
    """Zendesk does not let an agent reply here."""


class Upload(NamedTuple):
    """A file that an agent attaches."""

    name: str
    content: bytes
    content_type: str = "application/octet-stream"


@dataclass
class Channelback(Part):
    calls: Calls
    events: Events
    under_way: set[int] = field(default_factory=set)
    """Ids of the replies that are being sent."""

    async def reply(self, ticket: Ticket, message: str, uploads: Sequence[Upload] = ()) -> Comment:
        """Write a public comment and send it; whether it arrived is in its `external_id` or its `error`.

        Raises ReplyRefusedError.
        """
        comment = self.write(ticket, message, uploads)
        await self.send(ticket, comment)
        return comment

    def write(self, ticket: Ticket, message: str, uploads: Sequence[Upload] = ()) -> Comment:
        """Write a public comment, which is still to be sent. Raises ReplyRefusedError."""
        account, manifest = self.allowed(ticket)
        if uploads and not manifest.channelback_files:
            raise ReplyRefusedError("The manifest does not say channelback_files: replies carry no files.")
        comment = Comment(
            id=self.state.new_id(),
            ticket_id=ticket.id,
            body=message,
            created_at=self.clock.now(),
            by_agent=True,
            parent_id=ticket.latest_resource.external_id if ticket.latest_resource else None,
            request_id=str(uuid.uuid4()),
            request_unique_identifier=str(uuid.uuid4()),
            files=[
                File(name, content_type, content, secrets.token_urlsafe(16), account.id)
                for name, content, content_type in uploads
            ],
        )
        ticket.comments.append(comment)
        ticket.status = "open" if ticket.status == "new" else ticket.status
        return comment

    async def send(self, ticket: Ticket, comment: Comment) -> None:
        """Send a reply, also once more: it goes out under the same `request_unique_identifier`."""
        account, manifest = self.allowed(ticket)
        url, fields = manifest.urls["channelback_url"], self._fields(account, ticket, comment)
        self.under_way.add(comment.id)
        try:
            answer, comment.error = await self._tries(url, fields)
        finally:
            self.under_way.discard(comment.id)
        stored = answer is not None and comment.error is None and self._store(account, comment, answer)
        data = {"integration_instance_name": account.name, "url": url, "request_id": comment.request_id}
        self.events.emit("channelback", data, error=comment.error)
        if stored:
            event = {
                "type_id": "external_id_associated_with_channelback",
                "external_id": comment.external_id,
                "comment_id": comment.id,
                "ticket_id": ticket.id,
            }
            created = {"request_id": comment.request_id, "resource_events": [event]}
            self.events.emit("resources_created_from_external_ids", created)
        await self.events.settle()

    def file_url(self, file: File) -> str:
        return f"{self.settings.address}/attachments/token/{file.token}/?name={quote(file.name, safe='')}"

    def allowed(self, ticket: Ticket) -> tuple[Account, Manifest]:
        """Where an agent's reply goes. Raises ReplyRefusedError."""
        account = next((each for each in self.state.accounts if each.id == ticket.account_id), None)
        manifest = self.state.manifest
        if account is None:
            raise ReplyRefusedError("The account of this ticket has been removed.")
        if manifest is None or "channelback_url" not in manifest.urls:
            raise ReplyRefusedError("The manifest has no channelback_url.")
        if not account.active:
            raise ReplyRefusedError(f"The account {account.name} is not active.")
        if ticket.status == "closed":
            raise ReplyRefusedError("The ticket is closed.")
        if not ticket.allow_channelback:
            raise ReplyRefusedError("The last post says allow_channelback false.")
        return account, manifest

    def _fields(self, account: Account, ticket: Ticket, comment: Comment) -> dict[str, str | list[str]]:
        requester = None if ticket.requester_id is None else self.state.user(ticket.requester_id)
        fields: dict[str, str | list[str]] = {
            "message": comment.body,
            "parent_id": comment.parent_id or "",
            "thread_id": ticket.thread_key,
            "recipient_id": requester.external_id if requester else "",
            "metadata": account.metadata,
            "request_unique_identifier": comment.request_unique_identifier or "",
        }
        if comment.files:
            fields["file_urls[]"] = [self.file_url(file) for file in comment.files]
        return fields

    async def _tries(self, url: str, fields: dict[str, str | list[str]]) -> tuple[Answer | None, str | None]:
        """Post until there is an answer that stands; give the last one, and why it is no success."""
        settings = self.settings
        answer, failure, dropped = None, "no try was made", ""
        for number in range(settings.channelback_tries):
            if number:
                await self.clock.sleep(settings.channelback_retry_after)
            try:
                answer = await self.calls.post_form("channelback", url, fields, settings.channelback_timeout)
            except NoAnswerError as error:
                answer, failure, dropped = (
                    None,
                    str(error),
                    _external_id(error.exchange.response_body) or dropped,
                )
                continue
            if answer.is_success:
                if dropped and _external_id(answer.content) != dropped:
                    wrong = f"the answer that was dropped on the way said {dropped}: it has been posted twice"
                    answer.remark(Remark("/external_id", wrong, ("SVC-48",), refused=False))
                return answer, None
            text = self.log.masked(answer.text)[:500]
            failure = f"the reply was answered with {answer.status}: {text}"
            if 300 <= answer.status < 400:
                answer.remark(Remark("", failure, ("SVC-47",), "Answer 200 at the address itself."))
            if answer.status not in settings.channelback_statuses_to_repeat:
                break
        return answer, failure

    def _store(self, account: Account, comment: Comment, answer: Answer) -> bool:
        """Take what the answer says; a refused one leaves its fault in the comment."""
        answer.must_be_json("SVC-47")
        found = answer.check("channelback-response")
        empty = "/external_id"
        refusals = [
            remark
            for remark in found.refusals
            if not (self._may_be_empty(found.value) and remark.pointer == empty)
        ]
        if refusals:
            comment.error = str(refusals[0])
            return False
        if answer.status != 200:
            answer.remark(Remark("", f"answered with {answer.status}, not 200", ("SVC-47",), refused=False))
        comment.external_id = found.value["external_id"] or None
        for other in self.state.comments(account):
            if other is not comment and other.external_id == comment.external_id is not None:
                # A pull was quicker than this answer. Both stand on the ticket, and the id means the reply.
                other.external_id = None
        comment.allow_channelback = found.value.get("allow_channelback", True)
        account.metadata = found.value.get("metadata", account.metadata)
        account.needs_update = found.value.get("metadata_needs_update", account.needs_update)
        self.log.hide(account.metadata)
        return comment.external_id is not None

    def _may_be_empty(self, value: object) -> bool:
        takes_empty = self.settings.channelback_takes_empty_id
        return takes_empty and isinstance(value, dict) and value.get("external_id") == ""


def _external_id(content: bytes) -> str:
    """The id in an answer, whatever else is wrong with it."""
    try:
        document = json_text.read(content)
    except ValueError:
        return ""
    return str(document.get("external_id", "")) if isinstance(document, dict) else ""
