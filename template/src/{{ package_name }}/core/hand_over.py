"""Hand-over: which of an account's posts a pull gives to Zendesk, and which are pushed."""

from collections.abc import Awaitable, Callable, Sequence

from .hooks import Hook
from .messages import ExternalResource

BEFORE_PULL_ANSWER: Hook[
    Callable[[str, Sequence[ExternalResource], bool], Awaitable[list[ExternalResource]]]
] = Hook()
"""Read by pull: from an account's id, the posts that were pulled, and whether they are all that stands behind
Zendesk's state or the first of it, to those that Zendesk is to be given."""

HELD_THREADS: Hook[Callable[[str], Awaitable[set[str]]]] = Hook()
"""Read by push: from an account's id to the threads of which nothing may be pushed yet."""
