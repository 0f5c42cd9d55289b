"""The target compose, judged by the Compose schema, by the project's own tests, and by Litestream at work."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from commands import environment, run, tool
from hosting import JUDGED
from mistakes import Mistake, broken, named, overlooked
from validators import compose

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Hosted

FILE = "deploy/compose.yaml"
CADDYFILE = "deploy/Caddyfile"
LITESTREAM = "deploy/litestream.yml"

SEEN_BY_THE_SCHEMA = [
    Mistake("misspells a key", FILE, "restart:", "restarts:", "'restarts' was unexpected"),
    Mistake("waits for no state", FILE, "service_healthy", "healthy", "service_healthy"),
    Mistake(
        "mounts no list", FILE, "    volumes:\n      - data:/data\n", "    volumes: data:/data\n", "'array'"
    ),
    Mistake("mounts a folder", FILE, "- data:/data", "- {type: folder}", "'folder'"),
    Mistake("requires it perhaps", FILE, "required: false", "required: perhaps", "'perhaps'"),
    Mistake("names a profile", FILE, "profiles: [backup]", "profiles: backup", "'backup'"),
]

SEEN_BY_LITESTREAM = [
    Mistake("writes time in words", LITESTREAM, "interval: 24h", "interval: daily", "daily"),
    Mistake("counts days", LITESTREAM, "retention: 168h", "retention: 7 days", "7 days"),
    Mistake("knows another storage", LITESTREAM, "${LITESTREAM_REPLICA_URL}", "ftp://host/path", "ftp"),
    Mistake("invents a setting", LITESTREAM, "${LITESTREAM_REPLICA_URL}", "${REPLICA_URL}", "path required"),
    Mistake("copies to many", LITESTREAM, "replica:", "replicas:", "ReplicaConfig"),
    Mistake("loses a dash", LITESTREAM, "  - path", "    path", "cannot unmarshal"),
    Mistake("copies nowhere", LITESTREAM, "      url:", "      uri:", "path required"),
]

SEEN_BY_THE_PROJECT = [
    Mistake("takes no tag", FILE, "caddy:2.11-alpine", "caddy:alpine", "pinned"),
    Mistake("restarts sometimes", FILE, "unless-stopped", "sometimes", "comes_back"),
    Mistake("hides behind localhost", FILE, "HOST: 0.0.0.0", "HOST: 127.0.0.1", "is_fixed"),
    Mistake("passes by Caddy", FILE, "    ports:\n", "    expose:\n", "only_caddy"),
    Mistake(
        "opens the database", FILE, "    shm_size", '    ports: ["5432:5432"]\n    shm_size', "only_caddy"
    ),
    Mistake("waits for nobody", FILE, "service_healthy", "service_started", "only_caddy"),
    Mistake("invents a setting", FILE, "${PUBLIC_URL", "${PUBLIC_HOST", "is_a_setting"),
    Mistake("stops too early", FILE, "grace_period: 70s", "grace_period: 10s", "take_its_time"),
    Mistake("may write", FILE, "read_only: true", "read_only: false", "confined"),
    Mistake("runs no worker", FILE, '"worker"]', '"work"]', "runs_a_command"),
    Mistake("demands the profile", FILE, "        required: false\n", "", "waited_for"),
    Mistake("forgets PostgreSQL", FILE, ":/var/lib/postgresql\n", ":/var/lib/postgresql/data\n", "outlives"),
    Mistake("reads as another", FILE, 'user: "10001:10001"', 'user: "1000:1000"', "is_copied"),
    Mistake("misspells the address", FILE, "REPLICA_URL: ", "REPLICA: ", "is_copied"),
    Mistake("calls it otherwise", FILE, "POSTGRES_DB:", "POSTGRES_DATABASE:", "enters_the_profiles"),
    Mistake("copies another file", LITESTREAM, "/data/acme-reviews.db", "/data/reviews.db", "outlives"),
    Mistake("misspells a key", LITESTREAM, "snapshot:", "snapshots:", "is_copied"),
    Mistake("copies to many", LITESTREAM, "replica:", "replicas:", "is_copied"),
    Mistake("misspells how long", LITESTREAM, "retention:", "retain:", "is_copied"),
    Mistake("names the place", LITESTREAM, "${LITESTREAM_REPLICA_URL}", "s3://bucket", "is_copied"),
    Mistake("proxies to no port", CADDYFILE, "web:8000 {", "web:8080 {", "it_passes_requests_on"),
    Mistake("shows its metrics", CADDYFILE, "path /metrics", "path /stats", "metrics_stay_inside"),
    Mistake("cuts an answer short", CADDYFILE, "header_timeout 60s", "header_timeout 30s", "take_its_time"),
    Mistake("does not wait", CADDYFILE, "try_duration 55s", "try_duration 5s", "request_waits"),
    Mistake("answers everywhere", CADDYFILE, "{$PUBLIC_URL} {", ":80 {", "public_address_alone"),
    Mistake("lets too much in", CADDYFILE, "max_size 2MiB", "max_size 64MB", "same_bodies"),
    Mistake("keeps too little", CADDYFILE, "buffers 1MiB", "buffers 64KiB", "sent_again"),
    Mistake("sends no post again", CADDYFILE, "method POST", "method PUT", "sent_again"),
]


@pytest.mark.parametrize("name", JUDGED["compose"])
def test_the_schema_accepts(name: str, hosted: Hosted) -> None:
    assert not compose(hosted("compose", **JUDGED["compose"][name]).path / FILE)


@pytest.mark.parametrize("mistake", named(SEEN_BY_THE_SCHEMA))
def test_the_schema_refuses(mistake: Mistake, hosted: Hosted, tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(broken(hosted("compose"), mistake), "utf-8")
    assert mistake.complaint in compose(file)


@pytest.mark.gate
def test_the_project_refuses_a_broken_deployment(hosted: Hosted, tmp_path: Path) -> None:
    assert not overlooked(hosted("compose").copied(tmp_path / "project"), SEEN_BY_THE_PROJECT)


def configuration(text: str, folder: Path) -> Path:
    """Write Litestream's file with the database in a folder of this machine."""
    file = folder / "litestream.yml"
    file.write_text(text.replace("/data/", f"{folder}/"), "utf-8")
    return file


def litestream_environment(folder: Path) -> dict[str, str]:
    return environment(LITESTREAM_REPLICA_URL=f"file://{folder}/replica")


@pytest.mark.parametrize("mistake", named(SEEN_BY_LITESTREAM))
def test_litestream_refuses(mistake: Mistake, hosted: Hosted, tmp_path: Path) -> None:
    file = configuration(broken(hosted("compose"), mistake), tmp_path)
    command = (tool("litestream"), "replicate", "-once", "-config", file)
    ended = run(*command, folder=tmp_path, env=litestream_environment(tmp_path), check=False)
    assert ended.code
    assert mistake.complaint in ended.output


FIRST_LOOK = 2.0
"""Seconds after its start by which Litestream has looked at the database: twice its interval."""


@contextmanager
def replicating(file: Path, *, until: str) -> Iterator[None]:
    """Litestream at work; leaving the block stops it as Docker does, once it has said what is waited for."""
    log = file.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [tool("litestream"), "replicate", "-config", file],
            env=litestream_environment(file.parent),
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 30
        while until not in log.read_text("utf-8"):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text("utf-8")  # noqa: PT018
            time.sleep(0.1)
        # Stopped before it has looked for the first time, it copies nothing; from then on it copies all, until its end.
        time.sleep(FIRST_LOOK)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)
    assert process.returncode == 0, log.read_text("utf-8")


WRITE = """
import asyncio, sys
from acme_reviews.core.accounts import Accounts
from acme_reviews.origin import Configuration
from acme_reviews.settings import new_sealing_key, new_signing_key
from acme_reviews.core.database import Database
from acme_reviews.core.security import Sealer, Signer


async def main() -> None:
    database = Database(f"sqlite:///{sys.argv[1]}")
    await database.migrate()
    accounts = Accounts(database, Signer([new_signing_key()]), Sealer([new_sealing_key()]), Configuration)
    for number in range(40):
        await accounts.create("acme", f"{sys.argv[2]} {number}", Configuration(business="acme", api_key="key"))
    await database.close()


asyncio.run(main())
"""


def dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def accounts_written(file: Path) -> dict[str, int]:
    """Count the accounts of each round."""
    with closing(sqlite3.connect(file)) as connection:
        return Counter(name.split()[0] for (name,) in connection.execute("SELECT name FROM accounts"))


@pytest.mark.gate
def test_litestream_brings_back_what_the_service_has_written(hosted: Hosted, tmp_path: Path) -> None:
    """From the beginning, and again after a restore in place of what was there, as the README says."""
    project = hosted("compose").copied(tmp_path / "project")
    project.sync()
    folder = tmp_path / "data"
    folder.mkdir()
    file, database = configuration(project.text(LITESTREAM), folder), folder / "acme-reviews.db"

    def write(round_: str) -> None:
        project.uv("run", "--no-sync", "python", "-c", WRITE, str(database), round_)

    def restored(*options: str | Path) -> None:
        command = (tool("litestream"), "restore", "-config", file, *options, database)
        run(*command, folder=folder, env=litestream_environment(folder))

    write("first")
    with replicating(file, until="replicating to"):
        write("second")
    restored("-o", tmp_path / "copy.db")
    written = dump(database)
    assert accounts_written(database) == {"first": 40, "second": 40}
    assert dump(tmp_path / "copy.db") == written

    write("lost")
    restored("-force")
    assert dump(database) == written

    with replicating(file, until="replicating to"):
        write("third")
    restored("-o", tmp_path / "later.db")
    assert dump(tmp_path / "later.db") == dump(database)
    assert accounts_written(database) == {"first": 40, "second": 40, "third": 40}
