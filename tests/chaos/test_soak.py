"""Nothing is lost or doubled while everything around the service fails. At full size: benchmarks/soak.py."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from commands import environment, run

if TYPE_CHECKING:
    from projects import Project

SOAK = Path(__file__).with_name("soak.py")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot kill a process so.")


@pytest.mark.parametrize(
    ("database", "blows"),
    [("sqlite", ("--database-faults=4", "--jumps=2")), ("postgresql", ("--database-faults=2",))],
)
def test_a_short_soak_is_survived(
    with_webhooks: Project, tmp_path: Path, database: str, blows: tuple[str, ...]
) -> None:
    """SVC-48, SVC-49, SVC-57"""
    source = with_webhooks.installed(tmp_path / "src")
    env = environment(PYTHONPATH=os.pathsep.join([str(source), str(with_webhooks.path)]))
    everywhere = ("--kills=1", "--ends=1", "--absences=1", "--revocations=1")
    size = ("--posts=80", "--replies=30", "--threads=4", "--calm-requests=0", "--pull-every=2")

    ended = run(
        sys.executable, SOAK, database, *size, *everywhere, *blows, folder=tmp_path, env=env, timeout=600
    )

    report = json.loads(ended.output[ended.output.index("{") :])
    assert report["replies"] == 30
    assert sum(report["blows"].values()) == sum(int(blow.partition("=")[2]) for blow in (*everywhere, *blows))
