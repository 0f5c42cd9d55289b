"""An origin that sends byte by byte: what a service does for one account and one purpose, it still does for others.

    python slow_origin.py

It runs where a project with every capability can be imported, and prints what came of it as JSON.
"""

import asyncio
import json
import os
import re
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from acme_reviews.app import create_app
from acme_reviews.settings import Settings, new_sealing_key, new_signing_key

DOWNLOADS = 110
SAVES = 110
FILES = 120
RETURN_URL = "https://acme.zendesk.com/zendesk/channels/integration_service_instances/editor_finalizer"
POST = {
    "id": "review-1",
    "review_id": "review-1",
    "answers_id": None,
    "time": "2026-11-20T12:00:00Z",
    "author": {"id": "ada", "name": "Ada"},
    "rating": 1,
    "review_rating": 1,
    "title": "",
    "text": "Cold coffee",
    "files": [{"id": "photo", "name": "photo.png"}],
}


class SlowOrigin:
    """Answers at once, but files, and everything while it is `tired`, one byte in a while.

    While it is `curious` it does so about businesses, which is what saving a form asks.
    """

    def __init__(self) -> None:
        self.tired = False
        self.curious = False
        self.files = 0
        self.businesses = 0
        self.posted = 0

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        server.close()

    async def _talk(self, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            method, path, _ = (await reader.readuntil(b"\r\n\r\n")).decode().split(" ", 2)
            is_file = "/files/" in path
            is_business = "/" not in path.removeprefix("/api/businesses/")
            is_slow = is_file or self.tired or (self.curious and is_business)
            self.files += is_file
            self.businesses += is_business
            self.posted += method == "POST"
            body = json.dumps({"posts": [POST], "cursor": "1", "more": False}).encode()
            head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n"
            writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body))
            for number in range(len(body)) if is_slow else ():
                writer.write(body[number : number + 1])
                await writer.drain()
                await asyncio.sleep(0.2)
            writer.write(b"" if is_slow else body)
            await writer.drain()
        writer.close()


async def meet(folder: Path) -> dict[str, Any]:
    origin = SlowOrigin()
    async with origin.serving() as url:
        settings = Settings.model_validate(
            {
                "database_url": f"sqlite:///{folder}/service.db",
                "signing_keys": new_signing_key(),
                "sealing_keys": new_sealing_key(),
                "inner_hosts": url.removeprefix("http://"),
                "call_deadline": "PT8S",
            }
        )
        os.environ["ORIGIN_URL"] = url
        app = create_app(settings)
        entrance = httpx2.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=entrance, base_url="http://service.test", timeout=60) as http,
        ):
            return await _met(http, origin)


async def _met(http: httpx2.AsyncClient, origin: SlowOrigin) -> dict[str, Any]:
    one, other = [_hidden(await _saved(http, name), "metadata") for name in ("One", "Other")]
    pulled = await http.post("/channel/pull", data={"metadata": one})
    (file,) = pulled.json()["external_resources"][0]["file_urls"]
    downloads = [asyncio.create_task(http.post(file)) for _ in range(DOWNLOADS)]
    while origin.files < DOWNLOADS / 2:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    begun = time.monotonic()
    meanwhile = await http.post("/channel/pull", data={"metadata": other})
    seconds = time.monotonic() - begun
    for download in downloads:
        download.cancel()
    await asyncio.gather(*downloads, return_exceptions=True)

    origin.curious, origin.businesses = True, 0
    saves = [asyncio.create_task(_saved(http, f"Save {number}")) for number in range(SAVES)]
    while origin.businesses < SAVES / 2:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    beside_saves = await http.post("/channel/pull", data={"metadata": other})
    saved = sum(save.done() for save in saves)
    for save in saves:
        save.cancel()
    await asyncio.gather(*saves, return_exceptions=True)

    reply = {"metadata": one, "message": "See", "parent_id": "review-1", "thread_id": "review-1"}
    reply |= {"recipient_id": "", "request_unique_identifier": "reply-1"}
    urls = [f"https://acme.zendesk.com/attachments/token/{number}/?name=a" for number in range(FILES)]
    refused = await http.post("/channel/channelback", data=reply | {"file_urls[]": urls})

    origin.tired = True
    begun = time.monotonic()
    page = await _saved(http, "Slow")
    return {
        "pull": [meanwhile.status_code, len(meanwhile.json().get("external_resources", [])), seconds],
        "beside_saves": [beside_saves.status_code, saved],
        "reply": [refused.status_code, refused.json(), origin.posted],
        "save": [
            re.sub(r"<[^>]*>", "", page.partition('id="problems"')[2].partition("<input")[0]),
            time.monotonic() - begun,
        ],
    }


async def _saved(http: httpx2.AsyncClient, name: str) -> str:
    opened = {"return_url": RETURN_URL, "subdomain": "acme", "locale": "en-US"}
    form = await http.post("/channel/admin_ui", data=opened)
    typed = {"name": name, "business": "corner-cafe", "api_key": "right", "reviews": "all"}
    handshake = _hidden(form.text, "handshake")
    return (await http.post("/channel/admin_ui/save", data=typed | {"handshake": handshake})).text


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return found[1]


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(meet(Path(folder)))))  # noqa: T201
