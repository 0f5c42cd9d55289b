"""Sends the sandbox what a service under construction may send: calls made from the contract, bent ones, and noise.

    python strangers_at_zendesk.py FILE --requests 20000 --seed 1

FILE holds requests of modelled_requests.py. No answer may be a 5xx that the sandbox does not mean, none may take more
than five seconds, and memory may not grow beyond what the log of exchanges and the tickets take.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx2
from sandbox.zendesk import FakeClock, Zendesk
from scripted_integration import MANIFEST_URL, ScriptedIntegration, resource
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_WAIT = 5.0
"""Seconds."""

GROWTH = 64
"""MiB that the process may take more at the end than after a quarter of the requests."""

EXPORT = "/exchanges.har"
LONGEST_EXPORT = 60.0
"""Seconds for the whole log, which is asked for once, at the end."""

LEFT_OUT = ("/admin/uninstall", "/changes", EXPORT)
"""The end of the channel, what waits for news, and the log."""

MEANT = (502, 503, 504)
"""Zendesk's own answers when the service gives none."""

TEXTS = (
    *("", "0", "1", "-1", "9" * 400, "null", "on", "acme", "PT5S", "2026-11-20T12:00:00Z", "NaN", "1e400"),
    *("../../etc/passwd", "%00", "\x00", "\ud83d", "\u202e", "<script>", "https://[::1", "\\", "x" * 6000),
)
FIELDS = (
    *("manifest", "endpoint", "status", "body", "delay", "times", "dropped", "message", "name", "metadata"),
    *(
        "state",
        "subject",
        "value",
        "external_id",
        "codes",
        "file",
        "public",
        "interval",
        "requests_per_minute",
    ),
)


class Sent(NamedTuple):
    method: str
    path: str
    content: bytes
    content_type: str


class Course:
    """One Zendesk with one account, and requests one after the other."""

    def __init__(self, modelled: list[str], seed: int) -> None:
        self._modelled = modelled
        self._random = Random(seed)  # noqa: S311
        self._statuses: Counter[int] = Counter()
        self._faults: list[str] = []
        self._longest = 0.0
        self._proofs: dict[str, str] = {}
        self._token = ""

    async def run(self, number: int) -> dict[str, Any]:
        """Raises AssertionError with everything that went wrong."""
        integration = ScriptedIntegration(posts=[resource("post-1")])
        integration.manifest["push_client_id"] = "zdg-scripted"
        async with Zendesk(MANIFEST_URL, integration.app, clock=FakeClock()) as zendesk:
            await zendesk.pull(await zendesk.add_account("Main", key="password-1"))
            opened = integration.opened[-1]
            self._proofs = {"metadata": "secret-1", "instance_push_id": opened["instance_push_id"]}
            self._token = opened["zendesk_access_token"]
            self._routes = [
                (method, route.path)
                for route in zendesk.app.routes
                if isinstance(route, Route) and route.path not in LEFT_OUT
                for method in route.methods or ()
            ]
            transport = httpx2.ASGITransport(zendesk.app, raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url=zendesk.settings.address) as http:
                resting = await self._send(http, number // 4)
                at_the_end = await self._send(http, number - number // 4)
                begun = time.monotonic()
                assert (await http.get(EXPORT)).status_code == 200
                assert time.monotonic() - begun < LONGEST_EXPORT
        if at_the_end - resting > GROWTH:
            self._faults.append(f"memory grew from {resting} to {at_the_end} MiB")
        assert not self._faults, "\n".join([f"{len(self._faults)} faults", *self._faults[:20]])
        return {
            "requests": number,
            "statuses": {str(status): count for status, count in sorted(self._statuses.items())},
            "longest_wait": round(self._longest, 2),
            "mebibytes": [resting, at_the_end],
        }

    async def _send(self, http: httpx2.AsyncClient, number: int) -> int:
        kinds: tuple[Callable[[], Sent], ...] = (self._from_the_contract,) * 4 + (
            self._form,
            self._noise,
            self._read,
        )
        for _ in range(number):
            sent = self._random.choice(kinds)()
            headers = {"Content-Type": sent.content_type.encode("latin-1", "replace").decode("latin-1")}
            if self._random.random() < 0.8:
                headers["Authorization"] = f"Bearer {self._token}"
            begun = time.monotonic()
            answer = await http.request(sent.method, sent.path, content=sent.content, headers=headers)
            waited = time.monotonic() - begun
            self._longest = max(self._longest, waited)
            self._statuses[answer.status_code] += 1
            broken = answer.status_code >= 500 and answer.status_code not in MEANT
            if broken or waited > LONGEST_WAIT:
                self._faults.append(f"{answer.status_code} after {waited:.1f} s: {str(sent)[:300]}")
        return _resident_mebibytes()

    def _from_the_contract(self) -> Sent:
        if not self._modelled:
            return self._form()
        request = json.loads(self._modelled.pop())
        body = base64.b64decode(request["body"])
        for name, proof in self._proofs.items():
            body = body.replace(f"{{{name}}}".encode(), proof.encode())
            body = body.replace(f"%7B{name}%7D".encode(), proof.encode())
        return Sent(request["method"], request["path"], body, request["content_type"])

    def _form(self) -> Sent:
        method, path = self._route()
        names = self._random.choices((*FIELDS, *TEXTS), k=self._random.randrange(8))
        pairs = [f"{self._quoted(name)}={self._quoted(self._random.choice(TEXTS))}" for name in names]
        return Sent(method, path, "&".join(pairs).encode(), "application/x-www-form-urlencoded")

    def _noise(self) -> Sent:
        method, path = self._route()
        content = self._random.choice(
            (
                self._random.randbytes(200),
                b"[" * 100_000,
                b'{"a":',
                b"null",
                b"1e400",
                b'"\\ud800"',
                b"{}",
                b"[1]",
            )
        )
        kind = self._random.choice(
            ("application/json", "multipart/form-data", "multipart/form-data; boundary=x", "x")
        )
        return Sent(method, path, content, kind)

    def _read(self) -> Sent:
        _, path = self._route()
        return Sent(
            "GET", f"{path}?{self._quoted(self._random.choice(TEXTS))}=1&ticket=1&page=x", b"", "text/plain"
        )

    def _route(self) -> tuple[str, str]:
        method, path = self._random.choice(self._routes)
        return method, re.sub(
            r"\{.*?\}", lambda _: self._quoted(self._random.choice(("1", "2", *TEXTS[:12]))), path
        )

    @staticmethod
    def _quoted(text: str) -> str:
        return "".join(f"%{byte:02X}" for byte in text.encode(errors="surrogatepass"))


def _resident_mebibytes() -> int:
    """Give 0 where no such file says it."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20 if statm.exists() else 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    course = Course(arguments.file.read_text().splitlines(), arguments.seed)
    sys.stdout.write(json.dumps(asyncio.run(course.run(arguments.requests))) + "\n")


if __name__ == "__main__":
    main()
