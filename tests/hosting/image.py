"""A container image without containers: what the Dockerfile says is done in a folder, and run as its user.

The instructions are carried out as they stand, with the image's own folders moved below the folder. Whatever would only
work with more rights than the image has fails here, too: the user is that of the image where the tests run as root,
and the source tree can be read only.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from commands import Ended, environment, uv_binary
from hosting import lacking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from projects import Project

FOLDERS = re.compile(r"(?<![\w.])/(app|cache|data|source)\b")
"""The folders of the image that are moved."""

# What an answer of the network has to be checked with is known to the machine, not to the image.
OF_THE_MACHINE = re.compile(
    r"(SSL|UV_INDEX|UV_DEFAULT_INDEX|UV_FIND_LINKS|HTTP|HTTPS|NO)_|.*_proxy$", re.IGNORECASE
)


@dataclass
class Image:
    """An image that was built, below `folder`."""

    folder: Path
    command: list[str]
    check: list[str]
    environment: dict[str, str]
    user: dict[str, Any] = field(default_factory=dict)

    def moved(self, text: str) -> str:
        return FOLDERS.sub(lambda found: str(self.folder / found.group(1)), text)

    def run(self, *command: str, env: Mapping[str, str], folder: Path, timeout: float = 300) -> Ended:
        ended = subprocess.run(
            command,
            cwd=folder,
            env=dict(env),
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **self.user,
        )
        return Ended(shlex.join(command), ended.returncode, ended.stdout)

    @contextmanager
    def serving(self, **settings: str) -> Iterator[Container]:
        """Start the image's command with these settings from outside, until its own check passes; stop it at the end."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        env = {**self.environment, **settings, "PORT": str(port)}
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                self.command, cwd=self.folder / "app", env=env, stdout=log, stderr=log, **self.user
            )
            container = Container(self, process, port, env)
            try:
                deadline = time.monotonic() + 60
                while container.checked().code:
                    if process.poll() is not None or time.monotonic() > deadline:
                        log.seek(0)
                        pytest.fail(f"{self.command} does not serve:\n{log.read().decode()}", pytrace=False)
                    time.sleep(0.2)
                yield container
            finally:
                process.terminate()
                process.wait(timeout=70)


@dataclass
class Container:
    image: Image
    process: subprocess.Popen[bytes]
    port: int
    environment: dict[str, str]

    def checked(self) -> Ended:
        """Carry out the image's HEALTHCHECK."""
        check = [word.replace(":8000/", f":{self.port}/") for word in self.image.check]
        return self.image.run(*check, env=self.environment, folder=self.image.folder, timeout=20)


@contextmanager
def built(project: Project) -> Iterator[Image]:
    """Carry out the project's Dockerfile. The project needs its uv.lock."""
    stages = _stages(project.text("deploy/Dockerfile"))
    build, final = stages[-2], stages[-1]
    with tempfile.TemporaryDirectory(prefix="image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        user, group = map(int, _last(final, "USER").split(":"))
        as_user: dict[str, Any] = {} if os.geteuid() else {"user": user, "group": group, "extra_groups": []}
        image = Image(
            folder,
            command=json.loads(_last(final, "CMD")),
            check=json.loads(_last(final, "HEALTHCHECK").partition("CMD ")[2]),
            environment={},
            user=as_user,
        )
        for own in ("app", "cache", "home", "data"):
            (folder / own).mkdir()
            if as_user:
                os.chown(folder / own, user, group)
        tools = folder / "tools"
        tools.mkdir()
        shutil.copy(uv_binary(), tools / "uv")
        machine = {
            **{key: value for key, value in environment().items() if OF_THE_MACHINE.match(key)},
            "HOME": str(folder / "home"),
        }
        _build(
            image,
            build,
            project.path,
            {**machine, "PATH": f"{tools}:{os.environ['PATH']}", "UV_PYTHON": _python(image)},
        )
        if as_user:
            # The image's own user finds it, but cannot change it.
            _give_to_root(folder / "app")
        image.environment = {"HOME": str(folder / "home"), **_environment(image, final)}
        image.environment["PATH"] = f"{folder / 'app' / 'bin'}:/usr/bin:/bin"
        try:
            yield image
        finally:
            _writable(folder)


def _build(image: Image, stage: list[tuple[str, str]], context: Path, env: dict[str, str]) -> None:
    source = image.folder / "source"
    source.mkdir()
    admitted = {
        line[1:]
        for line in (context / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    }
    for keyword, rest in stage:
        if keyword == "ENV":
            env |= {key: image.moved(value) for key, value in _assignments(rest)}
        elif keyword == "COPY" and not rest.startswith("--from"):
            _writable(source)
            *patterns, target = shlex.split(rest)
            for pattern in patterns:
                for path in context.glob(pattern):
                    assert path.name in admitted, f"{path.name} is kept from the image by .dockerignore"
                    destination = source / (path.name if target == "./" else target)
                    if path.is_dir():
                        shutil.copytree(path, destination, ignore=shutil.ignore_patterns("__pycache__"))
                    else:
                        shutil.copy(path, destination)
        elif keyword == "RUN":
            command = shlex.split(re.sub(r"--mount=\S+", "", rest))
            _read_only(source)
            before = _contents(source)
            ended = image.run(*command, env=env, folder=source)
            assert not ended.code, ended
            assert _contents(source) == before


def _stages(text: str) -> list[list[tuple[str, str]]]:
    lines = re.sub(r"(?m)^\s*#.*\n", "", text).replace("\\\n", " ").splitlines()
    stages: list[list[tuple[str, str]]] = []
    for line in filter(str.strip, lines):
        keyword, _, rest = line.partition(" ")
        if keyword == "FROM":
            stages.append([])
        stages[-1].append((keyword, rest.strip()))
    return stages


def _last(stage: list[tuple[str, str]], keyword: str) -> str:
    return [rest for found, rest in stage if found == keyword][-1]


def _assignments(rest: str) -> list[tuple[str, str]]:
    return [(key, value) for key, _, value in (word.partition("=") for word in shlex.split(rest))]


def _environment(image: Image, stage: list[tuple[str, str]]) -> dict[str, str]:
    return {
        key: image.moved(value)
        for keyword, rest in stage
        if keyword == "ENV"
        for key, value in _assignments(rest)
    }


def _python(image: Image) -> str:
    """Return a Python that the image's user may start."""
    works = "import sys, venv, ssl, sqlite3; sys.exit(sys.version_info < (3, 11))"
    for python in (str(Path(sys.executable).resolve()), "/usr/bin/python3", "/usr/local/bin/python3"):
        try:
            if image.run(python, "-c", works, env={}, folder=image.folder).code == 0:
                return python
        except OSError:
            continue
    return lacking("This machine has no Python 3.11 or later that every user may start: install python3.")


def _give_to_root(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, 0, 0, follow_symlinks=False)


def _read_only(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222)


def _writable(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o200)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
