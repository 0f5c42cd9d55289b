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
from hosting import EVERYTHING

if TYPE_CHECKING:
    from conftest import Generate

STRANGERS = Path(__file__).with_name("strangers.py")


@pytest.mark.parametrize(
    ("database", "without"), [("sqlite", "listen"), ("postgresql", "")], ids=["webhooks", "listening"]
)
def test_what_strangers_send_does_no_harm(
    generate: Generate, tmp_path: Path, database: str, without: str
) -> None:
    """Each run sends the same requests."""
    project = generate(capabilities=[name for name in EVERYTHING if name != without])
    source = project.installed(tmp_path / "src")
    env = environment(PYTHONPATH=os.pathsep.join([str(source), str(project.path)]))

    ended = run(sys.executable, STRANGERS, database, "--requests=800", folder=tmp_path, env=env, timeout=300)

    report = json.loads(ended.output[ended.output.index("{") :])
    assert report["requests"] == 800
    assert {"200", "302", "303", "400", "401", "403", "404", "405", "413", "422"} <= report["statuses"].keys()
