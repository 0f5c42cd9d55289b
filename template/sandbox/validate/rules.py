"""What a rule says that does not hold, and what rules read messages with: whatever has the wrong type is empty."""

from collections.abc import Collection
from typing import Any, NamedTuple


class Broken(NamedTuple):
    """A rule that does not hold, by the name of its check, and the marks of the sources that state it."""

    pointer: str
    check: str
    wrong: str
    remedy: str
    sources: tuple[str, ...]
    rules: tuple[str, ...] = ()
    severity: str = "error"
    """`error`, or `warning` for what is allowed but hardly meant."""


def as_object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_array(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def listed(names: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none so far"
