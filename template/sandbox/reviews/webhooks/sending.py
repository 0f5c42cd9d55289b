"""Webhooks: the site tells businesses' own systems of each new post, and again until they have it."""

import asyncio
import hashlib
import hmac
import json
import ssl
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import chain, repeat

import httpx2

from ..api import post_json
from ..review_site import Business, Post, ReviewSite, utc_now

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between the tries of one delivery; the last pause is repeated until the receiver answers with 2xx."""

TIMEOUT = 10.0
"""Seconds."""

DELIVERIES_SHOWN = 50
TRIES_SHOWN = 10

_THE_BEGINNING = (datetime.min.replace(tzinfo=UTC), "")


@dataclass(frozen=True, slots=True)
class Try:
    time: datetime
    outcome: str


@dataclass(slots=True)
class Delivery:
    """One post on its way to one webhook; the id is the same in every try, the last of which are remembered."""

    id: str
    post: Post
    tries: deque[Try] = field(default_factory=lambda: deque(maxlen=TRIES_SHOWN))
    arrived: bool = False


@dataclass(slots=True)
class Webhook:
    """An address that a business gave. `position` is that of the last post that has arrived there."""

    business: Business
    url: str
    secret: str
    position: tuple[datetime, str]
    deliveries: deque[Delivery] = field(default_factory=lambda: deque(maxlen=DELIVERIES_SHOWN))
    sending: asyncio.Task[None] | None = None


class Webhooks:
    """Every webhook gets all posts that were written since it was registered, one after the other."""

    def __init__(
        self,
        site: ReviewSite,
        http: Callable[[], httpx2.AsyncClient] | None = None,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        """Take what makes the client for one request."""
        self._site = site
        self._http = http or (lambda: httpx2.AsyncClient(timeout=TIMEOUT, trust_env=False, verify=_trust()))
        self._pauses = pauses
        self._webhooks: dict[tuple[str, str], Webhook] = {}

    def of(self, business: Business) -> list[Webhook]:
        return [webhook for webhook in self._webhooks.values() if webhook.business == business]

    def waiting(self, webhook: Webhook) -> int:
        """How many posts have not arrived yet."""
        return len(self._site.posts_after(webhook.business, webhook.position))

    def register(self, business: Business, url: str, secret: str) -> None:
        """Tell `url` of every post from now on; where that is done already, the secret is replaced."""
        known = self._webhooks.get((business.id, url))
        if known:
            known.secret = secret
            return
        posts = self._site.posts(business)
        position = posts[-1].position if posts else _THE_BEGINNING
        self._webhooks[business.id, url] = Webhook(business, url, secret, position)

    def remove(self, business: Business, url: str) -> bool:
        """Forget a webhook and what is on its way there; say whether there was one."""
        webhook = self._webhooks.pop((business.id, url), None)
        if webhook and webhook.sending:
            webhook.sending.cancel()
        return webhook is not None

    def tell(self) -> None:
        """Begin to send whatever is new, unless that is being done already."""
        for webhook in self._webhooks.values():
            if self.waiting(webhook) and (webhook.sending is None or webhook.sending.done()):
                webhook.sending = asyncio.create_task(self._send(webhook))

    async def _send(self, webhook: Webhook) -> None:
        while posts := self._site.posts_after(webhook.business, webhook.position):
            delivery = Delivery(f"delivery-{uuid.uuid4()}", posts[0])
            webhook.deliveries.appendleft(delivery)
            for pause in chain(self._pauses, repeat(self._pauses[-1])):
                await self._try(webhook, delivery)
                if delivery.arrived:
                    break
                await asyncio.sleep(pause)
            webhook.position = delivery.post.position

    async def _try(self, webhook: Webhook, delivery: Delivery) -> None:
        content = post_json(delivery.post, self._site.review_of(delivery.post))
        body = json.dumps({"id": delivery.id, "posts": [content]}).encode()
        try:
            async with self._http() as http:
                response = await http.post(webhook.url, content=body, headers=_headers(webhook.secret, body))
            outcome = str(response.status_code)
            delivery.arrived = response.is_success
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            outcome = f"no answer ({type(error).__name__})"
        delivery.tries.append(Try(utc_now(), outcome))


@cache
def _trust() -> ssl.SSLContext:
    """Whom to trust; reading that takes longer than a try."""
    return httpx2.create_ssl_context(trust_env=False)


def _headers(secret: str, body: bytes) -> dict[str, str]:
    """Each try is signed anew, so that receivers can refuse what is old."""
    moment = str(int(utc_now().timestamp()))
    signature = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "Webhook-Timestamp": moment,
        "Webhook-Signature": signature,
    }
