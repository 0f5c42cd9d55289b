"""Compares what the start of a generated service takes, and what it holds when idle, with bare services.

python benchmarks/start.py [--rounds N]

Generates a project with the default answers and one with every capability, and installs them as the image does, without
what only development needs. They and a bare Starlette and FastAPI app start in turn, each in a process of its own. What
is printed is the table of README.md: medians, and the ratio of medians to those of the Starlette app.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
from projects_to_measure import EVERYTHING, copy, install
from readme import add_option, publish
from request_cost import BESIDE
from uv import find_uv_bin

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
DEFAULT = ["pull", "channelback"]
SECONDS_TO_START = 60
QUIET = 1.0
"""Seconds without CPU time, after which a service is idle."""

IMPORTED = "import uvicorn, acme_reviews.cli as _, acme_reviews.web.request_deadlines as _; "
IMPORTED += "from importlib import import_module; from acme_reviews.app import CAPABILITIES; "
IMPORTED += "[import_module(f'acme_reviews.{folder}.capability') for folder in CAPABILITIES]"
"""What `serve` imports."""

COLUMNS = ("import, CPU s", "first answer, CPU s", "idle, MiB")


@dataclass
class Subject:
    """A service that starts again and again."""

    name: str
    command: list[str]
    imports: str
    folder: Path
    environment: dict[str, str]
    measured: list[tuple[float, float, float]] = field(default_factory=list)

    def measure(self) -> tuple[float, float, float]:
        """Give the CPU seconds of the import and until the first answer, and the MiB that stay resident."""
        command = [self.command[0], "-c", f"{self.imports}; import time; print(time.process_time())"]
        imported = subprocess.run(
            command, cwd=self.folder, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        )
        with self._serving() as process:
            answered = cpu(process)
            settle(process)
            return float(imported.stdout), answered, resident(process)

    @contextmanager
    def _serving(self) -> Iterator[subprocess.Popen[bytes]]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        with subprocess.Popen(
            [*self.command, port], cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL
        ) as process:
            try:
                await_answer(process, f"http://127.0.0.1:{port}/channel/manifest")
                yield process
            finally:
                process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="how often each service starts (9)")
    add_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subjects = [
            generated(folder, "default answers", DEFAULT),
            generated(folder, "every capability", EVERYTHING),
            *beside(folder),
        ]
        for number in range(arguments.rounds + 1):
            for subject in subjects:
                found = subject.measure()
                # The first start compiles, and makes the tables.
                if number:
                    subject.measured.append(found)
    publish({"start": table(subjects)}, write=arguments.write)


def generated(folder: Path, name: str, capabilities: list[str]) -> Subject:
    project = folder / name.replace(" ", "-")
    copy(project, capabilities=capabilities)
    python = install(project, project / ".venv", "--no-dev", "--compile-bytecode")
    made = subprocess.run(
        [python, "-m", "acme_reviews", "keys", "create"],
        cwd=project,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    keys = dict(line.split("=", 1) for line in made.stdout.split())
    settings = {"ENVIRONMENT": "production", "PUBLIC_URL": "https://reviews.example", **keys}
    command = [str(python), "-m", "acme_reviews", "serve", "--port"]
    return Subject(name, command, IMPORTED, project, os.environ | settings)


def beside(folder: Path) -> list[Subject]:
    """The same libraries, and what FastAPI needs."""
    python = install(folder / "default-answers", folder / "beside", "--no-dev", "--compile-bytecode")
    pip = [find_uv_bin(), "--quiet", "pip", "install", "--compile-bytecode", "--python", str(python)]
    subprocess.run([*pip, *BESIDE], check=True)
    subjects = []
    for name, module in (("bare Starlette", "bare_service"), ("FastAPI", "fastapi_service")):
        settings = {
            "DATABASE": str(folder / f"{module}.db"),
            "ORIGIN_URL": "http://127.0.0.1:9",
            "ZENDESK_URL": "http://127.0.0.1:9",
            "SIGNING_KEY": "a key",
        }
        command = [str(python), f"{module}.py"]
        subjects.append(Subject(name, command, f"import {module}", HERE, os.environ | settings))
    return subjects


def await_answer(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    with httpx2.Client(trust_env=False) as http:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                http.get(url).raise_for_status()
            except httpx2.TransportError:
                time.sleep(0.005)
            else:
                return
    raise TimeoutError(f"{url} did not answer within {SECONDS_TO_START} seconds")


def settle(process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    spent = -1.0
    while time.monotonic() < deadline and (now := cpu(process)) > spent:
        spent = now
        time.sleep(QUIET)


def cpu(process: subprocess.Popen[bytes]) -> float:
    """Seconds that all its threads have run."""
    fields = Path(f"/proc/{process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(process: subprocess.Popen[bytes]) -> float:
    """MiB of memory."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text("utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def table(subjects: list[Subject]) -> str:
    medians = {
        each.name: [statistics.median(values) for values in zip(*each.measured, strict=True)]
        for each in subjects
    }
    bare = medians["bare Starlette"]
    lines = [f"| Service | {' | '.join(COLUMNS)} | of bare |", f"|---|{'---|' * (len(COLUMNS) + 1)}"]
    for name, values in medians.items():
        imported, answered, idle = values
        ratios = ", ".join(f"{value / of:.1f}" for value, of in zip(values, bare, strict=True))
        lines.append(f"| {name} | {imported:.2f} | {answered:.2f} | {idle:.0f} | {ratios} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
