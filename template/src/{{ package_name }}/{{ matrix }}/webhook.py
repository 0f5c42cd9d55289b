"""Transactions: the homeserver sends new events to an application service, again until it is answered 200."""

import hashlib
import json
import re
from hmac import compare_digest

from ..origin_protocol import Webhook, WebhookAnswer, WebhookRejectedError, WebhookRequest
from .configuration import Account
from .events import TYPES, Event
from .homeserver import CLIENT, Homeserver, segment
from .rooms import Rooms

_TRANSACTION = re.compile(r"(?:/_matrix/app/v1)?/transactions/([^/]+)")
_PING = "/_matrix/app/v1/ping"

TAKEN = WebhookAnswer("{}", content_type="application/json")
UNKNOWN = WebhookAnswer('{"errcode": "M_NOT_FOUND"}', 404, "application/json")

LONGEST_LOOKUP = 255
MOST_PAGES = 20
"""Of a hundred messages each."""


def token_of(request: WebhookRequest) -> str:
    return request.headers.get("authorization", "").removeprefix("Bearer ")


def key_of(token: str) -> str:
    """Name an account by the token with which its homeserver comes, without giving the token away."""
    return hashlib.sha256(token.encode()).hexdigest() if token else ""


def require_token(request: WebhookRequest, secret: str) -> None:
    if not compare_digest(token_of(request).encode(), secret.encode()):
        raise WebhookRejectedError("this is not the homeserver's token (hs_token)")


def read_transaction(request: WebhookRequest) -> Webhook:
    """Read what the homeserver tells. It may ask for users and rooms, too, and there are none."""
    transaction = _TRANSACTION.fullmatch(request.path)
    if request.method != "PUT" or not transaction:
        return Webhook(answer=TAKEN if request.path == _PING else UNKNOWN)
    events = json.loads(request.body)["events"]
    # Another homeserver, or one that was set up again, counts from one, too.
    told = hashlib.sha256("\n".join(event["event_id"] for event in events).encode()).hexdigest()
    return Webhook(
        [event for event in events if event["type"] in TYPES],
        delivery=f"{transaction[1]}/{told}",
        lookups=[invitation for event in events if (invitation := _invitation(event))],
        answer=TAKEN,
    )


def _invitation(event: Event) -> str:
    """Name the room and who is invited: whether that is the bot is found out later."""
    if event["type"] != "m.room.member" or event["content"].get("membership") != "invite":
        return ""
    invitation = f"{event['room_id']} {event['state_key']}"
    return invitation if len(invitation) <= LONGEST_LOOKUP else ""


class History:
    """What was said in a room before the bot came."""

    def __init__(self, homeserver: Homeserver, rooms: Rooms) -> None:
        self._homeserver = homeserver
        self._rooms = rooms

    async def look_up(self, account: Account, invitation: str) -> list[Event]:
        """Accept an invitation, and read the room so far."""
        room, _, invited = invitation.partition(" ")
        if invited != await self._rooms.bot(account) or not await self._rooms.accept(account, room):
            return []
        events: list[Event] = []
        token = ""
        for _ in range(MOST_PAGES):
            query = {"dir": "b", "limit": "100", "filter": json.dumps({"types": TYPES})}
            query |= {"from": token} if token else {}
            path = f"{CLIENT}/rooms/{segment(room)}/messages"
            answer = await self._homeserver.call(account, "GET", path, params=query)
            events += answer["chunk"]
            earlier = answer.get("end", "")
            if not earlier or earlier == token:
                break
            token = earlier
        return events[::-1]
