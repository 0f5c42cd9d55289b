"""The demonstration origin's site behind a server that misbehaves in whatever way an origin may."""

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import httpx2

FAULTS = {
    "slow": 0.04,
    "silent": 0.01,
    "byte by byte": 0.02,
    "half an answer": 0.03,
    "huge": 0.02,
    "no JSON": 0.02,
    "other JSON": 0.02,
    "empty": 0.02,
    "wrong content type": 0.02,
    "redirect loop": 0.02,
    "429": 0.03,
    "500": 0.03,
    "503": 0.03,
    "hang-up before": 0.03,
    "hang-up behind": 0.03,
    "no HTTP": 0.02,
}
"""How often each befalls a request. Beside these the origin may be `away`: connections are refused."""

IN_VAIN = frozenset({"redirect loop", "429", "503", "hang-up before", "no HTTP"})
"""Faults that leave nothing at the origin; after the others what was asked for has been done."""

HUGE = 300_000
"""Bytes: more than ANSWER_SIZE_LIMIT is set to."""

JSON = "application/json"

ODD: tuple[Any, ...] = ({"error": "Sorry"}, [], None, "posts", 5, {"posts": None}, {"id": None})
"""JSON that is not what was asked for."""

SILENCE = 2.5
"""Seconds: longer than the service waits for an answer."""


class WildOrigin:
    """`site` is an ASGI app; `met` counts which fault befell how many requests."""

    def __init__(self, site: Any, random: Random, faults: Mapping[str, float] = FAULTS) -> None:
        self._site = httpx2.AsyncClient(transport=httpx2.ASGITransport(site), base_url="http://site.test")
        self._random = random
        self._faults = faults
        self._clients: set[StreamWriter] = set()
        self._port = 0
        self._server: asyncio.Server | None = None
        self.calm = False
        self.met: Counter[str] = Counter()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        await self._open()
        try:
            yield f"http://127.0.0.1:{self._port}"
        finally:
            await self._close()
            await self._site.aclose()

    async def away(self, seconds: float) -> None:
        """Refuse connections for so long, and break off those that there are."""
        self.met["refused"] += 1
        await self._close()
        await asyncio.sleep(seconds)
        await self._open()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self._port, limit=2**24)
        self._port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for client in [*self._clients]:
            client.transport.abort()
        await self._server.wait_closed()

    async def _talk(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._clients.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            while await self._answer(reader, writer):
                await writer.drain()
        self._clients.discard(writer)
        writer.transport.abort()

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> bool:
        """Answer one request, and say whether the connection lives on."""
        head, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head.split(" ")
        headers = dict(line.split(": ", 1) for line in lines if line)
        length = next((int(value) for name, value in headers.items() if name.lower() == "content-length"), 0)
        content = await reader.readexactly(length)
        fault = self._fault()
        self.met[fault or "fair"] += 1
        if fault in IN_VAIN:
            return await self._refuse(fault, target, writer)
        response = await self._site.request(method, target, headers=headers, content=content)
        return await self._send(fault, response, writer)

    async def _refuse(self, fault: str, target: str, writer: StreamWriter) -> bool:
        match fault:
            case "redirect loop":
                _write(writer, 302, b"", headers=f"Location: {target}\r\n")
            case "429" | "503":
                moment = self._random.choice(("0", "1", "soon", "-1", "Fri, 20 Nov 2026 12:00:00 GMT"))
                _write(writer, int(fault), b'{"error": "Later."}', headers=f"Retry-After: {moment}\r\n")
            case "no HTTP":
                # What answers to TLS where none is spoken.
                writer.write(b"\x15\x03\x01\x00\x02\x02\x46")
                await writer.drain()
                return False
            case _:
                return False
        return True

    async def _send(self, fault: str, response: httpx2.Response, writer: StreamWriter) -> bool:
        status, body = response.status_code, response.content
        match fault:
            case "silent":
                await asyncio.sleep(SILENCE)
                return False
            case "hang-up behind":
                return False
            case "half an answer":
                _write(writer, status, body[: len(body) // 2], length=len(body) + 1)
                await writer.drain()
                return False
            case "slow":
                await asyncio.sleep(self._random.uniform(0, 1))
                _write(writer, status, body)
            case "byte by byte":
                _write(writer, status, b"", length=len(body))
                for byte in body:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.01)
            case "huge":
                _write(writer, status, b" " * HUGE + body)
            case _:
                _write(writer, *self._distorted(fault, status, body))
        return True

    def _distorted(self, fault: str, status: int, body: bytes) -> tuple[int, bytes, str]:
        """Give a whole answer, with its content type."""
        distorted = {
            "no JSON": (status, b"<html>Sorry.</html>", "text/html"),
            "other JSON": (status, json.dumps(self._random.choice(ODD)).encode(), JSON),
            "empty": (status, b"", JSON),
            "wrong content type": (status, body, "text/html"),
            "500": (500, b"Traceback (most recent call last)", "text/plain"),
        }
        return distorted.get(fault, (status, body, JSON))

    def _fault(self) -> str:
        lot = 1.0 if self.calm else self._random.random()
        for name, share in self._faults.items():
            lot -= share
            if lot < 0:
                return name
        return ""


def _write(  # noqa: PLR0913
    writer: StreamWriter,
    status: int,
    body: bytes,
    content_type: str = JSON,
    headers: str = "",
    *,
    length: int | None = None,
) -> None:
    size = len(body) if length is None else length
    # An answer without content has no length, either.
    sized = "" if status == 204 else f"Content-Length: {size}\r\n"
    head = f"HTTP/1.1 {status} Weather\r\nContent-Type: {content_type}\r\n{headers}{sized}\r\n"
    writer.write(head.encode() + body)
