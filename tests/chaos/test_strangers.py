"""Whatever strangers send, the service stays quick and small, and answers with no 5xx.

The same at full size: benchmarks/strangers.py.
"""

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

STRANGERS = Path(__file__).with_name("strangers.py")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_strangers_send_does_no_harm(with_webhooks: Project, tmp_path: Path, database: str) -> None:
    """Each run sends the same requests."""
    source = with_webhooks.installed(tmp_path / "src")
    env = environment(PYTHONPATH=os.pathsep.join([str(source), str(with_webhooks.path)]))

    ended = run(sys.executable, STRANGERS, database, "--requests=800", folder=tmp_path, env=env, timeout=300)

    report = json.loads(ended.output[ended.output.index("{") :])
    assert report["requests"] == 800
    assert {"200", "202", "302", "400", "401", "403", "404", "405", "413", "422"} <= report["statuses"].keys()
