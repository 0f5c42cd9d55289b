"""What is claimed about speed can still be measured; whether it holds is not for a busy machine to say."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
from commands import ROOT, run

if TYPE_CHECKING:
    from projects import Template


@pytest.mark.gate
def test_the_cost_of_validation_can_be_measured(template: Template) -> None:
    script = template.path / "benchmarks/validation.py"

    ended = run(sys.executable, script, "--rounds", "1", folder=ROOT, timeout=300, check=False)

    assert ended.code in (0, 1), ended.output
    assert len(re.findall(r"^\| the .* \| \d\.\d+ \|$", ended.output, re.MULTILINE)) == 4, ended.output


@pytest.mark.gate
def test_the_cost_of_each_kind_of_request_can_be_measured(template: Template) -> None:
    script = template.path / "benchmarks/request_cost.py"

    table = run(sys.executable, script, "--rounds", "1", "--each", "2", folder=ROOT, timeout=300).output

    assert len(re.findall(r"^\| [a-z].*(?: \| \d+\.\d+){5} \|$", table, re.MULTILINE)) == 9, table
