"""Copies that are taken while the service works can be restored, by the commands that a project's documents give."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from commands import environment, tool
from documents import shell_blocks, under

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Hosted
    from projects import Project

BACKUPS = Path(__file__).with_name("backups.py")
HEADING = "Back up and restore"

IN_PLACE = """
# What the documents call reaches another machine or a container: here it is done in its place.
inside() { while [ "$1" != -- ]; do shift; done; shift; "$@"; }
kubectl() { if [ "$1" = exec ]; then case " $* " in *" -- "*) inside "$@";; esac; fi; }
fly() { if [ "$2" = console ]; then eval "$4"; elif [ "$3" = get ]; then cp "$4" "$5"; else cp "$4" "$5"; fi; }
sudo() { "$@"; }
systemctl() { :; }
install() { command install --mode=600 "${@: -2}"; }
python() { if [ "$2" = sqlite3 ]; then PYTHON -c "$STATEMENT" "$3" "$4"; else PYTHON "$@"; fi; }
STATEMENT="import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute(sys.argv[2])"
docker() {
  case "$2" in
    exec) shift 4; "$@";;
    run) shift 5; LITESTREAM "$1" -config litestream.yml "${@:2}";;
  esac
}
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot kill a process so.")


@pytest.fixture
def restored(with_webhooks: Project, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    source = with_webhooks.installed(tmp_path / "src")
    path = os.pathsep.join([str(source), str(with_webhooks.path)])
    folder = tmp_path / "data"
    folder.mkdir()

    def restore(database: str, *ways: dict[str, Any]) -> dict[str, Any]:
        command = [sys.executable, str(BACKUPS), str(folder), database]
        env = environment(PYTHONPATH=path, LITESTREAM_REPLICA_URL=f"file://{folder}/replica")
        ended = subprocess.run(
            command,
            input=json.dumps(list(ways)),
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        report: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
        return report

    return restore


def test_copies_of_sqlite_bring_back_all_that_was_acknowledged(
    restored: Callable[..., dict[str, Any]], hosted: Hosted, tmp_path: Path
) -> None:
    """SVC-48, SVC-57: by systemd's timer, from Kubernetes, on Fly.io into the running service, and by Litestream."""
    folder = tmp_path / "data"

    report = restored(
        "sqlite",
        _systemd(hosted("systemd"), folder),
        _kubernetes(hosted("kubernetes"), folder),
        _fly(hosted("fly"), folder),
        _litestream(hosted("compose"), folder),
    )

    _judge(report)


def test_a_dump_of_postgresql_brings_back_all_that_was_acknowledged(
    restored: Callable[..., dict[str, Any]], hosted: Hosted
) -> None:
    """SVC-48, SVC-57"""
    blocks = shell_blocks(hosted("compose").text("docs/compose.md"))
    (dump,) = [block.commands for block in blocks if "pg_dump" in block.commands]
    (restore,) = [block.commands for block in blocks if "pg_restore" in block.commands]

    _judge(restored("postgresql", {"name": "dump", "back_up": _here(dump), "restore": _here(restore)}))


def _judge(report: dict[str, Any]) -> None:
    for way in report.values():
        assert way["posts"] >= 5
        assert way["replies"] >= 5
        assert way["posts_since"] >= 1


def _systemd(project: Project, folder: Path) -> dict[str, Any]:
    unit = project.text("deploy/systemd/acme-reviews-backup.service")
    (command,) = re.findall(r"(?m)^ExecStart=(.*)$", unit)
    (folder / "backups").mkdir()
    places = {
        "/var/lib/acme-reviews/": f"{folder}/",
        "/var/lib/acme-reviews": str(folder),
        "/opt/acme-reviews/current/bin/python": sys.executable,
        "/opt/acme-reviews/": f"{project.path}/deploy/systemd/",
        "COPY.db": f"{folder}/backups/*.db",
    }
    _, restore = under(shell_blocks(project.text("docs/systemd.md")), HEADING)
    return {"name": "systemd", "back_up": _here(command, places), "restore": _here(restore, places)}


def _kubernetes(project: Project, folder: Path) -> dict[str, Any]:
    back_up, restore = under(shell_blocks(project.text("docs/kubernetes.md")), HEADING)
    places = {"/data/": f"{folder}/", "< COPY.db": '< "acme-reviews-$(date +%F).db"'}
    return {"name": "kubernetes", "back_up": _here(back_up, places), "restore": _here(restore, places)}


def _fly(project: Project, folder: Path) -> dict[str, Any]:
    back_up, restore, *_ = under(shell_blocks(project.text("docs/fly.md")), HEADING)
    places = {
        "/data/": f"{folder}/",
        "/app/bin/python": sys.executable,
        "acme-reviews-2026-11-20.db": "acme-reviews-$(date +%F).db",
    }
    ways = {"back_up": _here(back_up, places), "restore": _here(restore, places)}
    return {"name": "fly", "runs_on": True, **ways}


def _litestream(project: Project, folder: Path) -> dict[str, Any]:
    places = {"/data/": f"{folder}/"}
    (folder / "litestream.yml").write_text(_put(project.text("deploy/litestream.yml"), places), "utf-8")
    _, restore = under(shell_blocks(project.text("docs/compose.md")), HEADING)
    alongside = shlex.join([str(tool("litestream")), "replicate", "-config", "litestream.yml"])
    return {"name": "litestream", "alongside": f"exec {alongside}", "restore": _here(restore, places)}


def _here(commands: str, places: dict[str, str] | None = None) -> str:
    prelude = IN_PLACE.replace("PYTHON", sys.executable).replace("LITESTREAM", str(tool("litestream")))
    return prelude + _put(commands, places or {})


def _put(text: str, places: dict[str, str]) -> str:
    for place, here in places.items():
        text = text.replace(place, here)
    return text
