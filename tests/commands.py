"""Running programs: a clean environment, a time limit for the whole process tree, readable failures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uv

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent

# A pytest that a test starts closes its temporary folders to other users at any time, and with ours the packaged
# PostgreSQL, which runs as a user of its own where the tests run as root.
_INNER_TEMPORARY = tempfile.TemporaryDirectory(prefix="projects-")


@dataclass(frozen=True)
class Ended:
    command: str
    code: int
    output: str


class CommandError(AssertionError):
    """A program failed, or ran longer than it may."""

    def __init__(self, what: str, folder: Path, ended: Ended) -> None:
        super().__init__(f"{what}: {ended.command}\nin {folder}\n\n{ended.output}")


def environment(**changes: str) -> dict[str, str]:
    """Return this process's environment without what would bend a program that we start."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COV_", "GIT_DIR", "GIT_INDEX", "GIT_WORK", "PYTEST_", "VIRTUAL_ENV"))
        and name
        not in {"PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "FORCE_COLOR", "CLICOLOR_FORCE"}
    }
    # Generated projects get the Python that runs the tests, and nobody downloads another one.
    return {
        **kept,
        "NO_COLOR": "1",
        "PYTEST_DEBUG_TEMPROOT": _INNER_TEMPORARY.name,
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
        **changes,
    }


def run(
    *command: str | Path,
    folder: Path,
    timeout: float = 120,
    env: Mapping[str, str] | None = None,
    check: bool = True,
) -> Ended:
    """Run one program; standard output and errors come back as one text."""
    __tracebackhide__ = True
    arguments = [str(part) for part in command]
    process = subprocess.Popen(
        arguments,
        cwd=folder,
        env=environment() if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    shown = " ".join(arguments)
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        raise CommandError(
            f"no end after {timeout:.0f} s", folder, Ended(shown, -signal.SIGKILL, output)
        ) from None
    ended = Ended(shown, process.returncode, output)
    if check and ended.code != 0:
        raise CommandError(f"exit code {ended.code}", folder, ended)
    return ended


def git(folder: Path, *arguments: str) -> str:
    __tracebackhide__ = True
    return run("git", *arguments, folder=folder).output


def uv_binary() -> str:
    return uv.find_uv_bin()


def tool(name: str) -> Path:
    """Return a program installed beside the Python that runs the tests."""
    return Path(sys.executable).with_name(name)
