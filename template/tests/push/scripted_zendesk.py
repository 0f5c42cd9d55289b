"""Zendesk's push API on a loopback port: it keeps the rules ZEN-47 to ZEN-53, and fails when a test tells it to."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from sandbox import wire


@dataclass
class Fault:
    """What goes wrong with one request.

    `imports` says whether the posts are imported although the answer tells nothing of it. With a `status` or a `body`
    that is answered instead of the truth; `dropped` closes the connection without an answer, `cut` after so many bytes of
    the answer's body, `silent` never answers, `endless` never ends the answer; `gate` holds the request up, before the
    posts are imported or after.
    """

    status: int | None = None
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    imports: bool = False
    dropped: bool = False
    cut: int | None = None
    silent: bool = False
    endless: bool = False
    gate: asyncio.Event | None = None
    gate_is_behind: bool = False


@dataclass
class Push:
    instance_push_id: str
    request_id: str
    external_ids: list[str]


class ScriptedZendesk:
    """Enter it to have it listen. Accounts are told apart by their `instance_push_id`."""

    def __init__(self) -> None:
        self.tokens = {"push-1": "token-1", "push-2": "token-2"}
        self.imported: dict[str, list[str]] = {}
        """External ids in the order of their import, by instance."""

        self.threads: dict[tuple[str, str], str] = {}
        """Key of the thread, by instance and external id."""

        self.faults: list[Fault] = []
        """For the next requests, one each."""

        self.results: dict[str, list[str]] = {}
        """Codes for the next tries of a post; all but `success` and `already_imported` halt those behind it."""

        self.invalid: set[str] = set()
        """Posts on account of which a whole request is refused."""

        self.unknown_parent_halts = False
        self.pushes: list[Push] = []
        self.reported: list[dict[str, Any]] = []
        self.violations: list[str] = []
        self.arrived = asyncio.Event()
        """Set when a request has arrived."""

        self._connections: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._connections:
            writer.close()
        await self._server.wait_closed()
        await asyncio.sleep(0)
        assert self.violations == []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            self._connections.discard(writer)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False when the connection is dropped."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        path = head[0].split(" ")[1]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        document = json.loads(await reader.readexactly(int(headers["content-length"])))
        fault = self.faults.pop(0) if self.faults else None
        self.arrived.set()
        if fault and fault.gate and not fault.gate_is_behind:
            await fault.gate.wait()
        if fault is None or fault.imports:
            status, answer = self._answer(path, headers, document)
        else:
            status, answer = 200, b""
        if fault is None:
            await _write(writer, status, {}, answer)
            return True
        if fault.gate and fault.gate_is_behind:
            await fault.gate.wait()
        return await self._fail(fault, answer, reader, writer)

    async def _fail(
        self, fault: Fault, truth: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        if fault.dropped:
            return False
        if fault.silent:
            await reader.read()
            return False
        status, body = fault.status or 200, truth if fault.body is None else fault.body
        if fault.endless:
            await _write(writer, status, {"content-length": "100000"}, b"")
            while not reader.at_eof():
                writer.write(b" ")
                await asyncio.sleep(0.01)
            return False
        if fault.cut is not None:
            await _write(writer, status, {"content-length": str(len(body) + 1)}, body[: fault.cut])
            return False
        await _write(writer, status, fault.headers, body)
        return True

    def _answer(self, path: str, headers: dict[str, str], document: dict[str, Any]) -> tuple[int, bytes]:
        endpoint = path.removeprefix("/api/v2/any_channel/").removesuffix(".json")
        schema = endpoint.rpartition("/")[2].replace("_", "-") + "-request"
        violations = [str(violation) for violation in wire.violations(schema, document)]
        self.violations += violations
        if headers.get("content-type") != "application/json" or violations:
            return 422, b'{"error": "RecordInvalid", "description": "the body breaks the contract"}'
        instance = document["instance_push_id"]
        if headers.get("authorization") != f"Bearer {self.tokens.get(instance)}":
            return 401, b'{"error": "invalid_token", "description": "The access token is invalid."}'
        if endpoint == "push":
            return self._push(instance, document)
        if endpoint == "validate_token":
            return 200, b"null"
        self.reported.append(document)
        return 200, b""

    def _push(self, instance: str, document: dict[str, Any]) -> tuple[int, bytes]:
        resources = document["external_resources"]
        ids = [resource["external_id"] for resource in resources]
        self.pushes.append(Push(instance, document["request_id"], ids))
        if self.invalid & set(ids):
            return 422, b'{"error": {"title": "Invalid", "message": "a post cannot be imported"}}'
        return 200, json.dumps({"results": list(self._results(instance, resources))}).encode()

    def _results(self, instance: str, resources: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        halted = False
        for resource in resources:
            external_id = resource["external_id"]
            code, description = ("halted", "") if halted else self._import(instance, resource)
            if code == "could_not_locate_parent_external_resource":
                halted = halted or self.unknown_parent_halts
            elif code not in ("success", "already_imported"):
                halted = True
            status = {"code": code} | ({"description": description} if description else {})
            yield {"external_resource_id": external_id, "status": status}

    def _import(self, instance: str, resource: dict[str, Any]) -> tuple[str, str]:
        external_id = resource["external_id"]
        if (instance, external_id) in self.threads:
            return "already_imported", ""
        if scripted := self.results.get(external_id):
            code = scripted.pop(0)
            if code != "success":
                return code, f"{external_id} met {code}"
        parent_id = resource.get("parent_id")
        if parent_id and (instance, parent_id) not in self.threads:
            return "could_not_locate_parent_external_resource", parent_id
        key = self.threads[instance, parent_id] if parent_id else resource.get("thread_id", external_id)
        self.threads[instance, external_id] = key
        self.imported.setdefault(instance, []).append(external_id)
        return "success", ""


async def _write(writer: asyncio.StreamWriter, status: int, headers: dict[str, str], body: bytes) -> None:
    lines = {"content-type": "application/json", "content-length": str(len(body))} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"HTTP/1.1 {status} Scripted\r\n{head}\r\n".encode() + body)
    await writer.drain()
