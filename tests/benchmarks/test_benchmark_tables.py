"""The tables of benchmarks/README.md are written by the scripts that print them."""

from __future__ import annotations

import sys
from typing import get_args

import pytest
from commands import ROOT, run
from readme import README, Place, replaced


@pytest.mark.parametrize("place", get_args(Place))
def test_each_table_has_its_place(place: Place) -> None:
    text = README.read_text("utf-8")
    table = "| Another | table |\n|---|---|"

    written = replaced(text, {place: table})

    before, _, behind = written.partition(f"<!-- {place} -->\n\n{table}\n\n")
    assert text.startswith(before)
    assert text.endswith(behind)
    assert replaced(text, {place: old_table(text, place)}) == text


def old_table(text: str, place: Place) -> str:
    return text.partition(f"<!-- {place} -->\n\n")[2].partition("\n\n")[0]


def test_a_table_without_a_place_is_refused() -> None:
    with pytest.raises(LookupError, match=r"0 places of the name 'start'"):
        replaced("# Benchmarks\n", {"start": "| A |"})


def test_what_is_not_to_be_written_is_only_printed() -> None:
    before = README.read_text("utf-8")

    run(sys.executable, "capacity.py", folder=ROOT / "benchmarks")

    assert README.read_text("utf-8") == before
