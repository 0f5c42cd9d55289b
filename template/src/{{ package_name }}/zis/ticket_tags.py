"""Ticket tags: each ticket is tagged with its thread, because what Integration Services tell of a ticket names no post."""

import re
from collections.abc import Iterable

import structlog

from ..core.messages import ExternalResource, FieldValue
from ..identity import SLUG

PREFIX = f"{SLUG}__"
ACCOUNT_LENGTH = 8
"""Characters of an account's id: enough to tell the accounts of one Zendesk apart."""

TAG_LIMIT = 255
FIELDS_LIMIT = 64

logger = structlog.get_logger()


def tagged(account_id: str, resource: ExternalResource) -> ExternalResource:
    """Add the tag of its thread to a post; it counts if the post opens a ticket (SVC-41)."""
    tag = tag_of(account_id, resource.thread_id or resource.external_id)
    if len(tag) > TAG_LIMIT:
        logger.warning("thread too long for a tag", account=account_id, post=resource.external_id)
        return resource
    fields = resource.fields or ()
    tags = [tag]
    for field in fields:
        if field.id == "tags":
            tags += field.value.split() if isinstance(field.value, str) else field.value
    others = [field for field in fields if field.id != "tags"][: FIELDS_LIMIT - 1]
    return resource.model_copy(update={"fields": (*others, FieldValue(id="tags", value=tags))})


def tag_of(account_id: str, thread_id: str) -> str:
    """Name a thread with what may stand in a tag: a to z, digits, hyphens and underscores."""
    return f"{PREFIX}{account_id[:ACCOUNT_LENGTH]}__{re.sub('[^a-z0-9-]', _escaped, thread_id)}"


def threads_of(tags: Iterable[str]) -> list[tuple[str, str]]:
    """Read the tags of a ticket: the beginning of an account's id, and a thread of that account."""
    named = [tag.removeprefix(PREFIX).partition("__") for tag in tags if tag.startswith(PREFIX)]
    threads = [(account, re.sub("_([0-9a-f]{2})", _unescaped, thread)) for account, _, thread in named]
    # Agents write tags, too, with whatever they like in them.
    return [(account, thread) for account, thread in threads if re.fullmatch(r"[ -~]{1,255}", thread)]


def _escaped(match: re.Match[str]) -> str:
    return f"_{ord(match[0]):02x}"


def _unescaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))
