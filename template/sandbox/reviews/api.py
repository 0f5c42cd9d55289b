"""The API for businesses: what they read of their customers and how they reply."""

import asyncio
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, date, datetime, time
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .. import json_text
from .oauth.provider import Provider
from .review_site import FILE_SIZE_LIMIT, TEXT_LIMIT, Business, Post, ReviewSite, StoredFile
from .transfer import read_body, serve

PAGE_LIMIT = 100
WAIT_LIMIT = 30
SECONDS_BETWEEN_LOOKS = 0.1
JSON_SIZE_LIMIT = 1024 * 1024
KEY_LENGTH_LIMIT = 255

_THE_BEGINNING = datetime.min.replace(tzinfo=UTC)


class Api:
    def __init__(self, site: ReviewSite, provider: Provider | None = None) -> None:
        self._site = site
        self._provider = provider or Provider()
        base = "/api/businesses/{business}"
        self.routes = (
            Route(base, self.read_business),
            Route(f"{base}/branches", self.read_branches),
            Route(f"{base}/posts", self.read_posts),
            Route(f"{base}/posts/{{post}}/replies", self.add_reply, methods=["POST"]),
            Route(f"{base}/reviews/{{review}}/helpful", self.helpful, methods=["GET", "PUT"]),
            Route(f"{base}/posts/{{post}}/resolution", self.resolve, methods=["PUT"]),
            Route(f"{base}/files", self.add_file, methods=["POST"]),
            Route(f"{base}/files/{{file}}", self.read_file),
        )

    async def read_business(self, request: Request) -> Response:
        business = self.authorised_business(request)
        return JSONResponse({"id": business.id, "name": business.name})

    async def read_branches(self, request: Request) -> Response:
        branches = self.authorised_business(request).branches
        return JSONResponse({"branches": [{"id": branch.id, "name": branch.name} for branch in branches]})

    async def read_posts(self, request: Request) -> Response:
        business = self.authorised_business(request)
        if "idempotency_key" in request.query_params:
            reply = self._site.reply_made_under(business, request.query_params["idempotency_key"])
            return JSONResponse({"posts": [self._json(reply)] if reply else []})
        limit = _number(request, "limit", PAGE_LIMIT, otherwise=PAGE_LIMIT)
        position, since = _position(request), _since(request)
        end = asyncio.get_running_loop().time() + _number(request, "wait", WAIT_LIMIT, otherwise=0)
        while True:
            posts = self._site.posts_after(business, position)
            posts = [post for post in posts if since is None or post.time >= since]
            is_over = asyncio.get_running_loop().time() >= end
            if posts or is_over or await request.is_disconnected():
                break
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        page = posts[:limit]
        return JSONResponse(
            {
                "posts": [self._json(post) for post in page],
                "cursor": _cursor(page[-1]) if page else request.query_params.get("cursor", ""),
                "more": len(posts) > limit,
            }
        )

    async def add_reply(self, request: Request) -> Response:
        business = self.authorised_business(request)
        answered = self._site.post(request.path_params["post"])
        if answered is None or answered.business_id != business.id:
            raise HTTPException(404, "There is no such post.")
        key = request.headers.get("idempotency-key", "")
        if not 1 <= len(key) <= KEY_LENGTH_LIMIT:
            raise HTTPException(400, f"Send an Idempotency-Key header of 1 to {KEY_LENGTH_LIMIT} characters.")
        body = await read_body(request, JSON_SIZE_LIMIT)
        if known := self._site.reply_made_under(business, key):
            return JSONResponse(self._json(known))
        text, files = self._reply_content(business, body)
        reply, is_new = self._site.add_reply(answered, text=text, files=files, idempotency_key=key)
        return JSONResponse(self._json(reply), status_code=201 if is_new else 200)

    async def helpful(self, request: Request) -> Response:
        business = self.authorised_business(request)
        review = self._site.post(request.path_params["review"])
        if review is None or review.business_id != business.id or review.answers_id is not None:
            raise HTTPException(404, "There is no such review.")
        if request.method == "PUT":
            content = read_json(await read_body(request, JSON_SIZE_LIMIT))
            helpful = content.get("helpful") if isinstance(content, dict) else None
            if not isinstance(helpful, bool):
                raise HTTPException(422, "Send helpful as true or false.")
            self._site.set_helpful(review, helpful=helpful)
        return JSONResponse({"helpful": self._site.is_helpful(review)})

    async def resolve(self, request: Request) -> Response:
        """Mark the review that began the post's thread as resolved, once however often this is asked."""
        business = self.authorised_business(request)
        post = self._site.post(request.path_params["post"])
        if post is None or post.business_id != business.id:
            raise HTTPException(404, "There is no such post.")
        content = read_json(await read_body(request, JSON_SIZE_LIMIT))
        try:
            moment = datetime.fromisoformat(content["at"])
            if moment.tzinfo is None:
                raise ValueError(content["at"])
        except (KeyError, TypeError, ValueError):
            raise HTTPException(422, "Send a moment with its time zone: at.") from None
        review = self._site.review_of(post)
        self._site.resolve(review, moment)
        return JSONResponse({"id": review.id, "resolved_at": _text(self._site.resolved_at(review) or moment)})

    async def add_file(self, request: Request) -> Response:
        business = self.authorised_business(request)
        content = await read_body(request, FILE_SIZE_LIMIT)
        file = self._site.add_file(
            business,
            name=request.query_params.get("name", ""),
            content_type=request.headers.get("content-type") or "application/octet-stream",
            content=content,
        )
        return JSONResponse(_file_json(file), status_code=201)

    async def read_file(self, request: Request) -> Response:
        business = self.authorised_business(request)
        file = self._site.file(request.path_params["file"])
        if file is None or file.business_id != business.id:
            raise HTTPException(404, "There is no such file.")
        return serve(file)

    def authorised_business(self, request: Request) -> Business:
        """The business of the path, if the caller's key or access token is its own."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        caller = self._caller(key.strip()) if scheme.lower() == "bearer" else None
        if caller is None:
            raise HTTPException(401, "Send your API key as a bearer token.", {"WWW-Authenticate": "Bearer"})
        business = self._site.business(request.path_params["business"])
        if business is None:
            raise HTTPException(404, "There is no such business.")
        if business != caller:
            raise HTTPException(403, "This API key belongs to another business.")
        return business

    def _caller(self, key: str) -> Business | None:
        let_in = self._provider.business_of(key)
        return self._site.business(let_in) if let_in else self._site.business_of_key(key)

    def _json(self, post: Post) -> dict[str, object]:
        return post_json(post, self._site.review_of(post))

    def _reply_content(self, business: Business, body: bytes) -> tuple[str, list[StoredFile]]:
        content = read_json(body)
        text = content.get("text") if isinstance(content, dict) else None
        if not isinstance(text, str) or not text.strip():
            raise HTTPException(422, "Write a text: it is empty.")
        if len(text) > TEXT_LIMIT:
            raise HTTPException(422, f"Shorten the text to {TEXT_LIMIT:,} characters: it has {len(text):,}.")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise HTTPException(422, "The text holds half of a surrogate pair, which is not a character.")
        file_ids = content.get("files", [])
        if not isinstance(file_ids, list):
            raise HTTPException(422, "Send files as a list of file ids.")
        return text, [self._file_to_attach(business, file_id) for file_id in file_ids]

    def _file_to_attach(self, business: Business, file_id: object) -> StoredFile:
        file = self._site.file(file_id) if isinstance(file_id, str) else None
        if file is None or file.business_id != business.id:
            raise HTTPException(422, f"There is no file {json.dumps(file_id)[:100]}: upload it first.")
        return file


def read_json(body: bytes) -> Any:
    try:
        return json_text.read(body)
    except ValueError:
        raise HTTPException(400, "The body is not JSON.") from None


def _cursor(post: Post) -> str:
    """Where to read on behind a post; callers are not meant to look inside."""
    written, post_id = post.position
    return urlsafe_b64encode(f"{written.astimezone(UTC).isoformat()} {post_id}".encode()).decode()


def _position(request: Request) -> tuple[datetime, str]:
    cursor = request.query_params.get("cursor", "")
    if not cursor:
        return _THE_BEGINNING, ""
    try:
        written, _, post_id = urlsafe_b64decode(cursor).decode().partition(" ")
        moment = datetime.fromisoformat(written)
        if moment.tzinfo is None:
            raise ValueError(written)
    except ValueError:
        raise HTTPException(400, "Send the cursor of an earlier answer as it is, or none at all.") from None
    return moment, post_id


def _since(request: Request) -> datetime | None:
    day = request.query_params.get("since")
    if day is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), time(), UTC)
    except ValueError:
        raise HTTPException(400, "Write since as a date: 2026-11-20.") from None


def _number(request: Request, name: str, highest: int, *, otherwise: int) -> int:
    given = request.query_params.get(name)
    if given is None:
        return otherwise
    if not re.fullmatch(r"[0-9]{1,9}", given) or not 1 <= int(given) <= highest:
        raise HTTPException(400, f"Choose {name} between 1 and {highest}.")
    return int(given)


def post_json(post: Post, review: Post) -> dict[str, object]:
    """What the API says about a post; `review` is the one that began its thread."""
    return {
        "id": post.id,
        "review_id": post.review_id,
        "answers_id": post.answers_id,
        "time": _text(post.time),
        "author": {"id": post.author.id, "name": post.author.name, "kind": post.author.kind},
        "rating": post.rating,
        "review_rating": review.rating,
        "branch": review.branch.id if review.branch else None,
        "title": post.title,
        "text": post.text,
        "files": [_file_json(file) for file in post.files],
    }


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _file_json(file: StoredFile) -> dict[str, object]:
    return {"id": file.id, "name": file.name, "content_type": file.content_type, "size": file.size}
