"""What Zendesk knows: the integration, its accounts, and the users, tickets and comments that came of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import ConfigDict

from ..zis.model import ZisState

T = TypeVar("T")

Status = Literal["new", "open", "solved", "closed"]


class NotDoneError(Exception):
    """Zendesk did not do what a person asked; the text says why."""


class UnknownError(NotDoneError, LookupError):
    """There is no such account, ticket, user or integration."""


@dataclass
class Manifest:
    """What Zendesk keeps of a manifest. The URLs are complete; a feature whose URL is missing is off (ZEN-04)."""

    url: str
    name: str
    id: str
    urls: dict[str, str]
    fetched_at: datetime
    version: str | None = None
    author: str | None = None
    push_client_id: str | None = None
    channelback_files: bool = False
    create_followup_tickets: bool = True


@dataclass
class Token:
    text: str
    push_id: str
    minted_at: datetime
    revoked: bool = False
    given: bool = False
    """The service has it for certain: it used it, or its form came back."""


@dataclass
class Account:
    """An integration instance: one connection that an admin has made."""

    id: int
    name: str
    metadata: str
    state: str
    push_id: str
    next_pull: datetime
    active: bool = True
    needs_update: bool = False
    """The service asks that an admin opens the account again (ZEN-18)."""
    failures: int = 0
    last_error: str | None = None


@dataclass
class User:
    """An end user, known by the id that the service gave."""

    id: int
    account_id: int
    external_id: str
    name: str
    image_url: str | None = None
    locale: str | None = None
    fields: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class File:
    __pydantic_config__ = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    name: str
    content_type: str
    content: bytes
    token: str
    account_id: int
    """Whose push token opens it (ZEN-45)."""


@dataclass
class Comment:
    """What stands on a ticket: a customer's resource, or what an agent wrote."""

    id: int
    ticket_id: int
    body: str
    created_at: datetime
    author_id: int | None = None
    """The customer; None for an agent, and for a customer whose data were erased."""
    by_agent: bool = False
    html_body: str | None = None
    public: bool = True
    external_id: str | None = None
    parent_id: str | None = None
    request_id: str | None = None
    """Of the request that brought it, or of the reply's first try."""
    request_unique_identifier: str | None = None
    allow_channelback: bool = True
    display_info: dict[str, Any] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    error: str | None = None
    """Why the reply did not reach the origin, or why a file did not reach us."""


@dataclass
class Ticket:
    id: int
    account_id: int
    subject: str
    requester_id: int | None
    """None when it was changed to someone who is not of this channel."""
    thread_key: str
    status: Status = "new"
    fields: dict[str, Any] = field(default_factory=dict)
    follow_up_of: int | None = None
    comments: list[Comment] = field(default_factory=list)

    @property
    def latest_resource(self) -> Comment | None:
        """The last comment that the service knows, a customer's or a reply that arrived."""
        return next((comment for comment in reversed(self.comments) if comment.external_id), None)

    @property
    def allow_channelback(self) -> bool:
        latest = self.latest_resource
        return latest is not None and latest.allow_channelback


@dataclass
class App:
    """An app of the account, whose installation brought the channel or something else."""

    __pydantic_config__ = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    id: int
    name: str
    version: str
    description: str
    manifest_url: str | None
    """Of the channel that it installs, if it installs one."""
    logo: bytes = b""
    settings: dict[str, Any] = field(default_factory=dict)
    """What an admin has filled in, or the default, by the parameter's name."""
    secure: list[str] = field(default_factory=list)
    """Parameters whose values nobody is shown."""
    kinds: dict[str, str] = field(default_factory=dict)
    """What a parameter is, such as `checkbox`; a text where nothing is said."""
    required: list[str] = field(default_factory=list)
    installed: bool = False
    remarks: list[str] = field(default_factory=list)
    """What Zendesk took and would rather have seen otherwise."""
    places: dict[str, str] = field(default_factory=dict)
    """URLs of the pages that agents see, by the place in Zendesk Support."""
    signed: bool = False
    """Whether pages of its own server are asked for with a token of Zendesk's."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Of the package; none where they lie in a folder."""
    folder: str = ""
    """Where the files are read each time, so that a page that is reloaded shows what was changed."""
    domains: list[str] = field(default_factory=list)
    """Where its secrets may be sent."""
    scopes: dict[str, list[str]] = field(default_factory=dict)
    """In which part of a request a secure parameter may stand."""


@dataclass
class State:
    """Everything that a session is resumed from."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    manifest: Manifest | None = None
    accounts: list[Account] = field(default_factory=list)
    users: list[User] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    zis: ZisState = field(default_factory=ZisState)
    apps: list[App] = field(default_factory=list)
    last_id: int = 0

    def new_id(self) -> int:
        self.last_id += 1
        return self.last_id

    @property
    def installed(self) -> Manifest:
        """The manifest of the integration. Raises UnknownError if none is installed."""
        if self.manifest is None:
            raise UnknownError("No integration is installed.")
        return self.manifest

    def account(self, account_id: int) -> Account:
        return _found((each for each in self.accounts if each.id == account_id), f"account {account_id}")

    def account_of_push_id(self, push_id: str) -> Account | None:
        return next((each for each in self.accounts if each.push_id == push_id), None)

    def ticket(self, ticket_id: int) -> Ticket:
        return _found((each for each in self.tickets if each.id == ticket_id), f"ticket {ticket_id}")

    def app(self, app_id: int) -> App:
        return _found((each for each in self.apps if each.id == app_id), f"app {app_id}")

    def user(self, user_id: int) -> User:
        return _found((each for each in self.users if each.id == user_id), f"user {user_id}")

    def comment(self, comment_id: int) -> Comment:
        return _found((each for each in self.comments() if each.id == comment_id), f"comment {comment_id}")

    def comments(self, account: Account | None = None) -> Iterator[Comment]:
        """All comments, or those on an account's tickets."""
        for ticket in self.tickets:
            if account is None or ticket.account_id == account.id:
                yield from ticket.comments


def _found(matches: Iterator[T], what: str) -> T:
    for match in matches:
        return match
    raise UnknownError(f"There is no {what}.")
