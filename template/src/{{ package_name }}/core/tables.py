"""Tables: what a section of the dashboard consists of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Tone = Literal["good", "warn", "bad", "idle"]


@dataclass(frozen=True, slots=True)
class Status:
    """A state in a word or two, and the colour that says how serious it is."""

    text: str
    tone: Tone


Cell = str | datetime | Status


@dataclass(frozen=True, slots=True)
class Table:
    """A table, and the sentence that stands in its place while it has no rows."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    empty: str
