"""The walk through the rooms: sync tokens say which rooms have something new, and it is read room by room.

A page of `/sync` is another one whenever it is asked for, so nothing is taken from it: what lies between two sync tokens
in one room stays the same. It is read backwards, page by page, and handed on from the oldest.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from pydantic import BaseModel

from .configuration import Account
from .events import TYPES, Event
from .homeserver import CLIENT, Homeserver, RefusedError, segment
from .rooms import Rooms

NOTHING: dict[str, list[str]] = {"types": []}
EVENTS_IN_A_PAGE = 100


class Room(BaseModel):
    """A room that has something new; `whole` if all that the bot may see is new."""

    id: str
    whole: bool


class Place(BaseModel):
    """The cursor. `rooms` lie between `since` and `reached`; `pages` are those of the first room, newest first."""

    since: str = ""
    reached: str = ""
    rooms: list[Room] = []
    pages: list[str] = []
    turned: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """Events from the oldest, the cursor behind them, and whether there are more at once."""

    events: list[Event]
    cursor: str
    more: bool


class Walk:
    def __init__(self, homeserver: Homeserver, rooms: Rooms) -> None:
        self._homeserver = homeserver
        self._rooms = rooms

    async def fetch(self, account: Account, cursor: str, wait: int = 0) -> Step:
        """Give the next page. If nothing is new, the homeserver waits for that many seconds."""
        place = Place.model_validate_json(cursor) if cursor else Place()
        if place.rooms:
            return await self._read(account, place)
        return await self._look(account, place, wait)

    async def _look(self, account: Account, place: Place, wait: int) -> Step:
        """Find the rooms in which something is new, and enter those to which the bot is invited."""
        answer = await self._sync(account, place.since, wait)
        rooms = answer.get("rooms", {})
        entered = [room for room in rooms.get("invite", {}) if await self._rooms.accept(account, room)]
        place.reached = answer["next_batch"]
        for room, news in rooms.get("join", {}).items():
            whole = await self._is_new(account, room, place.since)
            if whole or news["timeline"]["events"]:
                place.rooms.append(Room(id=room, whole=whole))
        if not place.rooms:
            place = Place(since=place.reached)
        return Step([], _written(place), more=bool(place.rooms or entered))

    async def _sync(self, account: Account, since: str, wait: int) -> dict[str, Any]:
        chosen = await self._rooms.chosen(account)
        wanted = {
            "presence": NOTHING,
            "account_data": NOTHING,
            "room": {
                "account_data": NOTHING,
                "ephemeral": NOTHING,
                "state": NOTHING,
                "timeline": {"types": TYPES, "limit": 1},
                **({} if chosen is None else {"rooms": chosen}),
            },
        }
        query = {"filter": json.dumps(wanted), "timeout": str(wait * 1000), "set_presence": "offline"}
        query |= {"since": since} if since else {}
        return await self._homeserver.call(account, "GET", f"{CLIENT}/sync", params=query)

    async def _is_new(self, account: Account, room: str, since: str) -> bool:
        """Whether nothing of a room has been read, also when the same is asked again after a crash."""
        key = f"room/{room}"[:255]
        first = await account.state.get(key)
        if first is None:
            await account.state.set(key, since)
        return not since or first in (None, since)

    async def _read(self, account: Account, place: Place) -> Step:
        """Read one page of the first room: on the way back until it is the oldest, then forwards."""
        room = place.rooms[0]
        token = place.pages[-1] if place.pages else place.reached
        try:
            answer = await self._messages(account, room, token, place.since)
        except RefusedError:
            # The bot is no longer in the room.
            answer = {"chunk": []}
            place.pages = []
        earlier = answer.get("end")
        events = list(_since(account, room, answer["chunk"]))
        too_old = answer["chunk"] and not events
        if not place.turned and earlier and earlier != token and not too_old:
            place.pages = [*(place.pages or [token]), earlier]
            return Step([], _written(place), more=True)
        place.pages, place.turned = place.pages[:-1], True
        if not place.pages:
            place.rooms, place.turned = place.rooms[1:], False
        if not place.rooms:
            place = Place(since=place.reached)
        return Step(events[::-1], _written(place), more=bool(place.rooms))

    async def _messages(self, account: Account, room: Room, token: str, since: str) -> dict[str, Any]:
        query = {"dir": "b", "from": token, "limit": str(EVENTS_IN_A_PAGE)}
        query |= {"filter": json.dumps({"types": TYPES})}
        query |= {} if room.whole else {"to": since}
        path = f"{CLIENT}/rooms/{segment(room.id)}/messages"
        return await self._homeserver.call(account, "GET", path, params=query)


def _written(place: Place) -> str:
    return place.model_dump_json(exclude_defaults=True)


def _since(account: Account, room: Room, events: list[Event]) -> Iterator[Event]:
    """Leave out what is older than the account wants from a room's history, whatever its date says about news."""
    first = account.configuration.import_since if room.whole else None
    oldest = datetime.combine(first, time(), UTC).timestamp() * 1000 if first else float("-inf")
    return (event | {"room_id": room.id} for event in events if event["origin_server_ts"] >= oldest)
