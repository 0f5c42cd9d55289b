"""Position: how far an account has been pulled. Zendesk carries it as the opaque `state` (SVC-29)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Self

from ..origin_protocol import AccountState

STATE_LIMIT = 4900
"""Characters; Zendesk keeps 5,000 (SVC-19)."""

STORED = "service/pull_positions"
"""Where positions stand that are too long for Zendesk: the origin's cursor may have any length."""

STORED_LIMIT = 8
"""Zendesk comes with one of the last answers' states, also when an answer got lost."""


OVERLAP = 20
"""Posts by which an origin's pages may overlap before Zendesk is given one twice, and passes it over itself."""


@dataclass(frozen=True, slots=True)
class Position:
    """The origin's cursor and, if not all of its page has been given to Zendesk, the last post that has.

    `given` holds digests of the posts that Zendesk was given last: the pages of many origins overlap by a few.
    """

    cursor: str = ""
    last: str = ""
    given: tuple[str, ...] = ()

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read what `encode` wrote. Raises ValueError for any other text."""
        try:
            document = json.loads(text)
            position = cls(**document | {"given": tuple(document["given"])})
        except (KeyError, RecursionError, TypeError, ValueError) as error:
            raise ValueError(f"not a state of this service: {error}") from None
        if not all(isinstance(text, str) for text in (position.cursor, position.last, *position.given)):
            raise ValueError("not a state of this service: all that it holds are texts")
        return position

    def encode(self) -> str:
        return json.dumps(asdict(self))

    def has_given(self, external_id: str) -> bool:
        return bool(self.given) and _digest(external_id) in self.given

    def after(self, external_ids: Sequence[str]) -> Self:
        """The same place, once Zendesk has been given these posts."""
        return replace(self, given=(*self.given, *map(_digest, external_ids[-OVERLAP:]))[-OVERLAP:])


async def read(state: str, account_state: AccountState) -> Position:
    """Find the position that a `state` stands for; an empty one is the start. Raises ValueError."""
    if not state:
        return Position()
    if not state.startswith("#"):
        return Position.decode(state)
    known = await _stored(account_state)
    if state not in known:
        raise ValueError("this state is no longer kept")
    return Position.decode(known[state])


async def write(position: Position, account_state: AccountState) -> str:
    """Give the `state` for a position: itself, or a reference to where it is stored."""
    text = position.encode()
    if len(text) <= STATE_LIMIT:
        return text
    reference = f"#{hashlib.sha256(text.encode()).hexdigest()}"
    known = await _stored(account_state)
    if reference not in known:
        kept = dict([*known.items(), (reference, text)][-STORED_LIMIT:])
        await account_state.set(STORED, json.dumps(kept))
    return reference


async def _stored(account_state: AccountState) -> dict[str, str]:
    stored: dict[str, str] = json.loads(await account_state.get(STORED) or "{}")
    return stored


def _digest(external_id: str) -> str:
    return hashlib.sha256(external_id.encode()).hexdigest()[:12]
