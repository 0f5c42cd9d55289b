"""Echoes: agents' replies that come back from the origin among customers' posts; Zendesk has them (SVC-49)."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from .hooks import Hook


@dataclass(frozen=True, slots=True)
class Echoes:
    """What is known of some posts: `ids` are agents' replies.

    A post that is newer than `undecided_since` may be a reply too, whose posting is not settled yet.
    """

    ids: frozenset[str] = frozenset()
    undecided_since: datetime | None = None


EchoCheck = Callable[[str, Sequence[str]], Awaitable[Echoes]]
"""From an account's id and the origin's ids of posts to the echoes among them."""

ECHO_CHECKS: Hook[EchoCheck] = Hook()
"""Read before posts are handed to Zendesk, in order.

What says only what is undecided is inserted in front: a reply that is settled in between is found by its id.
"""


async def check(checks: Iterable[EchoCheck], account_id: str, external_ids: Sequence[str]) -> Echoes:
    """Put together what every check says."""
    found = [await ask(account_id, external_ids) for ask in checks]
    since = [echoes.undecided_since for echoes in found if echoes.undecided_since]
    return Echoes(frozenset().union(*(echoes.ids for echoes in found)), min(since, default=None))
