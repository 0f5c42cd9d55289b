"""A Zendesk in bad weather, which imports what it is given and answers as it pleases, or in fair weather, at once."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from email.utils import formatdate
from random import Random
from typing import Any

FAULTS = {
    "429": 0.05,
    "500": 0.04,
    "503": 0.03,
    "no JSON": 0.02,
    "wrong count": 0.02,
    "silence": 0.02,
    "dropped before": 0.04,
    "dropped behind": 0.06,
    "dropped in the answer": 0.03,
}
"""How often each befalls a request; the last three break the connection before or after the posts were imported."""

PROCESSING_ERRORS = 0.01
"""How often a post cannot be imported just now."""

SILENCE = 2.0
"""Seconds without an answer: longer than anybody waits for it."""


class StormZendesk:
    """`imported` holds, for each account, what Zendesk has in the order in which it got it; nothing is there twice."""

    def __init__(self, seed: int, *, fair: bool = False) -> None:
        self._random = Random(seed)  # noqa: S311
        self._faults = {} if fair else FAULTS
        self._processing_errors = 0.0 if fair else PROCESSING_ERRORS
        self._slowness = 0.0 if fair else 1.0
        self._clients: dict[asyncio.StreamWriter, asyncio.Task[Any] | None] = {}
        self._closing = asyncio.Event()
        self.away = False
        """Whether it answers 503 to everything."""

        self.revoked = False
        """Whether it takes no token."""
        self.imported: dict[str, dict[str, dict[str, Any]]] = {}
        self.weather: Counter[str] = Counter()
        self.results: Counter[str] = Counter()
        self.answering = asyncio.Event()
        """Set for as long as posts are imported that nobody has been told of."""

    @property
    def total(self) -> int:
        return sum(map(len, self.imported.values()))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, limit=2**24)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            self._closing.set()
            for client in self._clients:
                client.transport.abort()
            await asyncio.gather(*filter(None, self._clients.values()))
            await server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients[writer] = asyncio.current_task()
        try:
            while await self._answer(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            del self._clients[writer]
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request, and say whether the connection lives on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        request = json.loads(await reader.readexactly(length))
        fault = self._fault()
        self.weather[fault or "fair"] += 1
        await asyncio.sleep(self._slowness * self._random.uniform(0, 0.02))
        match fault:
            case "dropped before":
                return False
            case "silence":
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), SILENCE)
                return False
            case "429" | "503":
                moment = self._random.choice(("0", "1", formatdate(usegmt=True), "soon"))
                _send(writer, int(fault), {"error": "TooManyRequests"}, f"retry-after: {moment}\r\n")
            case "401":
                _send(writer, 401, {"error": "invalid_token"})
            case "500":
                _send(writer, 500, {"error": "InternalError", "description": {"message": "Sorry."}})
            case _ if "external_resources" not in request:
                # It asks whether a token is good, or tells of a reply that failed.
                _send(writer, 200, {})
            case _:
                return await self._imported(request, fault, writer)
        return True

    async def _imported(self, request: dict[str, Any], fault: str, writer: asyncio.StreamWriter) -> bool:
        results = self._import(request)
        self.answering.set()
        await asyncio.sleep(self._slowness * self._random.uniform(0.005, 0.03))
        self.answering.clear()
        match fault:
            case "dropped behind":
                return False
            case "dropped in the answer":
                _send(writer, 200, {"results": results}, cut=True)
                return False
            case "no JSON":
                _send(writer, 200, "<html>")
            case "wrong count":
                _send(writer, 200, {"results": results[1:]})
            case _:
                _send(writer, 200, {"results": results})
        return True

    def calm_down(self) -> None:
        """From now on everything is answered as it should be."""
        self._faults, self._processing_errors, self._slowness = {}, 0.0, 0.0
        self.away = self.revoked = False

    def _import(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        account = self.imported.setdefault(request["instance_push_id"], {})
        halts_behind_strangers = self._random.random() < 0.5
        halted = False
        results = []
        for resource in request["external_resources"]:
            external_id, parent_id = resource["external_id"], resource.get("parent_id")
            if halted:
                code = "halted"
            elif external_id in account:
                code = "already_imported"
            elif parent_id is not None and parent_id not in account:
                code = "could_not_locate_parent_external_resource"
                halted = halts_behind_strangers
            elif self._random.random() < self._processing_errors:
                code = "processing_error"
                halted = True
            else:
                code = "success"
                account[external_id] = resource
            self.results[code] += 1
            results.append({"external_resource_id": external_id, "status": {"code": code}})
        return results

    def _fault(self) -> str:
        if self.away:
            return "503"
        if self.revoked:
            return "401"
        lot = self._random.random()
        for name, share in self._faults.items():
            lot -= share
            if lot < 0:
                return name
        return ""


def _send(
    writer: asyncio.StreamWriter, status: int, document: Any, headers: str = "", *, cut: bool = False
) -> None:
    body = json.dumps(document).encode()
    lines = f"HTTP/1.1 {status} Weather\r\n{headers}content-length: {len(body)}\r\n\r\n"
    writer.write(lines.encode() + (body[: len(body) // 2] if cut else body))
