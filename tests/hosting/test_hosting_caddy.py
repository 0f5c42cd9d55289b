"""The Caddyfile, judged by Caddy, and run by it in front of a service that is not always there."""

from __future__ import annotations

import http.client
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from load_balancer import adapted, running_caddy
from machine import free_port
from mistakes import Mistake, broken, named
from validators import caddy, caddy_format

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Hosted

FILE = "deploy/Caddyfile"
UPSTREAMS = {"compose": "web:8000", "systemd": "127.0.0.1:8000"}

MISTAKES = [
    Mistake("misspells a directive", FILE, "reverse_proxy", "reverse_proxi", "reverse_proxi"),
    Mistake("gives a size in words", FILE, "max_size 2MiB", "max_size small", "max_size"),
    Mistake("gives no unit", FILE, "60s", "60", "missing unit"),
    Mistake("loses a brace", FILE, "\t\t}\n\t}\n}\n", "\t\t}\n\t}\n", "unexpected EOF"),
    Mistake("matches nothing", FILE, "respond @internal", "respond @outside", "@outside"),
    Mistake("invents a transport", FILE, "transport http", "transport https", "https"),
]


@pytest.mark.parametrize("hosting", UPSTREAMS)
def test_caddy_accepts(hosting: str, hosted: Hosted) -> None:
    file = hosted(hosting).path / FILE
    assert not caddy(file=file)
    assert not caddy_format(file=file)


@pytest.mark.parametrize("mistake", named(MISTAKES))
def test_caddy_refuses(mistake: Mistake, hosted: Hosted, tmp_path: Path) -> None:
    file = tmp_path / "Caddyfile"
    file.write_text(broken(hosted("compose"), mistake), "utf-8")
    assert mistake.complaint in caddy(file=file)


class Upstream(BaseHTTPRequestHandler):
    """Stands for the service: takes every request and answers with its path."""

    def answer(self) -> None:
        received = len(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.respond(f"{self.path} {received}")

    def respond(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Keep the test's output quiet."""


class Proxied(NamedTuple):
    port: int
    upstream: int

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture
def proxied(hosted: Hosted, tmp_path: Path) -> Iterator[Proxied]:
    """The project's Caddyfile in a real Caddy, without HTTPS, in front of a port where nobody listens yet."""
    upstream = free_port()
    caddyfile = adapted(hosted("compose").text(FILE), [upstream])
    with running_caddy(caddyfile, tmp_path) as caddy:
        yield Proxied(caddy.port, upstream)


class Stopping(Upstream):
    """Stands for a service that stops: it closes its connections, though another request is on its way on them."""

    protocol_version = "HTTP/1.1"
    broken = 0

    def answer(self) -> None:
        if getattr(self, "has_answered", False):
            Stopping.broken += 1
            self.close_connection = True
            return
        self.has_answered = True
        super().answer()

    do_GET = do_POST = answer  # noqa: N815


@contextmanager
def listening(port: int, handler: type[Upstream]) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as upstream:
        upstream.daemon_threads = True
        threading.Thread(target=upstream.serve_forever).start()
        try:
            yield
        finally:
            upstream.shutdown()


def test_caddy_guards_the_service_and_waits_for_it(proxied: Proxied) -> None:
    answers: list[tuple[int, str]] = []
    early = threading.Thread(target=lambda: answers.append(proxied.ask("POST", "/channel/channelback")))
    early.start()
    time.sleep(1)
    with listening(proxied.upstream, Upstream):
        early.join(timeout=30)
        assert answers == [(200, "/channel/channelback 0")]
        for path in ("/metrics", "/metrics/", "/Metrics", "/%6detrics", "//metrics", "/x/../metrics"):
            assert proxied.ask("GET", path) == (404, ""), path
        most = 2 * 1024 * 1024
        assert proxied.ask("POST", "/channel/pull", b"x" * most) == (200, f"/channel/pull {most}")
        assert proxied.ask("POST", "/channel/pull", b"x" * (most + 1))[0] == 413


def test_a_request_whose_connection_breaks_is_sent_again(proxied: Proxied) -> None:
    with listening(proxied.upstream, Stopping):
        for _ in range(4):
            assert proxied.ask("POST", "/channel/channelback", b"x" * 70_000) == (
                200,
                "/channel/channelback 70000",
            )
    assert Stopping.broken >= 2
