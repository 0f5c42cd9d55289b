"""The benchmarks of delivery still run; what they measure is read by people."""

from __future__ import annotations

import sys

from commands import ROOT, run

BENCHMARKS = ROOT / "benchmarks"


def test_delivery_is_measured() -> None:
    command = (sys.executable, "delivery.py", "--messages", "800", "--accounts", "2", "--webhooks", "2")

    output = run(*command, folder=BENCHMARKS, timeout=1200).output

    for way in ("bare client", "sqlite, serve alone", "postgresql, workers: 4", "webhook to Zendesk"):
        assert way in output


def test_a_storm_can_be_raised() -> None:
    """On SQLite; tests/chaos raises them on PostgreSQL, too."""
    storm = ("--messages", "100", "--threads", "4", "--accounts", "2", "--kills", "1", "--freezes", "0")

    output = run(sys.executable, "storm.py", "sqlite", *storm, folder=BENCHMARKS, timeout=1200).output

    assert '"messages": 100' in output
