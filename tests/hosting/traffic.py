"""Runs inside a generated project: Zendesk and the review site, with everybody at work until standard input ends.

python traffic.py MANIFEST_URL ORIGIN_PORT ZENDESK_PORT

Prints `flowing` once every kind of request has been answered, and at the end what there was and what went wrong.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
from collections import Counter
from contextlib import suppress
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx2
from sandbox.reviews import ReviewSite, create_app
from sandbox.serving import serving
from sandbox.zendesk import Settings, Zendesk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

ENDPOINTS = {"manifest", "pull", "channelback", "event_callback", "push"}
CUSTOMERS = 2
"""Of each business, beside an agent who answers them."""

CUSTOMER = "Customer"

COMMENTS = 5
"""Of a customer below each review."""

BREATH = 0.2
"""Seconds between two things that somebody does: what is restarted needs the processor, too."""

PATIENCE = 60
"""Seconds after which what has not come is lost."""


class Traffic:
    """The first business is pulled as well as pushed, the second one only pushed."""

    def __init__(self, site: ReviewSite, zendesk: Zendesk, customers: httpx2.AsyncClient) -> None:
        self._site = site
        self._zendesk = zendesk
        self._customers = customers
        self._accounts: dict[str, Any] = {}
        self._ended = asyncio.Event()
        self._arrived_all = asyncio.Event()
        self._before = 0

    async def begin(self, manifest: str) -> list[asyncio.Task[None]]:
        await self._zendesk.install(manifest)
        for business in self._site.businesses:
            typed = {"business": business.id, "api_key": business.api_key}
            self._accounts[business.id] = await self._zendesk.add_account(business.name, **typed)
        self._before = len(self._zendesk.log.entries)
        (pulled, *_) = self._accounts.values()
        loops = [self._read_manifest()]
        for business in self._site.businesses:
            names = [f"{CUSTOMER} {number}" for number in range(CUSTOMERS)]
            loops += [self._reply(business.id), *(self._write(business.id, name) for name in names)]
        self._pulling = asyncio.create_task(self._pull(pulled))
        return [asyncio.create_task(loop) for loop in loops]

    async def flowing(self) -> None:
        await _until(self._flows)

    async def end(self, tasks: list[asyncio.Task[None]]) -> None:
        """Let everybody finish, and wait for what is still on its way."""
        self._ended.set()
        await asyncio.gather(*tasks)
        for business in self._site.businesses:
            await _until(partial(self._keeps_up, business.id, behind=0))
        self._arrived_all.set()
        await self._pulling
        await self._zendesk.events.flush()

    def report(self) -> dict[str, Any]:
        return {
            "requests": Counter(entry.endpoint for entry in self._exchanges()),
            "posts": sum(len(self._sent(review)) for review in self._reviews()),
            "replies": len(list(self._replies())),
            "faults": [*self._wrong_answers(), *self._threads_that_differ(), *self._replies_that_differ()],
        }

    async def _read_manifest(self) -> None:
        while not self._ended.is_set():
            await self._zendesk.refresh_manifest()
            await asyncio.sleep(BREATH)

    async def _pull(self, account: Any) -> None:
        """Pull until all is there: what follows a pulled post in its thread waits for the next pull."""
        while not self._arrived_all.is_set():
            await self._zendesk.pull(account)
            await asyncio.sleep(BREATH)

    async def _write(self, business: str, name: str) -> None:
        """Write reviews, each with a conversation below it; the site tells the service of every post."""
        texts = count(1)
        while not self._ended.is_set():
            typed = {"name": name, "stars": "2", "title": "A visit", "text": f"Post {next(texts)}"}
            written = await self._customers.post(f"/businesses/{business}/reviews", data=typed)
            path = written.headers["location"]
            for _ in range(COMMENTS):
                comment = {"name": name, "text": f"Post {next(texts)}"}
                await self._customers.post(f"{path}/comments", data=comment)
            review = self._site.post(path.removeprefix("/posts/"))
            await _until(partial(self._has_arrived, review))
            await _until(partial(self._keeps_up, business))

    async def _reply(self, business: str) -> None:
        texts = count(1)
        while not self._ended.is_set():
            await asyncio.sleep(BREATH)
            account_id = self._accounts[business].id
            if tickets := [each for each in self._zendesk.tickets if each.account_id == account_id]:
                await self._zendesk.reply(tickets[-1], f"Reply {next(texts)}")

    async def _flows(self) -> bool:
        return {exchange.endpoint for exchange in self._exchanges()} >= ENDPOINTS

    async def _has_arrived(self, review: Any) -> bool:
        return len(self._arrived(review)) >= len(self._sent(review))

    async def _keeps_up(self, business: str, behind: int = 20) -> bool:
        """Whether the site has told the service of all posts but so many: it tells of one after the other."""
        page = await self._customers.get(f"/businesses/{business}/webhooks")
        waiting = re.search(r"(\d+) posts? still to be delivered", page.text)
        return waiting is None or int(waiting[1]) <= behind

    def _exchanges(self) -> list[Any]:
        return list(self._zendesk.log.entries[self._before :])

    def _wrong_answers(self) -> Iterator[str]:
        for exchange in self._exchanges():
            if exchange.status != 200:
                answer = exchange.failure or exchange.status
                yield f"{exchange.endpoint} at {exchange.started_at}: {answer}"
            for remark in exchange.remarks:
                yield f"{exchange.endpoint}: {remark}"

    def _reviews(self) -> list[Any]:
        reviews = [each for business in self._site.businesses for each in self._site.reviews(business)]
        return [review for review in reviews if review.author.name.startswith(CUSTOMER)]

    def _sent(self, review: Any) -> list[str]:
        """What customers wrote, from the review on."""
        posts = [review, *self._site.comments(review)]
        return [post.id for post in posts if post.author.kind == "customer"]

    def _arrived(self, review: Any) -> list[str]:
        """What of it Zendesk has, in the order in which it came."""
        account, sent = self._accounts[review.business_id], self._sent(review)
        return [
            comment.external_id
            for ticket in self._zendesk.tickets
            if (ticket.account_id, ticket.thread_key) == (account.id, review.id)
            for comment in ticket.comments
            if comment.external_id in sent
        ]

    def _threads_that_differ(self) -> Iterator[str]:
        for review in self._reviews():
            sent, arrived = self._sent(review), self._arrived(review)
            if sent != arrived:
                yield f"customers wrote {sent}, and Zendesk got {arrived}"

    def _replies(self) -> Iterator[tuple[Any, list[str]]]:
        """What agents wrote, and the ids that it has at the site."""
        for business in self._site.businesses:
            posted: dict[str, list[str]] = {}
            for post in self._site.posts(business):
                posted.setdefault(post.text, []).append(post.id)
            for comment in self._zendesk.state.comments(self._accounts[business.id]):
                if comment.by_agent:
                    yield comment, posted.get(comment.body, [])

    def _replies_that_differ(self) -> Iterator[str]:
        for comment, ids in self._replies():
            if ids != [comment.external_id]:
                yield f"{comment.body} is {ids} at the site, and {comment.external_id} at Zendesk: {comment.error}"


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait, but not for ever: the report tells what is missing."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while not await condition():  # noqa: ASYNC110
                await asyncio.sleep(BREATH)


async def main(manifest: str, origin_port: int, zendesk_port: int) -> None:
    site = ReviewSite()
    settings = Settings(
        address=f"http://127.0.0.1:{zendesk_port}",
        allow_loopback_http=True,
        # What one try does not achieve is a fault.
        channelback_tries=1,
        failures_before_deactivation=0,
        exchanges_kept=1_000_000,
    )
    zendesk = Zendesk(settings=settings)
    async with (
        serving(create_app(site), socket.create_server(("127.0.0.1", origin_port))),
        zendesk.serving(socket.create_server(("127.0.0.1", zendesk_port))),
        zendesk,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{origin_port}", trust_env=False) as customers,
    ):
        traffic = Traffic(site, zendesk, customers)
        tasks = await traffic.begin(manifest)
        await traffic.flowing()
        sys.stdout.write("flowing\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        await traffic.end(tasks)
        sys.stdout.write(json.dumps(traffic.report()))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
