"""A project's Caddyfile in a real Caddy on this machine."""

from __future__ import annotations

import json
import re
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from commands import tool
from machine import free_port, started, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


class Caddy(NamedTuple):
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answered(self) -> list[tuple[str, int]]:
        """Path and status of every request so far; a status of 0 is a connection that broke."""
        entries = map(json.loads, self.log.read_text("utf-8").splitlines())
        return [(entry["request"]["uri"], entry["status"]) for entry in entries]


def adapted(caddyfile: str, upstreams: Sequence[int]) -> str:
    """Put ports of this machine in the place of the service's address; nothing else is changed."""
    addresses = " ".join(f"127.0.0.1:{port}" for port in upstreams)
    text, replaced = re.subn(r"(?<=\breverse_proxy )\S+", addresses, caddyfile)
    assert replaced == 1
    return text


@contextmanager
def running_caddy(caddyfile: str, folder: Path) -> Iterator[Caddy]:
    """Serve without HTTPS, and write down every request."""
    caddy = Caddy(free_port(), folder / "requests.jsonl")
    caddy.log.unlink(missing_ok=True)
    site = "{$PUBLIC_URL} {\n"
    log = f"\tlog {{\n\t\toutput file {caddy.log}\n\t\tformat json\n\t}}\n"
    text = caddyfile.replace("{\n", "{\n\tadmin off\n", 1).replace(site, site + log)
    file = folder / "Caddyfile"
    file.write_text(text, "utf-8")
    command = [str(tool("caddy")), "run", "--adapter", "caddyfile", "--config", str(file)]
    environment = {"PUBLIC_URL": caddy.url, "HOME": str(folder)}
    with started(command, folder, environment, folder / "caddy.log") as process:
        wait_until(lambda: _listens(caddy.port), "Caddy does not listen", process)
        yield caddy


def _listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
