"""One request is one request: what proxies and servers read differently is refused, and nothing hides in a body."""

from __future__ import annotations

import base64
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from acme_reviews.settings import new_sealing_key, new_signing_key
from attacked import OPERATOR_PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INNER = b"GET /channel/about HTTP/1.1\r\nHost: x\r\n\r\n"
"""What an attacker hides; it is counted if the service ever answers it."""

SECONDS = 0.25
"""For which answers are waited for."""

ANSWER = b"HTTP/1.1 "
MANY = 100

COVERED = b"Content-Length: %d\r\n" % (5 + len(INNER))
ENDED = b"0\r\n\r\n" + INNER
CHUNK = b"%x\r\n%s\r\n0\r\n\r\n" % (len(INNER), INNER)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
SHORT = b"Content-Length: 4\r\n"
FIRST = b"POST /channel/pull HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"

VECTORS = {
    "length before chunks": FIRST + COVERED + CHUNKED + b"\r\n" + ENDED,
    "chunks before length": FIRST + CHUNKED + COVERED + b"\r\n" + ENDED,
    "a short length and chunks": FIRST + SHORT + CHUNKED + b"\r\n" + CHUNK,
    "two lengths": FIRST + COVERED + b"Content-Length: 0\r\n\r\n" + ENDED,
    "two lengths, the short one first": FIRST + b"Content-Length: 0\r\n" + COVERED + b"\r\n" + ENDED,
    "a list of lengths": FIRST + b"Content-Length: 0, %d\r\n\r\n" % len(ENDED) + ENDED,
    "a length with a sign": FIRST + b"Content-Length: +0\r\n\r\n" + INNER,
    "a negative length": FIRST + b"Content-Length: -1\r\n\r\n" + INNER,
    "a length with digits of hexadecimal numbers": FIRST + b"Content-Length: 0x10\r\n\r\n" + INNER,
    "a length beyond all numbers": FIRST + b"Content-Length: 18446744073709551616\r\n\r\n" + INNER,
    "a space before the colon": FIRST + COVERED + b"Transfer-Encoding : chunked\r\n\r\n" + ENDED,
    "chunks that go by another name": FIRST + COVERED + b"Transfer-Encoding: xchunked\r\n\r\n" + ENDED,
    "chunks and then something": FIRST + b"Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNK,
    "a folded line": FIRST + COVERED + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + ENDED,
    "a line that ends early": FIRST + COVERED + b"X: y\nTransfer-Encoding: chunked\r\n\r\n" + ENDED,
    "a carriage return alone": FIRST + COVERED + b"X: y\rTransfer-Encoding: chunked\r\n\r\n" + ENDED,
    "a size of a chunk that overflows": FIRST + CHUNKED + b"\r\n10000000000000000\r\n\r\n" + INNER,
    "a size with a line end inside": FIRST + CHUNKED + b"\r\n0;\n\r\n" + INNER,
    "a body where none is read": b"GET /channel/healthcheck HTTP/1.1\r\nHost: x\r\n"
    + b"Content-Length: %d\r\n\r\n" % len(INNER)
    + INNER,
}


class Served:
    """The service in a process of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._opener = build_opener(ProxyHandler({}))

    def send(self, content: bytes, *, seconds: float = SECONDS, answers: int = MANY) -> bytes:
        """Send bytes, and give what is answered until there are so many answers, or nothing comes for so long."""
        answered = b""
        with socket.create_connection(("127.0.0.1", self._port), timeout=seconds) as connection:
            connection.sendall(content)
            with suppress(OSError):
                while answered.count(ANSWER) < answers and (received := connection.recv(65536)):
                    answered += received
        return answered

    def answered(self, endpoint: str) -> float:
        """How often an endpoint has answered."""
        credentials = base64.b64encode(f"operator:{OPERATOR_PASSWORD}".encode()).decode()
        request = Request(
            f"http://127.0.0.1:{self._port}/metrics", headers={"Authorization": f"Basic {credentials}"}
        )
        with self._opener.open(request, timeout=30) as response:
            metrics = response.read().decode()
        counted = re.findall(
            rf'^http_requests_total\{{endpoint="{endpoint}".*\}} (.*)$', metrics, re.MULTILINE
        )
        return sum(map(float, counted))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = _started(folder, port)
    served = Served(port)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and process.poll() is None:
            with suppress(OSError):
                if served.send(b"GET /ready HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200"):
                    break
            time.sleep(0.1)
        yield served
    finally:
        process.kill()
        process.wait()


def _started(folder: Path, port: int) -> subprocess.Popen[bytes]:
    environment = {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "ENVIRONMENT": "production",
        "PUBLIC_URL": "https://reviews.example.com",
        "DATABASE_URL": f"sqlite:///{folder}/service.db",
        "SIGNING_KEYS": new_signing_key(),
        "SEALING_KEYS": new_sealing_key(),
        "OPERATOR_PASSWORD": OPERATOR_PASSWORD,
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    with (folder / "service.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "acme_reviews", "serve"],
            cwd=folder,
            env=os.environ | environment,
            stdout=log,
            stderr=log,
        )


@pytest.mark.parametrize("content", VECTORS.values(), ids=VECTORS)
def test_no_request_hides_in_another(served: Served, content: bytes) -> None:
    before = served.answered("about")

    answered = served.send(content)

    assert served.answered("about") == before, answered
    assert answered.count(ANSWER) <= 1, answered


def test_requests_may_follow_each_other(served: Served) -> None:
    """What hides above would be answered if it stood where a request begins."""
    before = served.answered("about")

    served.send(FIRST + b"Content-Length: 0\r\n\r\n" + INNER, seconds=30, answers=2)

    assert served.answered("about") == before + 1
