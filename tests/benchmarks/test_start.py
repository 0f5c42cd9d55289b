"""What a start imports: counted and named, since seconds are not for a busy machine to say."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import counted_reviews
import httpx2
import pytest
from counted_reviews.core.database import Database
from counted_reviews.settings import new_operator_password, new_sealing_key, new_signing_key
from machine import free_port

SECONDS_TO_START = 120
MODULES = 860
"""Those that `serve` imports on SQLite, with what is Python's own."""

OF_DEVELOPMENT = {"rich", "pygments", "markdown_it", "mdurl", "attr", "colorama"}
"""What structlog and others import where it is installed, which it is not in production."""

UNUSED = {
    "alembic": "the tables are up to date",
    "mako": "Alembic needs it",
    "psycopg": "the database is SQLite",
    "procrastinate": "the database is SQLite",
    "sqlalchemy.ext.asyncio": "the database is SQLite",
    "sqlalchemy.orm": "nothing uses it",
    "sandbox": "it is a tool",
    "jsonschema": "tools need it",
}
"""What `serve` has no use for, and why."""

WITHOUT_SERVICE = ["sqlalchemy", "starlette", "structlog", "httpx2", "jinja2"]

PATH = os.pathsep.join([str(Path(counted_reviews.__file__).parents[1]), *sys.path])


def modules(told: str) -> set[str]:
    """Read what `-X importtime` tells."""
    return set(re.findall(r"^import time: +\d+ \| +\d+ \| +(\S+)$", told, re.MULTILINE))


def of(package: str, found: set[str]) -> set[str]:
    return {module for module in found if f"{module}.".startswith(f"{package}.")}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-X", "importtime", "-m", "counted_reviews", *arguments]


def test_serve_imports_no_more_than_it_uses(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/service.db"
    asyncio.run(migrated(url))
    settings = {
        "PYTHONPATH": PATH,
        "DATABASE_URL": url,
        "ENVIRONMENT": "production",
        "PUBLIC_URL": "https://reviews.example",
        "SIGNING_KEYS": new_signing_key(),
        "SEALING_KEYS": new_sealing_key(),
        "OPERATOR_PASSWORD": new_operator_password(),
    }
    port = free_port()
    told = tmp_path / "imports.txt"

    with (
        told.open("w") as errors,
        subprocess.Popen(
            command("serve", "--port", str(port)),
            cwd=tmp_path,
            env=os.environ | settings,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        ) as process,
    ):
        try:
            await_answer(process, f"http://127.0.0.1:{port}/channel/manifest")
        finally:
            process.terminate()

    found = modules(told.read_text())
    assert of("counted_reviews.channelback", found)
    assert {name: of(name, found) for name in UNUSED if of(name, found)} == {}
    in_production = found - set().union(*(of(name, found) for name in OF_DEVELOPMENT))
    assert len(in_production) <= MODULES


@pytest.mark.parametrize(
    ("arguments", "more"), [(("--version",), ["pydantic", "cryptography"]), (("keys", "create"), [])]
)
def test_short_commands_import_nothing_of_the_service(
    arguments: tuple[str, ...], more: list[str], tmp_path: Path
) -> None:
    ended = subprocess.run(
        command(*arguments),
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": PATH},
        check=True,
        capture_output=True,
        text=True,
    )

    found = modules(ended.stderr)
    assert of("click", found)
    assert {name for name in [*WITHOUT_SERVICE, *more] if of(name, found)} == set()


async def migrated(url: str) -> None:
    database = Database(url)
    await database.migrate()
    await database.close()


def await_answer(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    with httpx2.Client(trust_env=False) as http:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                http.get(url).raise_for_status()
            except httpx2.TransportError:
                time.sleep(0.02)
            else:
                return
    raise AssertionError(f"{url} did not answer; the process ended with {process.poll()}")
