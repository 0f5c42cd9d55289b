"""Web processes and workers of one service on this machine, from the command lines of Compose's profile `postgresql`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import command_lines
from machine import Machine, Restartable, answers

if TYPE_CHECKING:
    from collections.abc import Callable


class Fleet:
    """Makes the members, each of which starts when it is entered. PostgreSQL must run."""

    def __init__(self, machine: Machine, *, public_url: str, origin_url: str, zendesk_url: str) -> None:
        self._machine = machine
        self._processes = command_lines.compose_postgresql(machine.project)
        self.told = machine.new_keys() | {
            # Production refuses a Zendesk on this machine.
            "ENVIRONMENT": "development",
            "PUBLIC_URL": public_url,
            "ORIGIN_URL": origin_url,
            "INNER_HOSTS": "127.0.0.1",
            "ZENDESK_URL": zendesk_url,
            "DATABASE_URL": machine.postgresql_url,
            "WORKER_INSIDE": "false",
            "PUSH_CLIENT_ID": "fleet",
            "PUSH_REQUESTS_PER_MINUTE": "1000000",
        }
        """What a person tells the service, beside what stands in the target's files."""

    def web(self, port: int) -> Restartable:
        ready = f"http://127.0.0.1:{port}/ready"
        return self._member("web", port, lambda _: answers(ready))

    def worker(self, number: int) -> Restartable:
        return self._member("worker", number, lambda worker: "worker started" in worker.log.read_text())

    def _member(self, kind: str, number: int, ready: Callable[[Restartable], bool]) -> Restartable:
        process = self._processes[kind]
        empty = self._machine.folder / "empty"
        empty.mkdir(exist_ok=True)
        return Restartable(
            self._machine.command(process, number),
            empty,
            process.environment | self.told | {"PORT": str(number)},
            self._machine.folder / f"{kind}-{number}.log",
            ready,
        )
