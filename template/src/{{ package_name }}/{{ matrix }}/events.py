"""Events: how what happens in a room appears in Zendesk.

A room is a conversation, and so is each thread in it. An edit is a further comment, and a deletion an internal note:
Zendesk keeps comments as they are. What is no message, such as a reaction, stays in the room.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from ..core.messages import Author, ExternalResource, FieldValue, fit
from ..origin_protocol import FileUrlMaker
from .configuration import Account
from .homeserver import CLIENT, Homeserver, RefusedError, segment
from .rooms import Rooms

Event = dict[str, Any]

MESSAGES = ("m.room.message", "m.sticker", "m.room.encrypted")
TYPES = (*MESSAGES, "m.room.redaction")
"""Events that may become comments."""

NAME_KEPT = timedelta(days=1)

DELETED = "(deleted)"
ENCRYPTED = "(An encrypted message. This service cannot read it.)"

_MXC = re.compile(r"mxc://([^/\s]+)/([A-Za-z0-9_-]+)")


class Events:
    def __init__(self, homeserver: Homeserver, rooms: Rooms) -> None:
        self._homeserver = homeserver
        self._rooms = rooms

    async def to_resource(
        self, account: Account, event: Event, file_url: FileUrlMaker
    ) -> ExternalResource | None:
        room = event["room_id"]
        if event["type"] not in TYPES or "state_key" in event or not await self._rooms.reads(account, room):
            return None
        if event["type"] == "m.room.redaction":
            return await self._deletion(account, event)
        content = event["content"]
        relation = relation_of(content)
        name = await self._name(account, event["sender"])
        edited = relation.get("event_id") if relation.get("rel_type") == "m.replace" else None
        if edited:
            content = content.get("m.new_content") or content
            relation = relation_of((await self._event(account, room, edited)).get("content", {}))
        title = await self._title(account, room)
        text = _text(event["type"], content, name)
        return ExternalResource(
            external_id=external_id(room, event["event_id"]),
            message=fit(f"Edited: {text}" if edited else text, otherwise=DELETED),
            thread_id=_thread(room, relation),
            created_at=_moment(event),
            author=Author(external_id=event["sender"], name=name),
            fields=(FieldValue(id="subject", value=title),) if title else None,
            file_urls=_files(content, file_url),
        )

    async def _deletion(self, account: Account, event: Event) -> ExternalResource | None:
        room = event["room_id"]
        deleted = event.get("redacts") or event["content"].get("redacts", "")
        # Reactions are taken back in the same way.
        if (await self._event(account, room, deleted)).get("type") not in MESSAGES:
            return None
        name = await self._name(account, event["sender"])
        reason = event["content"].get("reason")
        return ExternalResource(
            external_id=external_id(room, event["event_id"]),
            parent_id=external_id(room, deleted),
            internal_note=True,
            message=fit(f"{name} deleted a message." + (f" {reason}" if reason else ""), otherwise=DELETED),
            created_at=_moment(event),
            author=Author(external_id=event["sender"], name=name),
        )

    async def _event(self, account: Account, room: str, event_id: str) -> Event:
        """An event that another one is about; empty if the bot cannot see it."""
        try:
            return await self._homeserver.call(
                account, "GET", f"{CLIENT}/rooms/{segment(room)}/event/{segment(event_id)}"
            )
        except RefusedError:
            return {}

    async def _name(self, account: Account, user: str) -> str:
        async def look_up() -> str:
            path = f"{CLIENT}/profile/{segment(user)}/displayname"
            try:
                profile = await self._homeserver.call(account, "GET", path)
            except RefusedError:
                profile = {}
            return str(profile.get("displayname") or user.removeprefix("@").partition(":")[0] or user)

        return await account.state.cached(_key("name", user), NAME_KEPT, look_up)

    async def _title(self, account: Account, room: str) -> str:
        async def look_up() -> str:
            for kind, field in (("m.room.name", "name"), ("m.room.canonical_alias", "alias")):
                path = f"{CLIENT}/rooms/{segment(room)}/state/{kind}"
                try:
                    state = await self._homeserver.call(account, "GET", path)
                except RefusedError:
                    continue
                if state.get(field):
                    return str(state[field])
            return ""

        return await account.state.cached(_key("title", room), NAME_KEPT, look_up)


def external_id(room: str, event_id: str) -> str:
    """Name an event so that it is found again: links need its room, too."""
    return f"{room}/{event_id}"


def relation_of(content: dict[str, Any]) -> dict[str, Any]:
    relation = content.get("m.relates_to")
    return relation if isinstance(relation, dict) else {}


def _thread(room: str, relation: dict[str, Any]) -> str:
    return external_id(room, relation["event_id"]) if relation.get("rel_type") == "m.thread" else room


def _text(kind: str, content: dict[str, Any], name: str) -> str:
    if kind == "m.room.encrypted" and content:
        return ENCRYPTED
    body = str(content.get("body") or "")
    if "m.in_reply_to" in relation_of(content) and body.startswith("> "):
        # Older clients quote what is answered, up to an empty line.
        body = re.sub(r"\A(> .*\n?)+\n", "", body)
    match content.get("msgtype"):
        case "m.emote":
            return f"* {name} {body}"
        case "m.location":
            return f"{body}\n{content.get('geo_uri', '')}"
    return body


def _files(content: dict[str, Any], file_url: FileUrlMaker) -> tuple[str, ...] | None:
    found = _MXC.fullmatch(str(content.get("url") or ""))
    if not found:
        return None
    return (file_url("/".join(found.groups()), str(content.get("filename") or content.get("body") or "")),)


def _moment(event: Event) -> datetime:
    """When an event was sent, as its sender says; nothing is from the future."""
    now = datetime.now(UTC)
    try:
        return min(datetime.fromtimestamp(event["origin_server_ts"] / 1000, UTC), now)
    except (OverflowError, ValueError, OSError):
        return now


def _key(kind: str, name: str) -> str:
    return f"{kind}/{name}"[:255]
