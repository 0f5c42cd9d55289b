"""Whatever strangers send, the service stays quick and small, and answers with no 5xx.

The same at full size: benchmarks/fuzz.py.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from commands import ROOT, environment, run
from hosting import EVERYTHING

if TYPE_CHECKING:
    from conftest import Generate

CHAOS = Path(__file__).parent
STRANGERS = CHAOS / "strangers.py"
HERE = os.pathsep.join(str(ROOT / name) for name in ("template", "tools", "tests/schemas", "tests/sandbox"))


def requests_from_the_contract(side: str, folder: Path) -> Path:
    """Write a few hundred, always the same."""
    file = folder / side
    options = (side, file, "--requests=400")
    env = environment(PYTHONPATH=HERE)
    run(sys.executable, CHAOS / "modelled_requests.py", *options, folder=folder, env=env, timeout=120)
    return file


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

    modelled = requests_from_the_contract("service", tmp_path)
    options = ("--requests=800", f"--modelled={modelled}")

    ended = run(sys.executable, STRANGERS, database, *options, folder=tmp_path, env=env, timeout=300)

    report = json.loads(ended.output[ended.output.index("{") :])
    assert report["requests"] == 800
    assert {"200", "302", "303", "400", "401", "403", "404", "405", "413", "422"} <= report["statuses"].keys()


def test_what_services_send_does_the_sandbox_no_harm(tmp_path: Path) -> None:
    modelled = requests_from_the_contract("zendesk", tmp_path)
    env = environment(PYTHONPATH=HERE)

    ended = run(
        *(sys.executable, CHAOS / "strangers_at_zendesk.py", modelled, "--requests=800"),
        folder=tmp_path,
        env=env,
        timeout=120,
    )

    report = json.loads(ended.output[ended.output.index("{") :])
    assert {"200", "303", "400", "401", "403", "404", "405", "422"} <= report["statuses"].keys()
