"""A service ends soon after it is told to, whatever is due and whoever has sent half a request."""

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

STOPPING = Path(__file__).with_name("stopping.py")


@pytest.mark.parametrize(("database", "accounts"), [("sqlite", 2_000), ("postgresql", 10_000)])
def test_a_service_ends_within_seconds_whatever_is_due(
    with_webhooks: Project, tmp_path: Path, database: str, accounts: int
) -> None:
    source = with_webhooks.installed(tmp_path / "src")
    env = environment(PYTHONPATH=os.pathsep.join([str(source), str(with_webhooks.path)]))

    ended = run(
        sys.executable, STOPPING, database, f"--accounts={accounts}", folder=tmp_path, env=env, timeout=300
    )

    told = json.loads(ended.output.splitlines()[-1])
    assert told["code"] == 0
    assert told["seconds"] < 10
    # It went about it in order: what is left is left to the next process.
    assert told["sent"] < accounts
