"""What Zendesk's published schemas accept, restated: which keys each message has, of what type, within what limits.

The facts are those of https://github.com/zendesk/any_channel_json_schemas, version 0.15.0, read as they were meant.
The type "time" is a date-time, the type "any" is no rule, what stands beside a reference counts, and every event
type has data of its own. Nothing else is repaired: unknown keys pass, a post may name both its parent and its
thread, ids need not be ASCII, and no relative URL passes. Where ours decide otherwise, schemas/exceptions.json says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):(\d\d)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)


class Refusal(NamedTuple):
    """Where a message is refused, as a JSON pointer, and the keyword of JSON Schema that says so."""

    pointer: str
    keyword: str


class Shape(Protocol):
    def refusals(self, value: Any, at: str = "") -> Iterator[Refusal]: ...


def is_date_time(value: str) -> bool:
    """Tell whether a string is a date-time of RFC 3339, which may name a leap second at any time."""
    if not (match := DATE_TIME.fullmatch(value)):
        return False
    date, minutes, seconds, _, offset, _ = match.groups()
    if int(seconds) > 60:
        return False
    try:
        datetime.fromisoformat(f"{date}T{minutes}:{min(int(seconds), 59):02}{offset.upper()}")
    except ValueError:
        return False
    return True


FORMS: dict[str, Callable[[str], bool]] = {
    "https-url": lambda value: value.lower().startswith("https:"),
    "external-id": lambda value: value == value.strip(),
    "date-time": is_date_time,
}


@dataclass(frozen=True)
class Text:
    least: int = 0
    most: int | None = None
    form: str = ""
    words: tuple[str, ...] = ()
    or_integer: bool = False

    def refusals(self, value: Any, at: str = "") -> Iterator[Refusal]:
        if self.or_integer and is_number(value) and value == int(value):
            return
        if not isinstance(value, str):
            yield Refusal(at, "type")
        elif len(value) < self.least:
            yield Refusal(at, "minLength")
        elif self.most is not None and len(value) > self.most:
            yield Refusal(at, "maxLength")
        elif self.words and value not in self.words:
            yield Refusal(at, "enum")
        elif self.form and not FORMS[self.form](value):
            yield Refusal(at, "format")


@dataclass(frozen=True)
class Flag:
    def refusals(self, value: Any, at: str = "") -> Iterator[Refusal]:
        if not isinstance(value, bool):
            yield Refusal(at, "type")


@dataclass(frozen=True)
class Number:
    def refusals(self, value: Any, at: str = "") -> Iterator[Refusal]:
        if not is_number(value):
            yield Refusal(at, "type")


@dataclass(frozen=True)
class Anything:
    def refusals(self, value: Any, at: str = "") -> Iterator[Refusal]:  # noqa: ARG002 - as for every shape
        yield from ()


@dataclass(frozen=True)
class Items:
    of: Shape
    most: int | None = None

    def refusals(self, value: Any, at: str = "") -> Iterator[Refusal]:
        if not isinstance(value, list):
            yield Refusal(at, "type")
            return
        if self.most is not None and len(value) > self.most:
            yield Refusal(at, "maxItems")
        for index, item in enumerate(value):
            yield from self.of.refusals(item, f"{at}/{index}")


@dataclass(frozen=True)
class Record:
    needed: tuple[str, ...] = ()
    members: Mapping[str, Shape] = field(default_factory=dict)

    def refusals(self, value: Any, at: str = "") -> Iterator[Refusal]:
        """Yield what is wrong, a missing value at the place where it belongs."""
        if not isinstance(value, dict):
            yield Refusal(at, "type")
            return
        yield from (Refusal(f"{at}/{key}", "required") for key in self.needed if key not in value)
        for key, member in self.members.items():
            if key in value:
                yield from member.refusals(value[key], f"{at}/{key}")


@dataclass(frozen=True)
class ByType:
    """An object whose `type_id` decides what else it has to be."""

    common: Record
    cases: Mapping[str, Record]

    def refusals(self, value: Any, at: str = "") -> Iterator[Refusal]:
        yield from self.common.refusals(value, at)
        type_id = value.get("type_id") if isinstance(value, dict) else None
        if isinstance(type_id, str) and type_id in self.cases:
            yield from self.cases[type_id].refusals(value, at)


def is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


# --- The messages -------------------------------------------------------------------------------

NAME = Text(1, 255)
LINE = Text(0, 511)
URL = Text(0, 511, "https-url")
EXTERNAL_ID = Text(1, 255, "external-id")
PROGRESS = Text(0, 5000)

MANIFEST = Record(
    ("name", "id", "urls"),
    {
        "name": NAME,
        "id": Text(1, 511),
        "version": NAME,
        "author": NAME,
        "push_client_id": Text(1, 128),
        "channelback_files": Flag(),
        "create_followup_tickets": Flag(),
        "urls": Record(
            ("admin_ui",),
            {
                "admin_ui": URL,
                "pull_url": URL,
                "channelback_url": URL,
                "clickthrough_url": URL,
                "healthcheck_url": URL,
                "about_url": URL,
                "dashboard_url": URL,
                "event_callback_url": URL,
            },
        ),
    },
)

FIELDS = Items(Record(("id", "value"), {"id": Text(1, 255, or_integer=True), "value": Anything()}), 64)

EXTERNAL_RESOURCE = Record(
    ("external_id", "message", "author", "created_at"),
    {
        "external_id": EXTERNAL_ID,
        "message": Text(1, 65535),
        "html_message": Text(1, 65535),
        "internal_note": Flag(),
        "parent_id": EXTERNAL_ID,
        "thread_id": EXTERNAL_ID,
        "created_at": Text(0, 255, "date-time"),
        "author": Record(
            ("external_id",),
            {
                "external_id": EXTERNAL_ID,
                "name": NAME,
                "image_url": Text(1, 511),
                "locale": NAME,
                "fields": FIELDS,
            },
        ),
        "display_info": Items(Record(("type", "data"), {"type": NAME, "data": Record()}), 16),
        "allow_channelback": Flag(),
        "fields": FIELDS,
        "file_urls": Items(URL, 64),
    },
)

PULL_PAYLOAD = Record(
    ("external_resources",),
    {
        "external_resources": Items(EXTERNAL_RESOURCE, 256),
        "state": PROGRESS,
        "metadata": PROGRESS,
        "metadata_needs_update": Flag(),
    },
)

PUSH_PARAMETERS = Record(
    ("instance_push_id", "external_resources"),
    {
        "instance_push_id": NAME,
        "request_id": Text(1, 64),
        "external_resources": Items(EXTERNAL_RESOURCE, 256),
    },
)


def _channelback_payload(external_id: Text) -> Record:
    return Record(
        ("external_id",),
        {
            "external_id": external_id,
            "allow_channelback": Flag(),
            "metadata": PROGRESS,
            "metadata_needs_update": Flag(),
        },
    )


REPORT_CHANNELBACK_ERROR = Record(
    ("instance_push_id", "external_id"),
    {
        "instance_push_id": NAME,
        "external_id": Text(0, 255, "external-id"),
        "description": LINE,
        "request_id": Text(1, 64),
    },
)


def _data(*needed: str, **members: Shape) -> Record:
    return Record(("data",), {"data": Record(needed, members)})


def _of_text(*needed: str, **members: Shape) -> Record:
    """Describe data whose mandatory values are text unless `members` says otherwise."""
    return _data(*needed, **{key: Text() for key in needed} | members)


HTTPS = Text(form="https-url")
INTEGRATION = _of_text("manifest_url", manifest_url=HTTPS)
ACCOUNT = _of_text("metadata")
DEACTIVATION = _of_text(
    "metadata", "deactivated_by", deactivated_by=Text(words=("error", "api")), deactivating_error=Text()
)
PERSON = _data("author", author=Record(("external_id",), {"external_id": Text()}), metadata=Text())
DUPLICATE = Record(
    ("external_id", "request_id"),
    {"external_id": Text(), "request_id": Text(), "ticket_id": Number(), "comment_id": Number()},
)
EXCHANGE = ("integration_instance_name", "url", "request_id")

RESOURCE_EVENT_CASES = {
    "comment_on_new_ticket": Record(),
    "comment_on_existing_ticket": Record(),
    "comment_on_follow_up_ticket": Record(("follow_up_ticket_id",), {"follow_up_ticket_id": Number()}),
    "external_id_associated_with_channelback": Record(),
}
RESOURCE_EVENT = ByType(
    Record(
        ("type_id", "external_id", "comment_id", "ticket_id"),
        {
            "type_id": Text(words=tuple(RESOURCE_EVENT_CASES)),
            "external_id": Text(),
            "comment_id": Number(),
            "ticket_id": Number(),
        },
    ),
    RESOURCE_EVENT_CASES,
)

EVENT_CASES = {
    "create_integration": INTEGRATION,
    "destroy_integration": INTEGRATION,
    "create_integration_instance": ACCOUNT,
    "destroy_integration_instance": ACCOUNT,
    "activate_integration_instance": ACCOUNT,
    "deactivate_integration_instance": DEACTIVATION,
    "destroy_user_identity": PERSON,
    "pull_request": _of_text(
        *EXCHANGE, "duplicate_external_ids", url=HTTPS, duplicate_external_ids=Items(DUPLICATE)
    ),
    "resources_created_from_external_ids": _of_text(
        "request_id", "resource_events", resource_events=Items(RESOURCE_EVENT)
    ),
    "channelback": _of_text(*EXCHANGE, url=HTTPS),
}
EVENT = ByType(
    Record(
        ("type_id", "timestamp", "subdomain", "integration_name", "integration_id", "data"),
        {
            "type_id": Text(words=tuple(EVENT_CASES)),
            "timestamp": Text(form="date-time"),
            "subdomain": Text(),
            "integration_name": Text(),
            "integration_id": Text(),
            "error": Text(),
            "data": Record(),
        },
    ),
    EVENT_CASES,
)

PUBLISHED: dict[str, tuple[str, Shape]] = {
    "manifest.json": ("manifest", MANIFEST),
    "external_resource.json": ("external-resource", EXTERNAL_RESOURCE),
    "pull_payload.json": ("pull-response", PULL_PAYLOAD),
    "push_parameters.json": ("push-request", PUSH_PARAMETERS),
    "channelback_payload.json": (
        "channelback-response",
        _channelback_payload(Text(0, 255, "external-id")),
    ),
    "channelback_payload_v2.json": ("channelback-response", _channelback_payload(EXTERNAL_ID)),
    "report_channelback_error.json": ("report-error-request", REPORT_CHANNELBACK_ERROR),
    # Single events are published; the list around them is not.
    "event_callback_any.json": ("event-callback", Record(("events",), {"events": Items(EVENT)})),
}
"""By the name of the published file: the name of our schema, and what the published one accepts."""
