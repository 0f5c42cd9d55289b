"""A small homeserver in this process: rooms, sync tokens, pages of history, media and transactions."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

BOT = "@support:hs.test"
ADA = "@ada:hs.test"
TOKEN = "syt_bot"
NOW = 1_795_000_000_000

Answer = dict[str, Any] | httpx2.Response


def refused(status: int, code: str, **more: Any) -> httpx2.Response:
    return httpx2.Response(status, json={"errcode": code, "error": f"{code} was answered"} | more)


@dataclass
class Room:
    name: str = ""
    joined: bool = True
    invited: bool = False


@dataclass
class FakeHomeserver:
    """Events have places in one stream, of which sync tokens are the numbers. `answers` come first, by path."""

    stream: list[dict[str, Any]] = field(default_factory=list)
    rooms: dict[str, Room] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=lambda: {ADA: "Ada Lovelace"})
    media: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    transactions: dict[str, str] = field(default_factory=dict)
    requests: list[httpx2.Request] = field(default_factory=list)
    answers: dict[str, list[httpx2.Response | httpx2.TransportError]] = field(default_factory=dict)

    def open(self, room: str, name: str = "", *, joined: bool = True) -> str:
        self.rooms[room] = Room(name, joined, invited=not joined)
        return room

    def say(self, room: str, body: str = "", sender: str = ADA, **more: Any) -> dict[str, Any]:
        content = {"msgtype": "m.text", "body": body} | more.pop("content", {})
        event = {
            "type": "m.room.message",
            "event_id": f"${len(self.stream) + 1}",
            "room_id": room,
            "sender": sender,
            "origin_server_ts": NOW + len(self.stream) * 1000,
            "content": content,
        }
        self.stream.append(event | more)
        return self.stream[-1]

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        # Others have their turn, as on a network.
        await asyncio.sleep(0)
        self.requests.append(request)
        answer = self._answer(request)
        return answer if isinstance(answer, httpx2.Response) else httpx2.Response(200, json=answer)

    def _answer(self, request: httpx2.Request) -> Answer:
        path = request.url.path
        for part, answers in self.answers.items():
            if part in path and answers:
                answer = answers.pop(0)
                if isinstance(answer, httpx2.TransportError):
                    raise answer
                return answer
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return refused(401, "M_UNKNOWN_TOKEN")
        for pattern, respond in ROUTES:
            if found := re.fullmatch(pattern, path):
                return respond(self, request, *found.groups())
        return refused(404, "M_UNRECOGNIZED")

    def whoami(self, _request: httpx2.Request) -> Answer:
        return {"user_id": BOT, "device_id": "DEVICE"}

    def sync(self, request: httpx2.Request) -> Answer:
        wanted = json.loads(request.url.params["filter"])["room"]
        since = int(request.url.params.get("since", "s0")[1:])
        joined: dict[str, Any] = {}
        for room in wanted.get("rooms", self.rooms):
            news = [event for event in self.stream[since:] if event["room_id"] == room]
            types = wanted["timeline"]["types"]
            events = [event for event in news if event["type"] in types][-wanted["timeline"]["limit"] :]
            if self.rooms[room].joined and (news or not since or self._just_joined(room, since)):
                joined[room] = {"timeline": {"events": events, "limited": True}}
        invited: dict[str, Any] = {room: {} for room, each in self.rooms.items() if each.invited}
        return {"next_batch": f"s{len(self.stream)}", "rooms": {"join": joined, "invite": invited}}

    def _just_joined(self, room: str, since: int) -> bool:
        return any(
            event["type"] == "m.room.member" and event["room_id"] == room for event in self.stream[since:]
        )

    def messages(self, request: httpx2.Request, room: str) -> Answer:
        if not self.rooms[room].joined:
            return refused(403, "M_FORBIDDEN")
        query, only = request.url.params, json.loads(request.url.params["filter"])
        end = int(query.get("from", f"s{len(self.stream)}")[1:])
        start = int(query.get("to", "s0")[1:])
        found = [
            (place, event)
            for place, event in enumerate(self.stream[:end])
            if place >= start
            and event["room_id"] == room
            and event["type"] in only["types"]
            and event["sender"] in only.get("senders", [event["sender"]])
        ]
        page = found[::-1][: int(query["limit"])]
        more = {"end": f"t{page[-1][0]}"} if len(page) < len(found) else {}
        return {"chunk": [event for _, event in page], **more}

    def event(self, _request: httpx2.Request, _room: str, event_id: str) -> Answer:
        found = [event for event in self.stream if event["event_id"] == event_id]
        return found[0] if found else refused(404, "M_NOT_FOUND")

    def state(self, _request: httpx2.Request, room: str, kind: str) -> Answer:
        if kind == "m.room.name" and self.rooms[room].name:
            return {"name": self.rooms[room].name}
        return refused(404, "M_NOT_FOUND")

    def profile(self, _request: httpx2.Request, user: str) -> Answer:
        return {"displayname": self.names[user]} if user in self.names else refused(404, "M_NOT_FOUND")

    def join(self, _request: httpx2.Request, room: str) -> Answer:
        if room not in self.rooms:
            return refused(403, "M_FORBIDDEN")
        if not self.rooms[room].joined:
            self.rooms[room] = Room(self.rooms[room].name)
            self.say(room, sender=BOT, type="m.room.member", state_key=BOT, content={"membership": "join"})
        return {"room_id": room}

    def send(self, request: httpx2.Request, room: str, transaction: str) -> Answer:
        if not self.rooms[room].joined:
            return refused(403, "M_FORBIDDEN")
        if transaction not in self.transactions:
            event = self.say(room, sender=BOT)
            event["content"] = json.loads(request.content)
            self.transactions[transaction] = event["event_id"]
        return {"event_id": self.transactions[transaction]}

    def upload(self, request: httpx2.Request) -> Answer:
        if int(request.headers["content-length"]) > 1024:
            return refused(413, "M_TOO_LARGE")
        self.media[f"media{len(self.media)}"] = request.headers["content-type"], request.content
        return {"content_uri": f"mxc://hs.test/media{len(self.media) - 1}"}

    def download(self, _request: httpx2.Request, media: str) -> Answer:
        if media not in self.media:
            return refused(404, "M_NOT_FOUND")
        content_type, content = self.media[media]
        return httpx2.Response(200, content=content, headers={"content-type": content_type})


_CLIENT = "/_matrix/client/v3"
ROUTES: list[tuple[str, Callable[..., Answer]]] = [
    (f"{_CLIENT}/account/whoami", FakeHomeserver.whoami),
    (f"{_CLIENT}/sync", FakeHomeserver.sync),
    (f"{_CLIENT}/rooms/([^/]+)/messages", FakeHomeserver.messages),
    (f"{_CLIENT}/rooms/([^/]+)/event/(.+)", FakeHomeserver.event),
    (f"{_CLIENT}/rooms/([^/]+)/state/(.+)", FakeHomeserver.state),
    (f"{_CLIENT}/rooms/([^/]+)/send/m.room.message/(.+)", FakeHomeserver.send),
    (f"{_CLIENT}/join/(.+)", FakeHomeserver.join),
    (f"{_CLIENT}/profile/([^/]+)/displayname", FakeHomeserver.profile),
    ("/_matrix/media/v3/upload", FakeHomeserver.upload),
    ("/_matrix/client/v1/media/download/hs.test/(.+)", FakeHomeserver.download),
]
