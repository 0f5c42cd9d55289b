"""The courses of tests/chaos can be run on their own, at any size, and their reports become tables."""

from __future__ import annotations

import sys

from commands import ROOT, run

BENCHMARKS = ROOT / "benchmarks"


def test_a_storm_can_be_raised() -> None:
    """On SQLite; tests/chaos raises them on PostgreSQL, too."""
    storm = ("--messages", "100", "--threads", "4", "--accounts", "2", "--kills", "1", "--freezes", "0")

    output = run(sys.executable, "storm.py", "sqlite", *storm, folder=BENCHMARKS, timeout=1200).output

    assert "| posts | 100 |" in output


def test_service_and_sandbox_can_be_fuzzed() -> None:
    few = ("--requests", "100", "--modelled", "20")

    output = run(sys.executable, "fuzz.py", *few, folder=BENCHMARKS, timeout=1200).output

    assert "| Seed 1 | the service, on SQLite | the sandbox |" in output
    assert "| requests | 100 | 100 |" in output
