"""The benchmark of delivery still runs; what it measures is read by people."""

from __future__ import annotations

import sys

from commands import ROOT, run

BENCHMARKS = ROOT / "benchmarks"


def test_delivery_is_measured() -> None:
    command = (sys.executable, "delivery.py", "--messages", "800", "--accounts", "2", "--webhooks", "2")

    output = run(*command, folder=BENCHMARKS, timeout=1200).output

    for way in ("bare client", "sqlite, serve alone", "postgresql, workers: 4", "postgresql, a worker"):
        assert f"| {way} |" in output
