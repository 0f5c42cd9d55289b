"""The commands that a README promises."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    heading: str
    commands: str


def shell_blocks(text: str) -> list[Block]:
    """Return the fenced `sh` blocks of a Markdown text, each with the heading above it."""
    found = []
    for fence in FENCE.finditer(text):
        if fence["language"] == "sh":
            headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text[: fence.start()]), re.MULTILINE)
            found.append(Block(headings[-1], textwrap.dedent(fence["body"]).strip()))
    return found


def under(blocks: list[Block], heading: str) -> list[str]:
    """Return the commands under one heading; there must be some."""
    found = [block.commands for block in blocks if block.heading == heading]
    assert found, (
        f"no sh block under the heading {heading!r}; there are {sorted({b.heading for b in blocks})}"
    )
    return found
