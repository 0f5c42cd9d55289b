"""What requests and jobs ask of the database costs the same, whatever it holds."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from commands import ROOT, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from projects import Project


def test_what_is_asked_for_costs_the_same_when_four_times_as_much_is_stored(
    with_webhooks: Project, tmp_path: Path
) -> None:
    script = ROOT / "benchmarks/growth.py"
    much = ("--large", "400", "40000", "40000", "8000")
    env = environment(PYTHONPATH=str(with_webhooks.installed(tmp_path / "src")))

    # Instructions of SQLite's machine are counted, which are as many on a busy machine.
    output = run(
        sys.executable, script, "--project", with_webhooks.path, *much, folder=ROOT, timeout=600, env=env
    ).output

    assert len(re.findall(r"^\| [a-z].*(?: \| [\d.,]+){5} \|$", output, re.MULTILINE)) == 13, output
