"""How far an account has been pulled: the (time, id) of the last post that Zendesk was given."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self


@dataclass(frozen=True, order=True, slots=True)
class Cursor:
    """A place between posts, ordered by time and then by id, so that posts of one instant are all kept apart.

    Zendesk carries it as the opaque `state`, which is never empty (SVC-29) and stays below 5,000 characters.
    """

    time: datetime
    id: str

    def __post_init__(self) -> None:
        if self.time.tzinfo is None:
            raise ValueError("a cursor's time needs a time zone")
        if len(self.id) > 255:
            raise ValueError("a cursor's id has at most 255 characters")

    @classmethod
    def start(cls) -> Self:
        """Before every post."""
        return cls(datetime(1970, 1, 1, tzinfo=UTC), "")

    @classmethod
    def decode(cls, state: str) -> Self:
        """Read a `state`; an empty one is the start. Raises ValueError for a text that `encode` never wrote."""
        if not state:
            return cls.start()
        try:
            document = json.loads(state)
            read = cls(datetime.fromisoformat(document["time"]), str(document["id"]))
            return cls(read.time.astimezone(UTC), read.id)
        except (KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
            raise ValueError(f"not a state of this service: {error}") from None

    def encode(self) -> str:
        return json.dumps({"time": self.time.astimezone(UTC).isoformat(), "id": self.id})
