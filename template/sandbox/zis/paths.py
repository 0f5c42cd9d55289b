"""Paths into the data of a flow, and texts that hold such paths in double braces."""

import re
from collections.abc import Iterator

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_STEP = re.compile(rf"\.([^.\[\]\s'\"{{}}()$]+)|\[(?:(-?\d+)|({_QUOTED}))\]")
# What selects several values is JSONPath too, though no flow that we know of has it.
_ANY_STEP = re.compile(
    rf"\.\.?(?:\*|[^.\[\]\s'\"{{}}()$]+)|\.?\.?\[(?:{_QUOTED}|\?\(.*?\)|[-\d:*,\s]+)(?:\s*,\s*(?:{_QUOTED}))*\]"
)
TEMPLATE = re.compile(r"\{\{\s*(\$.*?)\s*\}\}", re.DOTALL)
_OPENED = re.compile(r"\{\{\s*\$")
INTRINSIC = re.compile(r"States\.[A-Za-z]+\(")

Step = str | int


def is_path(text: str) -> bool:
    """Whether a text is JSONPath, even one that selects several values."""
    return _covers(_ANY_STEP, text)


def steps_of(path: str) -> list[Step] | None:
    """Return the keys and positions on the way, or None for a path that does not lead to one value."""
    if not _covers(_STEP, path):
        return None
    return [
        name or (int(index) if index else _unquoted(quoted)) for name, index, quoted in _STEP.findall(path)
    ]


def templates_in(text: str) -> Iterator[str]:
    """Yield what stands in double braces and begins as a path does; what no braces close, to the end."""
    for opened in _OPENED.finditer(text):
        closed = TEMPLATE.match(text, opened.start())
        yield closed[1] if closed else text[opened.start() :]


def _covers(step: re.Pattern[str], path: str) -> bool:
    at, end = 1, len(path)
    if not path.startswith("$"):
        return False
    while at < end:
        match = step.match(path, at)
        if not match:
            return False
        at = match.end()
    return True


def _unquoted(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted[1:-1])
