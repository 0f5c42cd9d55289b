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
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

TABLES = """
CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, business TEXT, api_key TEXT, secret TEXT, push_id TEXT);
CREATE TABLE IF NOT EXISTS replies (id TEXT PRIMARY KEY, external_id TEXT);
CREATE TABLE IF NOT EXISTS outbox (delivery TEXT, post TEXT, sent INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS deliveries (account TEXT, id TEXT, PRIMARY KEY (account, id));
CREATE TABLE IF NOT EXISTS pulled (account TEXT, post TEXT, at TEXT, PRIMARY KEY (account, post));
CREATE TABLE IF NOT EXISTS pulls (account TEXT, at TEXT, returned INTEGER);
"""
MANIFEST = {"name": "Bare", "id": "bare", "version": "1", "urls": {"pull_url": "/channel/pull"}}
PAGE = """<!doctype html><form method=post><input type=hidden name=handshake value="{handshake}">
<input name=business><input name=api_key><input type=submit></form>"""


class Work:
    """What each request is about."""

    def __init__(self, database: Path, origin_url: str, zendesk_url: str, signing_key: str) -> None:
        self._key = signing_key.encode()
        self._database = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(TABLES)
        self._origin_url = origin_url
        self._zendesk_url = zendesk_url
        self._http = httpx2.AsyncClient(timeout=30, trust_env=False)
        self._sending: set[asyncio.Task[None]] = set()
        self._writer = asyncio.Lock()

    async def pull(self, metadata: str, state: str) -> dict[str, Any]:
        account = self._account(self._verified(metadata))
        posts, cursor, more = [], state, True
        while more and len(posts) < 200:
            page = await self._ask(account, "GET", "/posts", params={"cursor": cursor, "limit": "100"})
            posts += page["posts"]
            cursor, more = page["cursor"], page["more"]
        if posts:
            # What Zendesk is given is not pushed as well.
            at = datetime.now(UTC).isoformat()
            async with self._writing():
                self._database.executemany(
                    "INSERT INTO pulled VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = excluded.at",
                    [(account[0], post["id"], at) for post in posts],
                )
                self._database.execute("INSERT INTO pulls VALUES (?, ?, ?)", (account[0], at, len(posts)))
        return {"external_resources": [_resource(post) for post in posts], "state": cursor}

    async def channelback(
        self, metadata: str, message: str, parent_id: str, identifier: str
    ) -> dict[str, Any]:
        account = self._account(self._verified(metadata))
        known = self._database.execute(
            "SELECT external_id FROM replies WHERE id = ?", (identifier,)
        ).fetchone()
        if known is None:
            async with self._writing():
                self._database.execute("INSERT INTO replies VALUES (?, NULL)", (identifier,))
            path = f"/posts/{quote(parent_id, safe='')}/replies"
            reply = {"text": message, "files": []}
            posted = await self._ask(
                account, "POST", path, json=reply, headers={"Idempotency-Key": identifier}
            )
            known = (posted["id"],)
            async with self._writing():
                self._database.execute(
                    "UPDATE replies SET external_id = ? WHERE id = ?", (*known, identifier)
                )
        return {"external_id": known[0], "allow_channelback": True}

    def form(self, opened: dict[str, str]) -> str:
        """The page carries on who opened it: the second request has to know it again."""
        told = json.dumps(opened)
        signature = hmac.digest(self._key, told.encode(), "sha256").hex()
        return PAGE.format(handshake=escape(f"{told}.{signature}"))

    def permalink(self, external_id: str) -> str:
        return f"{self._origin_url}/posts/{quote(external_id, safe='')}"

    async def webhook(self, account_id: str, body: bytes, moment: str, signature: str) -> None:
        account = self._account(account_id)
        expected = hmac.new(account[3].encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, signature.removeprefix("sha256=")):
            raise PermissionError("the signature is wrong")
        document = json.loads(body)
        async with self._writing():
            seen = (account_id, document["id"])
            if self._database.execute("INSERT OR IGNORE INTO deliveries VALUES (?, ?)", seen).rowcount:
                self._database.executemany(
                    "INSERT INTO outbox (delivery, post) VALUES (?, ?)",
                    [(document["id"], json.dumps(_resource(post))) for post in document["posts"]],
                )
        if account[4]:
            sending = asyncio.get_running_loop().create_task(self._push(account[4]))
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)

    async def close(self) -> None:
        await self._http.aclose()
        self._database.close()

    async def _push(self, push_id: str) -> None:
        rows = self._database.execute("SELECT rowid, post FROM outbox WHERE sent = 0 LIMIT 200").fetchall()
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
        async with self._writing():
            self._database.executemany(
                "UPDATE outbox SET sent = 1 WHERE rowid = ?", [(row[0],) for row in rows]
            )

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

    def _verified(self, metadata: str) -> str:
        account_id, _, signature = metadata.partition(".")
        if not hmac.compare_digest(hmac.digest(self._key, account_id.encode(), "sha256").hex(), signature):
            raise PermissionError("the signature is wrong")
        return account_id

    def _account(self, account_id: str) -> Any:
        return self._database.execute("SELECT * FROM accounts WHERE id = ?", (account_id,)).fetchone()

    async def _ask(self, account: Any, method: str, path: str, **options: Any) -> Any:
        url = f"{self._origin_url}/api/businesses/{account[1]}{path}"
        headers = {"Authorization": f"Bearer {account[2]}"} | options.pop("headers", {})
        return (await self._http.request(method, url, headers=headers, **options)).raise_for_status().json()


def _resource(post: dict[str, Any]) -> dict[str, Any]:
    return {
        "external_id": post["id"],
        "message": "\n\n".join(filter(None, [post["title"], post["text"]])),
        "thread_id": post["review_id"],
        "created_at": post["time"],
        "author": {"external_id": post["author"]["id"], "name": post["author"]["name"]},
    }


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


def main(make_app: Callable[[Work], Any]) -> None:
    names = ("ORIGIN_URL", "ZENDESK_URL", "SIGNING_KEY")
    work = Work(Path(os.environ["DATABASE"]), *(os.environ[name] for name in names))
    uvicorn.run(make_app(work), port=int(sys.argv[1]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main(starlette)
