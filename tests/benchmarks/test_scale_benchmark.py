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

    for work in ("pull", "channelback", "webhook"):
        (figures,) = re.findall(rf"^{work}.*\n((?:  .*\n){{3}})", output, re.MULTILINE)
        assert re.findall(r"processes: (\d)", figures) == ["1", "2", "4"]
