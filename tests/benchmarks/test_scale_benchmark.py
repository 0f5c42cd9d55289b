"""The benchmark of several processes still runs; what it measures is read by people."""

from __future__ import annotations

import re
import sys

import pytest
from commands import ROOT, run


@pytest.mark.gate
def test_one_two_and_four_processes_are_compared() -> None:
    few = ("--rounds", "1", "--requests", "8", "--posts", "8")

    output = run(sys.executable, "scale.py", *few, folder=ROOT / "benchmarks", timeout=600).output

    assert "| | | 1 | 2 | 4 |" in output
    for work in ("pull", "channelback", "webhook"):
        rows = re.findall(rf"^\| {work}.* \| (.+)(?: \| \d.*){{3}} \|$", output, re.MULTILINE)
        assert [row for row in rows if "CPU" in row] == [
            "CPU ms of web processes",
            "CPU ms of workers",
            "CPU ms of PostgreSQL",
        ]
