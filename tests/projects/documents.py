"""What a Markdown text holds: commands, headings, links. A project's manual is README.md, SECURITY.md and docs/."""

from __future__ import annotations

import posixpath
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects import Project

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"\[[^]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    heading: str
    commands: str


def pages(project: Project) -> dict[str, str]:
    """Return the project's documents by name, README.md first."""
    names = ["README.md", "SECURITY.md", *(name for name in project.files() if name.startswith("docs/"))]
    return {name: project.text(name) for name in names}


def manual(project: Project) -> str:
    """Return the text of all documents of a project."""
    return "\n".join(pages(project).values())


def shell_blocks(text: str) -> list[Block]:
    """Return the fenced `sh` blocks of a Markdown text, each with the heading above it."""
    found = []
    for fence in FENCE.finditer(text):
        if fence["language"] == "sh":
            heading = HEADING.findall(FENCE.sub("", text[: fence.start()]))[-1]
            found.append(Block(heading, textwrap.dedent(fence["body"]).strip()))
    return found


def under(blocks: list[Block], heading: str) -> list[str]:
    """Return the commands under one heading; there must be some."""
    found = [block.commands for block in blocks if block.heading == heading]
    assert found, (
        f"no sh block under the heading {heading!r}; there are {sorted({b.heading for b in blocks})}"
    )
    return found


def broken_links(texts: dict[str, str], files: set[str]) -> Iterator[str]:
    """Yield each link of these documents to a file or heading that does not exist."""
    for name, text in texts.items():
        for link in LINK.finditer(FENCE.sub("", text)):
            target, _, anchor = link["target"].partition("#")
            if re.match(r"https?://", target):
                continue
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) if target else name
            if path not in files:
                yield f"{name}: there is no {path}"
            elif anchor and anchor not in map(_anchor, HEADING.findall(FENCE.sub("", texts.get(path, "")))):
                yield f"{name}: {path} has no heading #{anchor}"


def _anchor(heading: str) -> str:
    """Return the name that GitHub and GitLab give to a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
