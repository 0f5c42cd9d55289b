"""The demonstration origin's webhooks: every new post, signed, in order, and again until it has arrived."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from sandbox.reviews.api import Api, post_json
from sandbox.reviews.app import create_app
from sandbox.reviews.pages import Pages
from sandbox.reviews.review_site import Business, Post, ReviewSite
from sandbox.reviews.webhooks import TellsOfNewPosts, WebhookRoutes, Webhooks
from starlette.applications import Starlette
from starlette.middleware import Middleware

CAFE = "/api/businesses/corner-cafe"
KEY = {"Authorization": "Bearer demo-key"}
URL = "https://service.example/webhook/account-1"
SECRET = "a secret of 16 characters or more"
REVIEW = {"name": "Kim", "stars": "4", "title": "Good soup", "text": "Warm and plenty."}


class Receiver:
    """Answers with the statuses that it is told, an exception among them, and then with 202."""

    def __init__(self) -> None:
        self.answers: list[int | Exception] = []
        self.requests: list[httpx2.Request] = []
        self.asked = asyncio.Event()

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self._answer))

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        self.asked.set()
        answer = self.answers.pop(0) if self.answers else 202
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.requests]

    @property
    def posts(self) -> list[str]:
        return [post["id"] for body in self.bodies for post in body["posts"]]


@pytest.fixture
def site() -> ReviewSite:
    return ReviewSite()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def webhooks(site: ReviewSite, receiver: Receiver) -> Webhooks:
    return Webhooks(site, receiver.client, pauses=(0, 0))


@pytest.fixture
async def http(site: ReviewSite, webhooks: Webhooks) -> AsyncIterator[httpx2.AsyncClient]:
    api, pages = Api(site), Pages(site)
    app = Starlette(
        routes=[*WebhookRoutes(webhooks, api, pages).routes, *api.routes, *pages.routes],
        middleware=[Middleware(TellsOfNewPosts, webhooks=webhooks)],
    )
    async with client_of(app) as http:
        yield http


def client_of(app: Starlette) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app)
    return httpx2.AsyncClient(transport=transport, base_url="http://origin.test", trust_env=False)


async def register(
    http: httpx2.AsyncClient, url: object = URL, secret: object = SECRET, **changes: object
) -> httpx2.Response:
    body = {"url": url, "secret": secret} | changes
    return await http.put(f"{CAFE}/webhook", json=body, headers=KEY)


async def sent(site: ReviewSite, webhooks: Webhooks) -> None:
    """Wait until nothing is on its way any more."""
    for business in site.businesses:
        for webhook in webhooks.of(business):
            if webhook.sending:
                await webhook.sending


def cafe(site: ReviewSite) -> Business:
    return site.businesses[0]


def write(site: ReviewSite, title: str) -> Post:
    return site.add_review(cafe(site), customer="Kim", rating=3, title=title, text="Fine.")


async def test_a_new_review_is_sent_as_the_api_shows_it(
    http: httpx2.AsyncClient, site: ReviewSite, webhooks: Webhooks, receiver: Receiver
) -> None:
    assert (await register(http)).status_code == 204

    await http.post("/businesses/corner-cafe/reviews", data=REVIEW)
    await sent(site, webhooks)

    (request,) = receiver.requests
    (body,) = receiver.bodies
    review = site.reviews(cafe(site))[0]
    assert (request.method, str(request.url)) == ("POST", URL)
    assert request.headers["content-type"] == "application/json"
    assert body["posts"] == [post_json(review, review)]


async def test_comments_and_replies_are_sent_too(
    http: httpx2.AsyncClient, site: ReviewSite, webhooks: Webhooks, receiver: Receiver
) -> None:
    """Also what the business itself wrote, as real sites do."""
    await register(http)

    await http.post("/posts/review-1/comments", data={"name": "Lee", "text": "Yes."})
    await http.post(
        f"{CAFE}/posts/review-1/replies", json={"text": "Thank you!"}, headers=KEY | {"Idempotency-Key": "1"}
    )
    await sent(site, webhooks)

    kinds = [post["author"]["kind"] for body in receiver.bodies for post in body["posts"]]
    assert kinds == ["customer", "business"]


async def test_each_try_is_signed_over_its_time_and_body(
    http: httpx2.AsyncClient, site: ReviewSite, webhooks: Webhooks, receiver: Receiver
) -> None:
    await register(http)
    write(site, "Fine")
    webhooks.tell()
    await sent(site, webhooks)

    (request,) = receiver.requests
    moment = request.headers["webhook-timestamp"]
    signed = f"{moment}.".encode() + request.content
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert request.headers["webhook-signature"] == expected
    assert abs(datetime.now(UTC).timestamp() - int(moment)) < 300


async def test_posts_from_before_the_registration_and_of_others_are_not_sent(
    http: httpx2.AsyncClient, site: ReviewSite, webhooks: Webhooks, receiver: Receiver
) -> None:
    await register(http)

    await http.post("/businesses/book-nook/reviews", data=REVIEW)
    await sent(site, webhooks)

    assert receiver.requests == []


async def test_the_first_post_of_a_new_business_is_sent(receiver: Receiver) -> None:
    site = ReviewSite(seeded=False)
    webhooks = Webhooks(site, receiver.client)
    webhooks.register(cafe(site), URL, SECRET)

    review = write(site, "The first")
    webhooks.tell()
    await sent(site, webhooks)

    assert receiver.posts == [review.id]


@pytest.mark.parametrize(
    "answer", [500, 503, 401, 404, 302, httpx2.ConnectError("down"), httpx2.ReadTimeout("")]
)
async def test_a_delivery_is_repeated_under_its_id_until_it_has_arrived(
    http: httpx2.AsyncClient,
    site: ReviewSite,
    webhooks: Webhooks,
    receiver: Receiver,
    answer: int | Exception,
) -> None:
    receiver.answers = [answer] * 5
    await register(http)

    first, second = write(site, "First"), write(site, "Second")
    webhooks.tell()
    await sent(site, webhooks)

    assert receiver.posts == [first.id] * 6 + [second.id]
    names = [body["id"] for body in receiver.bodies]
    assert len(set(names[:6])) == 1
    assert len(set(names)) == 2
    # Everything has arrived, so nothing is sent again.
    webhooks.tell()
    assert webhooks.waiting(webhooks.of(cafe(site))[0]) == 0


async def test_what_is_written_meanwhile_follows_in_order(
    http: httpx2.AsyncClient, site: ReviewSite, webhooks: Webhooks, receiver: Receiver
) -> None:
    await register(http)

    written = [write(site, "0").id]
    webhooks.tell()
    for number in range(1, 5):
        await asyncio.sleep(0)
        written.append(write(site, str(number)).id)
        webhooks.tell()
    await sent(site, webhooks)

    assert receiver.posts == written


async def test_several_webhooks_of_a_business_each_get_everything(
    http: httpx2.AsyncClient, site: ReviewSite, webhooks: Webhooks, receiver: Receiver
) -> None:
    await register(http)
    await register(http, url=f"{URL}-other", secret="another secret of 16 characters or more")

    review = write(site, "Fine")
    webhooks.tell()
    await sent(site, webhooks)

    assert sorted(str(request.url) for request in receiver.requests) == [URL, f"{URL}-other"]
    assert receiver.posts == [review.id] * 2


async def test_registering_again_renews_the_secret_and_doubles_nothing(
    http: httpx2.AsyncClient, site: ReviewSite, webhooks: Webhooks, receiver: Receiver
) -> None:
    await register(http)
    await register(http, secret="a new secret of the same account")

    write(site, "Fine")
    webhooks.tell()
    await sent(site, webhooks)

    (request,) = receiver.requests
    signed = f"{request.headers['webhook-timestamp']}.".encode() + request.content
    expected = hmac.new(b"a new secret of the same account", signed, hashlib.sha256).hexdigest()
    assert request.headers["webhook-signature"] == expected


async def test_a_removed_webhook_gets_nothing_any_more(
    http: httpx2.AsyncClient, site: ReviewSite, webhooks: Webhooks, receiver: Receiver
) -> None:
    await register(http)

    assert (await http.delete(f"{CAFE}/webhook", params={"url": URL}, headers=KEY)).status_code == 204
    write(site, "Fine")
    webhooks.tell()

    assert webhooks.of(cafe(site)) == []
    assert receiver.requests == []
    assert (await http.delete(f"{CAFE}/webhook", params={"url": URL}, headers=KEY)).status_code == 404


async def test_removing_a_webhook_ends_what_is_on_its_way(
    http: httpx2.AsyncClient, site: ReviewSite, webhooks: Webhooks, receiver: Receiver
) -> None:
    receiver.answers = [503] * 1000
    await register(http)
    write(site, "Fine")
    webhooks.tell()
    (webhook,) = webhooks.of(cafe(site))
    await receiver.asked.wait()

    await http.delete(f"{CAFE}/webhook", params={"url": URL}, headers=KEY)

    assert webhook.sending
    with pytest.raises(asyncio.CancelledError):
        await webhook.sending


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"url": ""}, "Send the url"),
        ({"url": None}, "Send the url"),
        ({"url": "service.example"}, "Send the url"),
        ({"url": "ftp://service.example/"}, "Send the url"),
        ({"url": "https://"}, "Send the url"),
        ({"url": "https://[service"}, "Send the url"),
        ({"url": "https://sérvice.example/"}, "Send the url"),
        ({"url": f"https://service.example/{'x' * 2000}"}, "Send the url"),
        ({"secret": ""}, "Send a secret"),
        ({"secret": None}, "Send a secret"),
        ({"secret": "too short"}, "Send a secret"),
        ({"secret": "x" * 256}, "Send a secret"),
        ({"secret": "no ASCII: é, long enough"}, "Send a secret"),
    ],
    ids=str,
)
async def test_a_webhook_that_could_not_be_reached_or_signed_is_refused(
    site: ReviewSite, changes: dict[str, object], sentence: str
) -> None:
    async with client_of(create_app(site)) as http:
        response = await register(http, **changes)

    assert response.status_code == 422
    assert sentence in response.json()["error"]


@pytest.mark.parametrize("body", [b"", b"[]", b'"url"', b"{"])
async def test_a_registration_of_any_shape_is_answered(site: ReviewSite, body: bytes) -> None:
    async with client_of(create_app(site)) as http:
        response = await http.put(f"{CAFE}/webhook", content=body, headers=KEY)

    assert response.status_code in {400, 422}


@pytest.mark.parametrize(("key", "status"), [("wrong", 401), ("demo-key-2", 403)])
async def test_only_the_business_itself_registers_and_removes(
    site: ReviewSite, key: str, status: int
) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    async with client_of(create_app(site)) as http:
        registered = await http.put(f"{CAFE}/webhook", json={"url": URL, "secret": SECRET}, headers=headers)
        removed = await http.delete(f"{CAFE}/webhook", params={"url": URL}, headers=headers)

    assert (registered.status_code, removed.status_code) == (status, status)


async def test_the_page_shows_what_was_sent_and_what_was_answered(
    http: httpx2.AsyncClient, site: ReviewSite, webhooks: Webhooks, receiver: Receiver
) -> None:
    await register(http)
    receiver.answers = [503, httpx2.ConnectError("down")]
    write(site, "Good <soup>")
    webhooks.tell()
    await sent(site, webhooks)

    page = (await http.get("/businesses/corner-cafe/webhooks")).text

    assert URL in page
    assert "Good &lt;soup&gt;" in page
    assert "503" in page
    assert "no answer (ConnectError)" in page
    assert "202" in page
    assert "Delivered" in page
    assert SECRET not in page


async def test_the_page_tells_how_much_is_still_to_come(
    http: httpx2.AsyncClient, site: ReviewSite, webhooks: Webhooks
) -> None:
    await register(http)
    write(site, "First")
    assert "1 post still to be delivered" in (await http.get("/businesses/corner-cafe/webhooks")).text
    write(site, "Second")
    assert "2 posts still to be delivered" in (await http.get("/businesses/corner-cafe/webhooks")).text


async def test_the_page_of_a_business_without_webhooks_says_how_to_register_one(site: ReviewSite) -> None:
    async with client_of(create_app(site)) as http:
        page = await http.get("/businesses/corner-cafe/webhooks")
        assert "PUT /api/businesses/corner-cafe/webhook" in page.text
        assert (await http.get("/businesses/nowhere/webhooks")).status_code == 404
