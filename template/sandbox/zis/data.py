"""The data of a flow: reading it by paths, and putting results where paths lead."""

import json
from typing import Any

from .paths import TEMPLATE, Step, steps_of


class MissingError(Exception):
    """A path that leads nowhere."""

    def __init__(self, path: str) -> None:
        super().__init__(f"JSON path not found: {path}")


def found(data: Any, path: str) -> Any:
    """Return what a path leads to, or raise `MissingError`."""
    steps = steps_of(path)
    if steps is None:
        raise MissingError(path)
    for step in steps:
        # A text is a sequence too, but no path leads into it.
        inside: Any = data if isinstance(data, list if isinstance(step, int) else dict) else {}
        try:
            data = inside[step]
        except LookupError:
            raise MissingError(path) from None
    return data


def filled(text: str, data: Any) -> str:
    """Replace each path in double braces by what it leads to, as text."""
    return TEMPLATE.sub(lambda match: _as_text(found(data, match[1])), text)


def with_values(value: Any, data: Any) -> Any:
    """Resolve keys that end in `.$`; a path alone keeps the type of what it leads to."""
    if isinstance(value, list):
        return [with_values(item, data) for item in value]
    if not isinstance(value, dict):
        return filled(value, data) if isinstance(value, str) else value
    return {
        key.removesuffix(".$"): resolved(inner, data) if key.endswith(".$") else with_values(inner, data)
        for key, inner in value.items()
    }


def resolved(text: Any, data: Any) -> Any:
    return found(data, text) if isinstance(text, str) and text.startswith("$") else filled(str(text), data)


def placed(data: Any, path: str, value: Any) -> Any:
    """Return the data with a value put where a path leads, whose objects come into being on the way."""
    steps = steps_of(path)
    if steps is None:
        raise MissingError(path)
    if not steps:
        return value
    return _placed(data, steps, value)


def _placed(data: Any, steps: list[Step], value: Any) -> Any:
    if not steps:
        return value
    step, *rest = steps
    if isinstance(step, int):
        items = [*data] if isinstance(data, list) else []
        if not -len(items) <= step < len(items):
            raise MissingError(f"[{step}]")
        items[step] = _placed(items[step], rest, value)
        return items
    entries = dict(data) if isinstance(data, dict) else {}
    entries[step] = _placed(entries.get(step), rest, value)
    return entries


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
