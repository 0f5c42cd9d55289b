"""What one core carries follows from what was measured last."""

from __future__ import annotations

import sys

from commands import ROOT, run


def test_the_tables_of_capacity_follow_from_the_measured_ones() -> None:
    tables = run(sys.executable, "capacity.py", folder=ROOT / "benchmarks").output

    readme = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    for table in tables.strip().split("\n\n"):
        assert table in readme, f"README.md of benchmarks needs what capacity.py prints now:\n{table}"


def test_owners_read_the_same_of_one_core() -> None:
    carried = run(sys.executable, "capacity.py", folder=ROOT / "benchmarks").output.split("\n\n")[0]

    page = (ROOT / "template" / "docs" / "hosting.md.jinja").read_text("utf-8")
    for row in carried.splitlines()[2:]:
        assert row in page, f"docs/hosting.md.jinja needs what capacity.py prints now: {row}"
