"""The demonstration origin keeps its own promises: without them it could not show that the service keeps its own."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from commands import ROOT
from sandbox.reviews import FILE_SIZE_LIMIT, TEXT_LIMIT, Business, Post, ReviewSite, create_app

TEMPLATE = ROOT / "template"
NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
CAFE = "/api/businesses/corner-cafe"
KEY = {"Authorization": "Bearer demo-key"}
OTHER_KEY = {"Authorization": "Bearer demo-key-2"}
PNG = b"\x89PNG\r\n\x1a\n and so on"
SERVICE_SETTINGS = {
    "DATABASE_URL",
    "ENVIRONMENT",
    "OPERATOR_PASSWORD",
    "PUBLIC_URL",
    "SEALING_KEYS",
    "SIGNING_KEYS",
}
REVIEW = {"name": "Kim", "stars": "4", "title": "Good soup", "text": "Warm and plenty."}


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(clock: Clock) -> ReviewSite:
    return ReviewSite(clock)


@pytest.fixture
def empty_site(clock: Clock) -> ReviewSite:
    return ReviewSite(clock, seeded=False)


@pytest.fixture
async def http(site: ReviewSite) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(site) as http:
        yield http


def client_of(site: ReviewSite) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(create_app(site)), base_url="http://origin.test", trust_env=False
    )


def cafe(site: ReviewSite) -> Business:
    business = site.business("corner-cafe")
    assert business
    return business


def post_of(site: ReviewSite, post_id: str) -> Post:
    post = site.post(post_id)
    assert post
    return post


def write(site: ReviewSite, title: str = "Fine", rating: int = 3) -> Post:
    return site.add_review(cafe(site), customer="Kim", rating=rating, title=title, text="Fine.")


async def pages(http: httpx2.AsyncClient, limit: int) -> AsyncIterator[list[dict[str, Any]]]:
    """Every page of the café's posts, each asked for with the cursor of the one before."""
    query = {"limit": str(limit)}
    while True:
        document = (await http.get(f"{CAFE}/posts", params=query, headers=KEY)).json()
        yield document["posts"]
        if not document["more"]:
            return
        query["cursor"] = document["cursor"]


async def reply(
    http: httpx2.AsyncClient, post_id: str, key: str = "key-1", **content: object
) -> httpx2.Response:
    body = {"text": "Thank you!"} | content
    return await http.post(
        f"{CAFE}/posts/{post_id}/replies", json=body, headers=KEY | {"Idempotency-Key": key}
    )


async def upload(
    http: httpx2.AsyncClient, name: str, content: bytes = b"content", content_type: str = "application/pdf"
) -> dict[str, Any]:
    response = await http.post(
        f"{CAFE}/files", params={"name": name}, content=content, headers=KEY | {"Content-Type": content_type}
    )
    assert response.status_code == 201
    document: dict[str, Any] = response.json()
    return document


# --- The site ---------------------------------------------------------------------------------------------------


def test_each_business_starts_with_three_reviews_a_photo_and_a_comment(site: ReviewSite) -> None:
    for business in site.businesses:
        reviews = site.reviews(business)
        assert len(reviews) == 3
        assert [file.content_type for review in reviews for file in review.files] == ["image/png"]
        assert sum(len(site.comments(review)) for review in reviews) == 1


def test_ids_are_unique_over_businesses(site: ReviewSite) -> None:
    ids = [post.id for business in site.businesses for post in site.posts(business)]
    assert len(set(ids)) == len(ids) == 8
    assert all(re.fullmatch(r"[a-z0-9-]+", post_id) for post_id in ids)


def test_posts_of_the_same_microsecond_keep_their_order(empty_site: ReviewSite) -> None:
    written = [write(empty_site) for _ in range(12)]
    assert written[0].time == written[1].time == NOON
    assert sorted(written, key=lambda post: post.position) == written


def test_a_comment_stands_behind_what_it_answers_even_in_the_same_microsecond(empty_site: ReviewSite) -> None:
    review = write(empty_site)
    comment = empty_site.add_comment(review, customer="Lee", text="So it is.")
    assert comment.position > review.position


def test_a_clock_that_is_put_back_does_not_hide_a_post(empty_site: ReviewSite, clock: Clock) -> None:
    first = write(empty_site)
    clock.now -= timedelta(hours=1)
    second = write(empty_site)
    assert list(empty_site.posts_after(cafe(empty_site), first.position)) == [second]


def test_one_name_is_one_customer(site: ReviewSite) -> None:
    review = write(site)
    assert site.add_comment(review, customer="KIM", text="Me again.").author == review.author
    assert site.add_comment(review, customer="Lee", text="Not me.").author.id != review.author.id


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("menu.pdf", "menu.pdf"),
        ("Speisekarte für März.pdf", "Speisekarte für März.pdf"),
        ("../../etc/passwd", "etc-passwd"),
        ("a\r\nSet-Cookie: b.txt", "a-Set-Cookie: b.txt"),
        ("..", "file"),
        ("", "file"),
        ("x" * 300 + ".png", "x" * 196 + ".png"),
    ],
)
def test_a_file_name_can_stand_in_a_url(site: ReviewSite, given: str, kept: str) -> None:
    file = site.add_file(cafe(site), name=given, content_type="text/plain", content=b"")
    assert file.name == kept


# --- The API: who may ask -----------------------------------------------------------------------------------------

READS = ["", "/posts", "/posts?idempotency_key=k", "/files/file-1"]
WRITES = ["/posts/review-1/replies", "/files?name=a.txt"]
CALLS = [("GET", path) for path in READS] + [("POST", path) for path in WRITES]


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize(
    ("business", "authorization", "status"),
    [
        ("corner-cafe", None, 401),
        ("corner-cafe", "Bearer", 401),
        ("corner-cafe", "Bearer wrong", 401),
        ("corner-cafe", "Basic demo-key", 401),
        ("nowhere", None, 401),
        ("corner-cafe", "Bearer demo-key-2", 403),
        ("nowhere", "Bearer demo-key", 404),
    ],
)
async def test_a_caller_without_the_right_key_is_refused(
    http: httpx2.AsyncClient,
    site: ReviewSite,
    method: str,
    path: str,
    business: str,
    authorization: str | None,
    status: int,
) -> None:
    headers = {"Idempotency-Key": "k"} | ({"Authorization": authorization} if authorization else {})
    json = {"text": "Hello"} if method == "POST" else None
    response = await http.request(method, f"/api/businesses/{business}{path}", headers=headers, json=json)
    assert response.status_code == status
    assert response.json()["error"]
    assert ("www-authenticate" in response.headers) == (status == 401)
    assert len(site.posts(cafe(site))) == 4


async def test_the_scheme_of_the_key_is_not_case_sensitive(http: httpx2.AsyncClient) -> None:
    response = await http.get(CAFE, headers={"Authorization": "bearer demo-key"})
    assert response.json() == {"id": "corner-cafe", "name": "Corner Café"}


async def test_posts_and_files_of_another_business_are_unknown(
    http: httpx2.AsyncClient, site: ReviewSite
) -> None:
    other = "/api/businesses/book-nook"
    file = site.add_file(cafe(site), name="a.txt", content_type="text/plain", content=b"a")
    headers = OTHER_KEY | {"Idempotency-Key": "k"}
    assert (await http.get(f"{other}/files/{file.id}", headers=OTHER_KEY)).status_code == 404
    answer = await http.post(f"{other}/posts/review-1/replies", json={"text": "Hello"}, headers=headers)
    assert answer.status_code == 404
    attached = {"text": "Hello", "files": [file.id]}
    assert (
        await http.post(f"{other}/posts/review-4/replies", json=attached, headers=headers)
    ).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/nothing", 404), ("GET", f"{CAFE}/files", 405), ("PUT", CAFE, 405)],
)
async def test_the_api_explains_itself_in_json(
    http: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await http.request(method, path, headers=KEY)
    assert response.status_code == status
    assert response.json()["error"]
    assert ("allow" in response.headers) == (status == 405)


# --- The API: reading posts ---------------------------------------------------------------------------------------


async def test_the_api_lists_the_branches_of_a_business(http: httpx2.AsyncClient) -> None:
    answer = await http.get(f"{CAFE}/branches", headers=KEY)

    assert answer.json()["branches"] == [
        {"id": "old-town", "name": "Old Town"},
        {"id": "station", "name": "Central Station"},
    ]


@pytest.mark.parametrize(
    ("chosen", "branch"), [("station", "station"), ("nowhere", "old-town"), ("", "old-town")]
)
async def test_a_review_is_of_a_branch(http: httpx2.AsyncClient, chosen: str, branch: str) -> None:
    written = await http.post("/businesses/corner-cafe/reviews", data=REVIEW | {"branch": chosen})
    posts = (await http.get(f"{CAFE}/posts", headers=KEY)).json()["posts"]

    assert written.status_code == 303
    assert posts[-1]["branch"] == branch


async def test_a_post_says_everything_about_itself(site: ReviewSite, http: httpx2.AsyncClient) -> None:
    photo = site.add_file(cafe(site), name="soup.png", content_type="image/png", content=PNG)
    review = site.add_review(
        cafe(site), customer="Kim", rating=4, title="Good soup", text="Warm.", files=[photo]
    )
    comment = site.add_comment(review, customer="Lee", text="Yes.")
    document = (await http.get(f"{CAFE}/posts", headers=KEY)).json()
    assert document["more"] is False
    assert document["posts"][-2:] == [
        {
            "id": "review-7",
            "review_id": "review-7",
            "answers_id": None,
            "time": "2026-11-20T12:00:00.123456Z",
            "author": {"id": review.author.id, "name": "Kim", "kind": "customer"},
            "rating": 4,
            "review_rating": 4,
            "branch": "old-town",
            "title": "Good soup",
            "text": "Warm.",
            "files": [{"id": photo.id, "name": "soup.png", "content_type": "image/png", "size": len(PNG)}],
        },
        {
            "id": comment.id,
            "review_id": "review-7",
            "answers_id": "review-7",
            "time": "2026-11-20T12:00:00.123457Z",
            "author": {"id": comment.author.id, "name": "Lee", "kind": "customer"},
            "rating": None,
            "review_rating": 4,
            "branch": "old-town",
            "title": None,
            "text": "Yes.",
            "files": [],
        },
    ]


def test_a_site_that_was_started_again_gives_no_id_twice() -> None:
    """The service remembers what it has seen, and would take another post for that one."""
    ids: list[str] = []
    for start in (1_000, 2_000):
        site = ReviewSite(numbers_from=start)
        photo = site.add_file(cafe(site), name="soup.png", content_type="image/png", content=PNG)
        review = site.add_review(cafe(site), customer="Kim", rating=4, title="Good", text="Warm.")
        comment = site.add_comment(review, customer="Lee", text="Yes.")
        ids += [photo.id, review.id, comment.id]

    assert ids[:3] == ["file-1000", "review-1000", "comment-1000"]
    assert len(set(ids)) == 6


async def test_a_time_on_the_full_second_has_its_microseconds(
    http: httpx2.AsyncClient, site: ReviewSite
) -> None:
    site.add_review(
        cafe(site), customer="Kim", rating=4, title="T", text="T", time=datetime(2026, 11, 21, tzinfo=UTC)
    )
    posts = (await http.get(f"{CAFE}/posts", headers=KEY)).json()["posts"]
    assert posts[-1]["time"] == "2026-11-21T00:00:00.000000Z"


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_pages_meet_every_post_once_when_times_are_equal(empty_site: ReviewSite, limit: int) -> None:
    for _ in range(9):
        write(empty_site)
    review = post_of(empty_site, "review-5")
    for _ in range(5):
        empty_site.add_comment(review, customer="Lee", text="Yes.")
    written = empty_site.posts(cafe(empty_site))
    assert len({post.time for post in written}) == 2
    async with client_of(empty_site) as http:
        seen = [page async for page in pages(http, limit)]
    assert [post["id"] for page in seen for post in page] == [post.id for post in written]
    assert all(len(page) == limit for page in seen[:-1])


async def test_a_post_of_the_microsecond_that_was_read_last_is_not_missed(empty_site: ReviewSite) -> None:
    for _ in range(9):
        write(empty_site)
    async with client_of(empty_site) as http:
        read = (await http.get(f"{CAFE}/posts", headers=KEY)).json()
        later = write(empty_site)
        query = {"cursor": read["cursor"]}
        document = (await http.get(f"{CAFE}/posts", params=query, headers=KEY)).json()
        query = {"cursor": document["cursor"]}
        nothing = (await http.get(f"{CAFE}/posts", params=query, headers=KEY)).json()
    assert [post["id"] for post in document["posts"]] == [later.id] == ["review-10"]
    assert nothing == {"posts": [], "cursor": document["cursor"], "more": False}


async def test_more_is_told_only_when_there_is_more(http: httpx2.AsyncClient) -> None:
    def query(limit: int) -> dict[str, str]:
        return {"limit": str(limit)}

    assert (await http.get(f"{CAFE}/posts", params=query(3), headers=KEY)).json()["more"] is True
    assert (await http.get(f"{CAFE}/posts", params=query(4), headers=KEY)).json()["more"] is False


async def test_who_waits_is_answered_as_soon_as_there_is_something(
    http: httpx2.AsyncClient, site: ReviewSite
) -> None:
    page = (await http.get(f"{CAFE}/posts", headers=KEY)).json()
    query = {"cursor": page["cursor"], "wait": "30"}

    waiting = asyncio.create_task(http.get(f"{CAFE}/posts", params=query, headers=KEY))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    written = write(site)
    answer = (await asyncio.wait_for(waiting, 10)).json()

    assert [post["id"] for post in answer["posts"]] == [written.id]


async def test_who_waits_in_vain_is_answered_with_nothing(http: httpx2.AsyncClient) -> None:
    page = (await http.get(f"{CAFE}/posts", headers=KEY)).json()
    query = {"cursor": page["cursor"], "wait": "1"}

    answer = await asyncio.wait_for(http.get(f"{CAFE}/posts", params=query, headers=KEY), 10)

    assert answer.json() == {"posts": [], "cursor": page["cursor"], "more": False}


@pytest.mark.parametrize(
    ("since", "found"), [("2026-11-20", 2), ("2026-11-21", 0), ("0001-01-01", 6), ("9999-12-31", 0)]
)
async def test_older_posts_can_be_left_out(
    http: httpx2.AsyncClient, site: ReviewSite, since: str, found: int
) -> None:
    """The seeds are older than a day."""
    write(site)
    write(site)
    response = await http.get(f"{CAFE}/posts", params={"since": since}, headers=KEY)
    assert len(response.json()["posts"]) == found


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=ten",
        "limit=",
        "limit=%D9%A3",
        "wait=31",
        "cursor=review-1",
        "cursor=MjAyNi0xMS0yMFQxMjowMDowMCByZXZpZXctMQ==",
        "cursor=%FF",
        "cursor=a%00b",
        "since=",
        "since=yesterday",
        "since=2026-13-20",
    ],
)
async def test_a_query_that_makes_no_sense_is_refused(http: httpx2.AsyncClient, query: str) -> None:
    response = await http.get(f"{CAFE}/posts?{query}", headers=KEY)
    assert response.status_code == 400
    assert query.partition("=")[0] in response.json()["error"]


# --- The API: replies ---------------------------------------------------------------------------------------------


async def test_a_reply_is_the_businesss_and_stands_in_the_thread(
    http: httpx2.AsyncClient, site: ReviewSite
) -> None:
    response = await reply(http, "comment-1")
    assert response.status_code == 201
    document = response.json()
    assert document["review_id"] == "review-2"
    assert document["answers_id"] == "comment-1"
    assert document["author"] == {"id": "corner-cafe", "name": "Corner Café", "kind": "business"}
    assert document["time"] == "2026-11-20T12:00:00.123456Z"
    assert (await http.get(f"{CAFE}/posts", headers=KEY)).json()["posts"][-1] == document
    assert site.comments(post_of(site, "review-2"))[-1].id == document["id"]


async def test_a_repeated_key_gives_the_same_post(http: httpx2.AsyncClient, site: ReviewSite) -> None:
    first = await reply(http, "review-1", "key-1")
    again = await reply(http, "review-1", "key-1")
    other = await reply(http, "review-1", "key-2")
    assert [first.status_code, again.status_code, other.status_code] == [201, 200, 201]
    assert first.json() == again.json()
    assert len(site.comments(post_of(site, "review-1"))) == 2


async def test_repeats_at_the_same_moment_make_one_post(http: httpx2.AsyncClient, site: ReviewSite) -> None:
    responses = await asyncio.gather(*(reply(http, "review-1") for _ in range(10)))
    assert sorted(response.status_code for response in responses) == [200] * 9 + [201]
    assert len({response.json()["id"] for response in responses}) == 1
    assert len(site.comments(post_of(site, "review-1"))) == 1


async def test_a_key_counts_for_one_business(http: httpx2.AsyncClient) -> None:
    made = (await reply(http, "review-1", "shared")).json()
    response = await http.post(
        "/api/businesses/book-nook/posts/review-4/replies",
        json={"text": "Thanks!"},
        headers=OTHER_KEY | {"Idempotency-Key": "shared"},
    )
    assert response.status_code == 201
    assert response.json()["id"] != made["id"]


async def test_a_reply_is_found_by_its_key(http: httpx2.AsyncClient) -> None:
    made = (await reply(http, "review-1", "key 1/+&")).json()
    found = await http.get(f"{CAFE}/posts", params={"idempotency_key": "key 1/+&"}, headers=KEY)
    assert found.json() == {"posts": [made]}
    unknown = await http.get(f"{CAFE}/posts", params={"idempotency_key": "key 2"}, headers=KEY)
    assert unknown.json() == {"posts": []}
    other = "/api/businesses/book-nook/posts"
    foreign = await http.get(other, params={"idempotency_key": "key 1/+&"}, headers=OTHER_KEY)
    assert foreign.json() == {"posts": []}


async def test_a_business_calls_its_own_reviews_helpful(http: httpx2.AsyncClient) -> None:
    helpful = f"{CAFE}/reviews/review-1/helpful"
    assert (await http.get(helpful, headers=KEY)).json() == {"helpful": False}
    for value in (True, True, False):
        assert (await http.put(helpful, json={"helpful": value}, headers=KEY)).json() == {"helpful": value}
        assert ("calls this review helpful" in (await http.get("/posts/review-1")).text) is value
    assert (await http.put(helpful, json={"helpful": "yes"}, headers=KEY)).status_code == 422
    assert (await http.put(helpful, json=[], headers=KEY)).status_code == 422
    assert (await http.get(helpful)).status_code == 401
    for other in ("review-4", "comment-1", "unknown"):
        answer = await http.put(f"{CAFE}/reviews/{other}/helpful", json={"helpful": True}, headers=KEY)
        assert answer.status_code == 404


async def test_a_key_is_required(http: httpx2.AsyncClient) -> None:
    for key in ("", "k" * 256):
        assert (await reply(http, "review-1", key)).status_code == 400
    response = await http.post(f"{CAFE}/posts/review-1/replies", json={"text": "Hello"}, headers=KEY)
    assert response.status_code == 400
    assert "Idempotency-Key" in response.json()["error"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"text": ""}', 422),
        (b'{"text": " \\n\\t "}', 422),
        (b'{"text": 5}', 422),
        (b'{"text": null}', 422),
        (b"{}", 422),
        (b"[]", 422),
        (b'{"text": "half \\ud800"}', 422),
        (b'{"text": "ok", "files": "file-1"}', 422),
        (b'{"text": "ok", "files": ["file-99"]}', 422),
        (b'{"text": "ok", "files": [1]}', 422),
        (b'{"text": "' + b"x" * (TEXT_LIMIT + 1) + b'"}', 422),
        (b"", 400),
        (b"{", 400),
        (b'{"text": "\xff"}', 400),
        (b"[" * 100_000, 400),
        (b'{"text": "' + b"x" * (1024 * 1024) + b'"}', 413),
    ],
)
async def test_a_reply_that_cannot_be_made_is_refused_and_its_key_stays_free(
    http: httpx2.AsyncClient, site: ReviewSite, content: bytes, status: int
) -> None:
    headers = KEY | {"Idempotency-Key": "key-1"}
    response = await http.post(f"{CAFE}/posts/review-1/replies", content=content, headers=headers)
    assert response.status_code == status
    assert response.json()["error"]
    assert not site.comments(post_of(site, "review-1"))
    assert (await reply(http, "review-1", "key-1")).status_code == 201


async def test_a_text_is_counted_in_characters_and_kept_as_it_is(http: httpx2.AsyncClient) -> None:
    text = "  🍰" + "é" * (TEXT_LIMIT - 4) + "\n"
    response = await reply(http, "review-1", text=text)
    assert response.status_code == 201
    assert response.json()["text"] == text


async def test_an_unknown_post_is_not_answered(http: httpx2.AsyncClient) -> None:
    assert (await reply(http, "review-99")).status_code == 404


# --- Files ----------------------------------------------------------------------------------------------------------


async def test_a_file_is_kept_attached_and_read_again(http: httpx2.AsyncClient) -> None:
    file = await upload(http, "Menü & prices.pdf", b"%PDF\x00\xff", "application/pdf; version=2")
    assert file == {
        "id": "file-3",
        "name": "Menü & prices.pdf",
        "content_type": "application/pdf; version=2",
        "size": 6,
    }
    made = (await reply(http, "review-1", files=[file["id"]])).json()
    assert made["files"] == [file]
    read = await http.get(f"{CAFE}/files/{file['id']}", headers=KEY)
    assert read.content == b"%PDF\x00\xff"
    assert read.headers["content-type"] == "application/pdf; version=2"


async def test_a_file_without_a_type_or_a_name_has_the_plainest(http: httpx2.AsyncClient) -> None:
    document = (await http.post(f"{CAFE}/files", content=b"", headers=KEY)).json()
    assert (document["name"], document["content_type"], document["size"]) == (
        "file",
        "application/octet-stream",
        0,
    )


async def test_a_file_may_have_ten_megabytes_and_no_more(http: httpx2.AsyncClient) -> None:
    assert (
        (await upload(http, "full.bin", bytes(FILE_SIZE_LIMIT)))["size"]
        == FILE_SIZE_LIMIT
        == 10 * 1024 * 1024
    )

    async def chunks(total: int) -> AsyncIterator[bytes]:
        for start in range(0, total, 1024 * 1024):
            yield bytes(min(1024 * 1024, total - start))

    for total in (FILE_SIZE_LIMIT + 1, 5 * FILE_SIZE_LIMIT):
        response = await http.post(f"{CAFE}/files?name=over.bin", content=chunks(total), headers=KEY)
        assert response.status_code == 413
        assert "10 MB" in response.json()["error"]


@pytest.mark.parametrize(
    ("content_type", "disposition"),
    [
        ("image/png", "inline"),
        ("image/jpeg", "inline"),
        ("image/gif", "inline"),
        ("image/webp", "inline"),
        ("IMAGE/PNG; a=b", "inline"),
        ("image/svg+xml", "attachment"),
        ("text/html", "attachment"),
        ("application/pdf", "attachment"),
    ],
)
async def test_no_browser_runs_an_uploaded_file(
    http: httpx2.AsyncClient, content_type: str, disposition: str
) -> None:
    file = await upload(http, 'ä "b".html', b"<script>alert(1)</script>", content_type)
    await reply(http, "review-1", files=[file["id"]])
    path = "%C3%A4%20%22b%22.html"
    for url, headers in ((f"{CAFE}/files/{file['id']}", KEY), (f"/files/{file['id']}/{path}", {})):
        response = await http.get(url, headers=headers)
        assert response.status_code == 200
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-disposition"] == f"{disposition}; filename*=UTF-8''{path}"
        assert "sandbox" in response.headers["content-security-policy"]


async def test_a_file_is_public_once_a_post_shows_it(http: httpx2.AsyncClient) -> None:
    file = await upload(http, "menu.pdf")
    url = f"/files/{file['id']}/menu.pdf"
    assert (await http.get(url)).status_code == 404
    await reply(http, "review-1", files=[file["id"]])
    assert (await http.get(url)).content == b"content"
    assert (await http.get(f"/files/{file['id']}/other.pdf")).status_code == 404


# --- The pages ------------------------------------------------------------------------------------------------------


def form_of(html: str) -> str:
    found = re.search(r"<form.*</form>", html, re.DOTALL)
    assert found
    return found[0]


async def test_the_start_page_shows_the_businesses_the_reviews_and_the_form(http: httpx2.AsyncClient) -> None:
    start = await http.get("/")
    assert start.status_code == 200
    assert "/businesses/corner-cafe" in start.text
    assert "/businesses/book-nook" in start.text
    titles = ["Great cake, loud music", "Half an hour for a sandwich", "The best flat white in town"]
    assert re.findall(r"<h3><a [^>]+>([^<]+)", start.text) == titles
    assert "My order never arrived" in (await http.get("/businesses/book-nook")).text


async def test_every_field_of_a_form_has_its_label(http: httpx2.AsyncClient) -> None:
    for url in ("/", "/posts/review-1"):
        form = form_of((await http.get(url)).text)
        fields = re.findall(r'<(?:input|select|textarea) id="([^"]+)"', form)
        assert fields
        assert re.findall(r'<label for="([^"]+)"', form) == fields


async def test_pages_allow_no_script_and_no_foreign_asset(http: httpx2.AsyncClient) -> None:
    for url in ("/", "/posts/review-1", "/nothing"):
        response = await http.get(url)
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert "script-src" not in response.headers["content-security-policy"]
        assert "<script" not in response.text
        assert "//" not in re.sub(r"\s", "", response.text)
    assert (await http.get("/style.css")).headers["content-type"].startswith("text/css")


async def test_a_customer_writes_a_review_with_a_photo(http: httpx2.AsyncClient, site: ReviewSite) -> None:
    response = await http.post(
        "/businesses/corner-cafe/reviews",
        data=REVIEW | {"text": " Warm.\r\n\r\nAnd plenty. "},
        files={"photo": ("soup.svg", PNG, "image/svg+xml")},
    )
    assert (response.status_code, response.headers["location"]) == (303, "/posts/review-7")
    review = post_of(site, "review-7")
    assert (review.author.name, review.author.kind) == ("Kim", "customer")
    assert (review.rating, review.title, review.text) == (4, "Good soup", "Warm.\n\nAnd plenty.")
    assert [(file.content_type, file.content) for file in review.files] == [("image/png", PNG)]
    page = (await http.get("/posts/review-7")).text
    assert f'<img src="/files/{review.files[0].id}/soup.svg"' in page
    assert "4 out of 5 stars" in page
    assert "Good soup" in (await http.get("/businesses/corner-cafe")).text


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("a.png", PNG, "image/png"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("a.gif", b"GIF89a..", "image/gif"),
        ("a.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
    ],
)
async def test_a_photo_is_known_by_its_content(
    http: httpx2.AsyncClient, site: ReviewSite, name: str, content: bytes, content_type: str
) -> None:
    await http.post(
        "/businesses/corner-cafe/reviews", data=REVIEW, files={"photo": (name, content, "text/html")}
    )
    assert [file.content_type for file in post_of(site, "review-7").files] == [content_type]


async def test_no_photo_needs_to_be_chosen(http: httpx2.AsyncClient, site: ReviewSite) -> None:
    empty = {"photo": ("", b"", "application/octet-stream")}
    assert (await http.post("/businesses/corner-cafe/reviews", data=REVIEW, files=empty)).status_code == 303
    assert (await http.post("/businesses/corner-cafe/reviews", data=REVIEW)).status_code == 303
    assert post_of(site, "review-7").files == post_of(site, "review-8").files == ()


@pytest.mark.parametrize(
    ("field", "value", "explanation"),
    [
        ("name", "  ", "Write your name."),
        ("name", "x" * 61, "Shorten this to 60 characters: it has 61."),
        ("stars", "", "Choose one to five stars."),
        ("stars", "6", "Choose one to five stars."),
        ("title", "", "Sum it up in a title."),
        ("title", "x" * 121, "Shorten this to 120 characters: it has 121."),
        ("text", "", "Write what you experienced."),
        ("text", "x" * 5001, "Shorten this to 5,000 characters: it has 5,001."),
    ],
)
async def test_an_error_stands_beside_its_field_and_the_rest_is_kept(
    http: httpx2.AsyncClient, site: ReviewSite, field: str, value: str, explanation: str
) -> None:
    response = await http.post("/businesses/corner-cafe/reviews", data=REVIEW | {field: value})
    assert response.status_code == 422
    form = form_of(response.text)
    assert f'<p class="error" id="{field}-error">{explanation}</p>' in form
    assert form.count('class="error"') == form.count('aria-invalid="true"') == 1
    assert f'aria-describedby="{field}-error"' in form
    assert 'role="alert"' in form
    kept = {
        "name": 'name="name" value="Kim"',
        "stars": 'value="4" required checked',
        "title": 'name="title" value="Good soup"',
        "text": ">\nWarm and plenty.</textarea>",
    }
    assert all(text in form for name, text in kept.items() if name != field)
    assert site.post("review-7") is None


@pytest.mark.parametrize(
    ("changes", "content", "explanation"),
    [
        ({}, b"<svg/>", "Choose a photo in PNG, JPEG, GIF or WebP."),
        ({}, PNG + bytes(FILE_SIZE_LIMIT), "Choose a photo of at most 10 MB."),
        ({"title": ""}, PNG, "Choose your photo again: browsers do not keep it."),
    ],
)
async def test_a_photo_that_cannot_be_taken_is_explained(
    http: httpx2.AsyncClient, changes: dict[str, str], content: bytes, explanation: str
) -> None:
    response = await http.post(
        "/businesses/corner-cafe/reviews",
        data=REVIEW | changes,
        files={"photo": ("a.png", content, "image/png")},
    )
    assert response.status_code == 422
    assert f'<p class="error" id="photo-error">{explanation}</p>' in response.text


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (bytes(2 * FILE_SIZE_LIMIT + 1), "multipart/form-data; boundary=b", 413),
        (b"--x", "multipart/form-data", 400),
        (b"name=" + b"x" * (1024 * 1024 + 1), "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 422),
    ],
)
async def test_a_form_that_no_browser_sends_is_refused(
    http: httpx2.AsyncClient, content: bytes, content_type: str, status: int
) -> None:
    response = await http.post(
        "/businesses/corner-cafe/reviews", content=content, headers={"Content-Type": content_type}
    )
    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")


async def test_what_people_write_is_never_markup(http: httpx2.AsyncClient, site: ReviewSite) -> None:
    attack = "<script>alert('&')</script>"
    escaped = "&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;"
    await http.post(
        "/businesses/corner-cafe/reviews", data=REVIEW | dict.fromkeys(("name", "title", "text"), attack)
    )
    file = await upload(http, f'"{attack}.png', PNG, "image/png")
    other = await upload(http, f'"{attack}.pdf')
    await reply(http, "review-7", text=attack, files=[file["id"], other["id"]])
    await http.post("/posts/review-7/comments", data={"name": attack, "text": attack})
    refused = await http.post("/posts/review-7/comments", data={"name": attack, "text": ""})
    pages = [refused.text, (await http.get("/")).text, (await http.get("/posts/review-7")).text]
    assert all("<script" not in page and escaped in page for page in pages)
    assert pages[2].count(f'<p class="text">{escaped}</p>') == 3


async def test_a_permalink_shows_the_review_its_comments_and_the_reply(
    http: httpx2.AsyncClient, site: ReviewSite
) -> None:
    photo = await upload(http, "counter.png", PNG, "image/png")
    menu = await upload(http, "menu.pdf", bytes(1_500))
    made = (await reply(http, "review-2", text="We are sorry.", files=[photo["id"], menu["id"]])).json()
    page = (await http.get("/posts/review-2")).text
    assert "Half an hour for a sandwich" in page
    assert "Go before half past eleven" in page
    answer = page[page.index(f'id="{made["id"]}"') :]
    assert "We are sorry." in answer
    assert '<span class="badge">Business</span>' in answer
    assert f'<img src="/files/{photo["id"]}/counter.png"' in answer
    assert f'<a href="/files/{menu["id"]}/menu.pdf" download>' in answer
    assert "2 kB" in answer
    assert "Corner Café replied" in (await http.get("/")).text


async def test_the_permalink_of_a_comment_leads_to_its_place_in_the_thread(http: httpx2.AsyncClient) -> None:
    response = await http.get("/posts/comment-1")
    assert (response.status_code, response.headers["location"]) == (302, "/posts/review-2#comment-1")


async def test_a_customer_comments_and_answers_a_comment(http: httpx2.AsyncClient, site: ReviewSite) -> None:
    words = {"name": "Lee", "text": "Me too."}
    response = await http.post("/posts/review-2/comments", data=words)
    assert (response.status_code, response.headers["location"]) == (303, "/posts/review-2#comment-3")
    form = form_of((await http.get("/posts/review-2?answer=comment-3")).text)
    assert 'action="/posts/comment-3/comments#answer"' in form
    assert "Answer Lee" in form
    await http.post("/posts/comment-3/comments", data=words)
    answer = post_of(site, "comment-4")
    assert (answer.answers_id, answer.review_id) == ("comment-3", "review-2")
    assert "answers <a" in (await http.get("/posts/review-2")).text


async def test_the_form_answers_the_review_when_the_post_to_answer_is_none_of_its_thread(
    http: httpx2.AsyncClient,
) -> None:
    for other in ("comment-2", "review-1", "nothing"):
        page = (await http.get(f"/posts/review-2?answer={other}")).text
        assert 'action="/posts/review-2/comments#answer"' in page


async def test_a_comment_that_is_not_complete_is_kept_beside_its_error(
    http: httpx2.AsyncClient, site: ReviewSite
) -> None:
    response = await http.post("/posts/comment-1/comments", data={"name": "", "text": "Me too."})
    assert response.status_code == 422
    form = form_of(response.text)
    assert '<p class="error" id="name-error">Write your name.</p>' in form
    assert ">\nMe too.</textarea>" in form
    assert "Answer Priya Nair" in form
    assert len(site.comments(post_of(site, "review-2"))) == 1


async def test_a_business_without_reviews_has_its_page(empty_site: ReviewSite) -> None:
    async with client_of(empty_site) as http:
        page = (await http.get("/")).text
    assert "Nobody has written yet" in page
    assert "0 reviews" in page


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/businesses/nowhere", 404),
        ("POST", "/businesses/nowhere/reviews", 404),
        ("GET", "/posts/review-99", 404),
        ("POST", "/posts/review-99/comments", 404),
        ("GET", "/files/file-99/a.png", 404),
        ("GET", "/nothing", 404),
        ("DELETE", "/posts/review-1", 405),
    ],
)
async def test_a_page_that_is_not_there_is_explained(
    http: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await http.request(method, path)
    assert response.status_code == status
    assert "This did not work" in response.text


# --- python -m sandbox ------------------------------------------------------------------------------------------------


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


@contextmanager
def sandbox(folder: Path, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """The command, in a folder of its own: the service keeps its database and keys where it is started."""
    inherited = {name: value for name, value in os.environ.items() if name not in SERVICE_SETTINGS}
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=folder,
        env=inherited | {"PYTHONPATH": os.pathsep.join([str(folder / "src"), str(TEMPLATE)])} | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout
    output = ""
    for line in process.stdout:
        output += line
        if words in line:
            return output
    pytest.fail(f"it ended without saying {words!r}:\n{output}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_origin_runs_by_itself_until_a_signal_comes(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    with sandbox(tmp_path, "--origin-only", "--origin-port", port) as process:
        output = read_until(process, "Ctrl-C")
        assert f"http://127.0.0.1:{port}/" in output
        assert "business corner-cafe, API key demo-key" in output
        answer = httpx2.get(f"http://127.0.0.1:{port}{CAFE}", headers=KEY, trust_env=False)
        assert answer.json()["name"] == "Corner Café"
        process.send_signal(number)
        assert process.wait(timeout=20) == 0


def test_a_file_that_is_too_large_is_refused_in_a_way_that_its_sender_sees(tmp_path: Path) -> None:
    port = free_port()
    with sandbox(tmp_path, "--origin-only", "--origin-port", port) as process:
        read_until(process, "Ctrl-C")
        url = f"http://127.0.0.1:{port}{CAFE}/files?name=over.bin"
        answer = httpx2.post(url, content=bytes(FILE_SIZE_LIMIT * 3 // 2), headers=KEY, trust_env=False)
        assert answer.status_code == 413


@pytest.mark.usefixtures("code")
def test_the_service_and_its_origin_start_and_stop_together(tmp_path: Path) -> None:
    port, origin_port, zendesk_port = free_port(), free_port(), free_port()
    ports = ("--port", port, "--origin-port", origin_port, "--zendesk-port", zendesk_port)
    with sandbox(tmp_path, *ports) as process:
        output = read_until(process, "Ctrl-C")
        manifest = f"http://127.0.0.1:{port}/channel/manifest"
        assert manifest in output
        answer = httpx2.get(manifest, trust_env=False)
        assert answer.json()["urls"]["admin_ui"] == f"http://127.0.0.1:{port}/channel/admin_ui"
        assert httpx2.get(f"http://127.0.0.1:{origin_port}/", trust_env=False).status_code == 200
        process.terminate()
        assert process.wait(timeout=30) == 0
    for each in (port, origin_port, zendesk_port):
        with socket.create_server(("127.0.0.1", int(each))) as freed:
            assert freed


@pytest.mark.usefixtures("code")
def test_a_service_that_cannot_start_ends_the_command_with_its_exit_code(tmp_path: Path) -> None:
    ports = ("--port", free_port(), "--origin-port", free_port(), "--zendesk-port", free_port())
    with sandbox(tmp_path, *ports, "--no-reload", ENVIRONMENT="production") as process:
        output = read_until(process, "The service ended by itself")
        code = process.wait(timeout=20)
        assert code != 0
        assert f"with exit code {code}." in output
        assert "ENVIRONMENT is production, but ZENDESK_URL leads away from Zendesk" in output
