"""A pooler before PostgreSQL, as PgBouncer is in its transaction mode: each transaction gets the next connection."""

import asyncio
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import URL, make_url

CONNECTIONS = 3
PROTOCOL = 196608
ENCRYPTION = (80877103, 80877104)
"""Codes of requests for TLS and for GSSAPI."""

Message = tuple[bytes, bytes]
Connection = tuple[StreamReader, StreamWriter]


@asynccontextmanager
async def pooled(database_url: str) -> AsyncIterator[str]:
    """Give the pooler's URL for a database."""
    url = make_url(database_url)
    connections: asyncio.Queue[Connection] = asyncio.Queue()
    greeting = b""
    for _ in range(CONNECTIONS):
        reader, writer, greeting = await _connect(url)
        connections.put_nowait((reader, writer))

    served: set[asyncio.Task[None]] = set()

    def serve(reader: StreamReader, writer: StreamWriter) -> None:
        served.add(asyncio.create_task(pass_on(reader, writer)))

    async def pass_on(reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await _greet(reader, writer, greeting)
            while True:
                first = await _read(reader)
                if first[0] == b"X":
                    break
                connection = await connections.get()
                try:
                    await _pass_on_transaction(first, (reader, writer), connection)
                finally:
                    connections.put_nowait(connection)
        await _close(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"postgresql://{url.username}@127.0.0.1:{port}/{url.database}"
    finally:
        server.close()
        await asyncio.gather(*served)
        while not connections.empty():
            await _close(connections.get_nowait()[1])


async def _pass_on_transaction(message: Message, client: Connection, server: Connection) -> None:
    status = b"T"
    while status != b"I":
        server[1].write(_packed(message))
        if message[0] in (b"Q", b"S"):
            answer = (b"", b"")
            while answer[0] != b"Z":
                answer = await _read(server[0])
                client[1].write(_packed(answer))
            status = answer[1]
        if status != b"I":
            message = await _read(client[0])


async def _connect(url: URL) -> tuple[StreamReader, StreamWriter, bytes]:
    """Connect to the server, and give what it says of itself."""
    reader, writer = await asyncio.open_unix_connection(f"{url.query['host']}/.s.PGSQL.{url.port or 5432}")
    names = f"user\0{url.username}\0database\0{url.database}\0\0".encode()
    writer.write(struct.pack("!ii", 8 + len(names), PROTOCOL) + names)
    greeting = b""
    while (message := await _read(reader))[0] != b"Z":
        if message[0] == b"S":
            greeting += _packed(message)
    return reader, writer, greeting


async def _greet(reader: StreamReader, writer: StreamWriter, greeting: bytes) -> None:
    code = 0
    while code != PROTOCOL:
        length, code = struct.unpack("!ii", await reader.readexactly(8))
        await reader.readexactly(length - 8)
        if code in ENCRYPTION:
            writer.write(b"N")
    own_key = _packed((b"K", struct.pack("!ii", -1, -1)))
    writer.write(_packed((b"R", struct.pack("!i", 0))) + greeting + own_key + _packed((b"Z", b"I")))


async def _close(writer: StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


async def _read(reader: StreamReader) -> Message:
    kind, length = struct.unpack("!ci", await reader.readexactly(5))
    return kind, await reader.readexactly(length - 4)


def _packed(message: Message) -> bytes:
    kind, body = message
    return kind + struct.pack("!i", len(body) + 4) + body
