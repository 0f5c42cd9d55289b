"""Some hours of a few accounts go as a day of ten thousand, which benchmarks/day.py goes through."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest
from commands import ROOT, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from projects import Project

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows hands over no listening socket so.")


def test_accounts_are_pulled_and_pushed_as_often_as_due(with_webhooks: Project, tmp_path: Path) -> None:
    """SVC-57: and nothing is left of them when nothing is to be kept any more."""
    source = with_webhooks.installed(tmp_path / "src")
    env = environment(PYTHONPATH=os.pathsep.join([str(source), str(with_webhooks.path)]))
    day = ROOT / "tests/chaos/day.py"

    ended = run(sys.executable, day, "20", "2", "24", "24", folder=tmp_path, env=env, timeout=600)

    report = json.loads(ended.output[ended.output.index("{") :])
    assert (report["pulls"], report["posts"], report["pushed"]) == (40, 40, 4)
    assert report["faults"] == []
