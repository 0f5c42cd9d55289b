"""Imported posts: what a pushed post has become in Zendesk."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from .hooks import Hook


@dataclass(frozen=True, slots=True)
class ImportedPost:
    external_id: str
    ticket_id: int
    comment_id: int


IMPORTED: Hook[Callable[[str, Sequence[ImportedPost]], Awaitable[None]]] = Hook()
"""Read by event_callback: an account's posts that have become comments."""

ERASURES: Hook[Callable[[str, str], Awaitable[int]]] = Hook()
"""Read by event_callback: from account id and author id to the number of entries erased (SVC-55)."""
