"""Hooks: where capabilities meet. One reads a list of plain functions, and others append theirs in their `setup`.

A hook is declared in `core/`, beside the types of its functions.
"""

from collections import defaultdict
from typing import Any, Generic, TypeVar

Member = TypeVar("Member")


class Hook(Generic[Member]):
    """The key of one list, and the type of what stands in it."""


class Hooks:
    """The lists, empty until somebody appends."""

    def __init__(self) -> None:
        self._lists: defaultdict[Hook[Any], list[Any]] = defaultdict(list)

    def __getitem__(self, hook: Hook[Member]) -> list[Member]:
        return self._lists[hook]
