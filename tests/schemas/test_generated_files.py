"""What is made from other files is up to date, and the reference points nowhere in vain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from generated_files import COMMAND, FILES
from sandbox import wire

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_generated_file_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == FILES[path](), (
        f"{path.name} is stale; write it anew: {COMMAND}"
    )


README = (wire.SCHEMAS / "README.md").read_text(encoding="utf-8")


def test_every_link_of_the_reference_leads_somewhere() -> None:
    text = re.sub(r"(`+).*?\1", "", re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL))
    anchors = re.findall(r'<a id="([^"]+)">', text)
    assert len(anchors) == len(set(anchors))
    inside = set(re.findall(r"\]\(#([^)]+)\)", text)) | set(
        re.findall(r"^\[[^\]]+\]: #(.+)$", text, re.MULTILINE)
    )
    assert inside <= set(anchors)
    files = set(re.findall(r"\]\(([^)#]+\.json)\)", text))
    assert files
    assert [name for name in files if not (wire.SCHEMAS / name).is_file()] == []
    marks = set(re.findall(r"\[([^\]]+)\](?![\]:(])", text))
    assert marks <= set(re.findall(r"^\[([^\]]+)\]: ", text, re.MULTILINE))


def test_all_rows_of_a_table_have_the_same_columns() -> None:
    tables = re.findall(r"(?:^\|.*\|\n){3,}", README, re.MULTILINE)
    assert len(tables) > 20
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1, table
