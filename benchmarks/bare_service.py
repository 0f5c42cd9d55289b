"""Runs inside a generated project: the same work without the project, as the floor that the service is held against.

python bare_service.py PORT

Settings, from the environment: DATABASE (a SQLite file), ORIGIN_URL, ZENDESK_URL, SIGNING_KEY. It checks signatures,
reads the account, calls the origin, keeps what has to be kept, and waits for the disk in a thread, as whoever serves
more than one account has to. What it leaves out is everything else that makes the generated one safe.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import sqlite3
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, quote

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from starlette.requests import Request

TABLES = """
CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, business TEXT, api_key TEXT, secret TEXT, push_id TEXT);
CREATE TABLE IF NOT EXISTS replies (id TEXT PRIMARY KEY, external_id TEXT);
CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY, delivery TEXT, post TEXT, sent INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS deliveries (account TEXT, id TEXT, PRIMARY KEY (account, id));
CREATE TABLE IF NOT EXISTS pulled (account TEXT, post TEXT, at TEXT, PRIMARY KEY (account, post));
CREATE TABLE IF NOT EXISTS pulls (id INTEGER PRIMARY KEY, account TEXT, at TEXT, returned INTEGER);
"""
MANIFEST = {"name": "Bare", "id": "bare", "version": "1", "urls": {"pull_url": "/channel/pull"}}
PAGE = """<!doctype html><form method=post><input type=hidden name=handshake value="{handshake}">
<input name=business><input name=api_key><input type=submit></form>"""


class Account(NamedTuple):
    id: str
    business: str
    api_key: str
    secret: str
    push_id: str


class Store(Protocol):
    """What a service keeps. What it writes is on the disk when the call returns."""

    async def account(self, account_id: str) -> Any: ...

    async def note_pull(self, account_id: str, posts: Sequence[dict[str, Any]]) -> None:
        """Keep what Zendesk is given: it is not pushed as well."""
        ...

    async def reply(self, identifier: str) -> str | None:
        """Give the id of a reply that has been posted."""
        ...

    async def promise(self, identifier: str) -> None:
        """Keep that a reply is being posted."""
        ...

    async def settle(self, identifier: str, external_id: str) -> None: ...

    async def accept(self, account_id: str, delivery: str, posts: Sequence[dict[str, Any]]) -> None:
        """Keep the posts of a delivery that was not seen before."""
        ...

    async def waiting(self) -> Sequence[tuple[int, str]]:
        """Give numbers and posts of what Zendesk has not been sent."""
        ...

    async def note_sent(self, numbers: Sequence[int]) -> None: ...

    async def close(self) -> None: ...


class SqliteStore:
    """Python's own `sqlite3`, whose statements run in the event loop."""

    def __init__(self, database: Path) -> None:
        self._database = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(TABLES)
        self._writer = asyncio.Lock()

    async def account(self, account_id: str) -> Account:
        return Account(
            *self._database.execute("SELECT * FROM accounts WHERE id = ?", (account_id,)).fetchone()
        )

    async def note_pull(self, account_id: str, posts: Sequence[dict[str, Any]]) -> None:
        at = datetime.now(UTC).isoformat()
        async with self._writing():
            self._database.executemany(
                "INSERT INTO pulled VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
                [(account_id, post["id"], at) for post in posts],
            )
            self._database.execute(
                "INSERT INTO pulls (account, at, returned) VALUES (?, ?, ?)", (account_id, at, len(posts))
            )

    async def reply(self, identifier: str) -> str | None:
        row = self._database.execute("SELECT external_id FROM replies WHERE id = ?", (identifier,)).fetchone()
        return row and row[0]

    async def promise(self, identifier: str) -> None:
        async with self._writing():
            self._database.execute("INSERT INTO replies VALUES (?, NULL)", (identifier,))

    async def settle(self, identifier: str, external_id: str) -> None:
        async with self._writing():
            self._database.execute(
                "UPDATE replies SET external_id = ? WHERE id = ?", (external_id, identifier)
            )

    async def accept(self, account_id: str, delivery: str, posts: Sequence[dict[str, Any]]) -> None:
        async with self._writing():
            seen = (account_id, delivery)
            if self._database.execute("INSERT OR IGNORE INTO deliveries VALUES (?, ?)", seen).rowcount:
                self._database.executemany(
                    "INSERT INTO outbox (delivery, post) VALUES (?, ?)",
                    [(delivery, json.dumps(post)) for post in posts],
                )

    async def waiting(self) -> Sequence[tuple[int, str]]:
        return self._database.execute("SELECT id, post FROM outbox WHERE sent = 0 LIMIT 200").fetchall()

    async def note_sent(self, numbers: Sequence[int]) -> None:
        async with self._writing():
            self._database.executemany(
                "UPDATE outbox SET sent = 1 WHERE id = ?", [(number,) for number in numbers]
            )

    async def close(self) -> None:
        self._database.close()

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        async with self._writer:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            await asyncio.to_thread(self._database.execute, "COMMIT")


class Work:
    """What each request is about."""

    def __init__(self, store: Store, origin_url: str, zendesk_url: str, signing_key: str) -> None:
        self._key = signing_key.encode()
        self._store = store
        self._origin_url = origin_url
        self._zendesk_url = zendesk_url
        self._http = httpx2.AsyncClient(timeout=30, trust_env=False)
        self._sending: set[asyncio.Task[None]] = set()

    async def pull(self, metadata: str, state: str) -> dict[str, Any]:
        account = await self._store.account(self._verified(metadata))
        posts, cursor, more = [], state, True
        while more and len(posts) < 200:
            page = await self._ask(account, "GET", "/posts", params={"cursor": cursor, "limit": "100"})
            posts += page["posts"]
            cursor, more = page["cursor"], page["more"]
        if posts:
            await self._store.note_pull(account.id, posts)
        return {"external_resources": [_resource(post) for post in posts], "state": cursor}

    async def channelback(
        self, metadata: str, message: str, parent_id: str, identifier: str
    ) -> dict[str, Any]:
        account = await self._store.account(self._verified(metadata))
        external_id = await self._store.reply(identifier)
        if external_id is None:
            await self._store.promise(identifier)
            path = f"/posts/{quote(parent_id, safe='')}/replies"
            reply = {"text": message, "files": []}
            posted = await self._ask(
                account, "POST", path, json=reply, headers={"Idempotency-Key": identifier}
            )
            external_id = posted["id"]
            await self._store.settle(identifier, external_id)
        return {"external_id": external_id, "allow_channelback": True}

    def form(self, opened: dict[str, str]) -> str:
        """The page carries on who opened it: the second request has to know it again."""
        told = json.dumps(opened)
        signature = hmac.digest(self._key, told.encode(), "sha256").hex()
        return PAGE.format(handshake=escape(f"{told}.{signature}"))

    def permalink(self, external_id: str) -> str:
        return f"{self._origin_url}/posts/{quote(external_id, safe='')}"

    async def webhook(self, account_id: str, body: bytes, moment: str, signature: str) -> None:
        account = await self._store.account(account_id)
        expected = hmac.new(
            account.secret.encode(), moment.encode() + b"." + body, hashlib.sha256
        ).hexdigest()
        if not hmac.compare_digest(expected, signature.removeprefix("sha256=")):
            raise PermissionError("the signature is wrong")
        document = json.loads(body)
        posts = [_resource(post) for post in document["posts"]]
        await self._store.accept(account_id, document["id"], posts)
        if account.push_id:
            sending = asyncio.get_running_loop().create_task(self._push(account.push_id))
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)

    async def close(self) -> None:
        await self._http.aclose()
        await self._store.close()

    async def _push(self, push_id: str) -> None:
        rows = await self._store.waiting()
        if not rows:
            return
        request = {
            "instance_push_id": push_id,
            "request_id": str(rows[0][0]),
            "external_resources": [json.loads(post) for _, post in rows],
        }
        (
            await self._http.post(f"{self._zendesk_url}/api/v2/any_channel/push", json=request)
        ).raise_for_status()
        await self._store.note_sent([number for number, _ in rows])

    def _verified(self, metadata: str) -> str:
        account_id, _, signature = metadata.partition(".")
        if not hmac.compare_digest(hmac.digest(self._key, account_id.encode(), "sha256").hex(), signature):
            raise PermissionError("the signature is wrong")
        return account_id

    async def _ask(self, account: Any, method: str, path: str, **options: Any) -> Any:
        url = f"{self._origin_url}/api/businesses/{account.business}{path}"
        headers = {"Authorization": f"Bearer {account.api_key}"} | options.pop("headers", {})
        return (await self._http.request(method, url, headers=headers, **options)).raise_for_status().json()


def _resource(post: dict[str, Any]) -> dict[str, Any]:
    """The post as the generated service gives it."""
    is_review = post["answers_id"] is None
    resource = {
        "external_id": post["id"],
        "message": "\n\n".join(filter(None, ["★" * (post["rating"] or 0), post["title"], post["text"]])),
        "thread_id": post["review_id"],
        "created_at": post["time"],
        "author": {"external_id": post["author"]["id"], "name": post["author"]["name"]},
        "display_info": [{"type": "bare", "data": {"review_id": post["review_id"]}}],
    }
    if is_review and post["title"]:
        resource["fields"] = [{"id": "subject", "value": post["title"]}]
    return resource


def starlette(work: Work) -> Starlette:
    async def form(request: Request) -> dict[str, str]:
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))

    async def manifest(_request: Request) -> Response:
        return JSONResponse(MANIFEST)

    async def pull(request: Request) -> Response:
        fields = await form(request)
        return JSONResponse(await work.pull(fields["metadata"], fields["state"]))

    async def channelback(request: Request) -> Response:
        fields = await form(request)
        return JSONResponse(
            await work.channelback(
                fields["metadata"],
                fields["message"],
                fields["parent_id"],
                fields["request_unique_identifier"],
            )
        )

    async def clickthrough(request: Request) -> Response:
        return RedirectResponse(work.permalink(request.query_params["external_id"]), 302)

    async def admin_ui(request: Request) -> Response:
        return HTMLResponse(work.form(await form(request)))

    async def webhook(request: Request) -> Response:
        headers = request.headers
        await work.webhook(
            request.path_params["account"],
            await request.body(),
            headers["webhook-timestamp"],
            headers["webhook-signature"],
        )
        return Response(status_code=202)

    return Starlette(
        routes=[
            Route("/channel/manifest", manifest),
            Route("/channel/pull", pull, methods=["POST"]),
            Route("/channel/channelback", channelback, methods=["POST"]),
            Route("/channel/clickthrough", clickthrough),
            Route("/channel/admin_ui", admin_ui, methods=["POST"]),
            Route("/webhook/{account}", webhook, methods=["POST"]),
        ],
        lifespan=lambda _app: running(work),
    )


@asynccontextmanager
async def running(work: Work) -> AsyncIterator[None]:
    yield
    await work.close()


def main(
    make_app: Callable[[Work], Any],
    make_store: Callable[[Path], Store] = SqliteStore,
    *,
    access_log: bool = False,
) -> None:
    names = ("ORIGIN_URL", "ZENDESK_URL", "SIGNING_KEY")
    work = Work(make_store(Path(os.environ["DATABASE"])), *(os.environ[name] for name in names))
    log_level = "info" if access_log else "warning"
    uvicorn.run(make_app(work), port=int(sys.argv[1]), log_level=log_level, access_log=access_log)


if __name__ == "__main__":
    main(starlette)
