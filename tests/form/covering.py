"""Covering arrays: few combinations in which every t values meet, where they may."""

from __future__ import annotations

from itertools import combinations, product
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Row = dict[str, Any]
# A combination of values of some factors, sorted by the factor's place.
Meeting = tuple[tuple[str, Any], ...]


class CoveringArray:
    """Finds rows that hold every meeting of `strength` values that some allowed row can hold.

    `allowed(row, factor)` judges a row of which only some factors are set, `factor` last; it may say no only
    when no completion of that row would do. Greedy and repeatable: of several candidates, each started
    from a meeting still missing and completed by the values that bring in most of the others, the best one
    becomes a row. Factors are decided in their order, so put first those that exclude each other. Two factors
    of `apart` need not meet, but each of their values has a row.
    """

    def __init__(
        self,
        factors: Mapping[str, Sequence[Any]],
        allowed: Callable[[Row, str], bool],
        strength: int,
        candidates: int = 10,
        apart: Iterable[tuple[str, str]] = (),
    ) -> None:
        self._factors = factors
        self._allowed = allowed
        self._strength = strength
        self._candidates = candidates
        self._place = {name: place for place, name in enumerate(factors)}
        self._missing = {
            meeting
            for size in {1, strength}
            for meeting in meetings(factors, size)
            if not any({*pair} <= {name for name, _ in meeting} for pair in apart)
        }

    def rows(self) -> list[Row]:
        found: list[Row] = []
        random = Random(0)  # noqa: S311 - repeatable, and nobody's secret
        while self._missing:
            waiting = sorted(self._missing, key=self._order)
            starts = [waiting[0], *random.sample(waiting, min(self._candidates - 1, len(waiting)))]
            candidates = []
            for start in starts:
                row = self._complete(dict(start), random)
                if row is None:
                    self._missing.discard(start)
                else:
                    candidates.append(row)
            if candidates:
                best = max(candidates, key=lambda row: len(self._missing & self._meetings_of(row)))
                self._missing -= self._meetings_of(best)
                found.append({name: best[name] for name in self._factors})
        return found

    def _order(self, meeting: Meeting) -> list[int]:
        return [
            place
            for name, value in meeting
            for place in (self._place[name], self._factors[name].index(value))
        ]

    def _meetings_of(self, row: Row) -> set[Meeting]:
        items = sorted(row.items(), key=lambda item: self._place[item[0]])
        return {meeting for size in {1, self._strength} for meeting in combinations(items, size)}

    def _gain(self, row: Row, name: str, value: Any) -> int:
        others = [item for item in row.items() if item[0] != name]
        return sum(
            tuple(sorted((*rest, (name, value)), key=lambda item: self._place[item[0]])) in self._missing
            for size in {1, self._strength}
            for rest in combinations(others, size - 1)
        )

    def _complete(self, start: Row, random: Random) -> Row | None:
        row: Row = {}
        for name, value in start.items():
            row[name] = value
            if not self._allowed(row, name):
                return None
        return self._extend(row, [name for name in self._factors if name not in row], random)

    def _extend(self, row: Row, left: list[str], random: Random) -> Row | None:
        if not left:
            return row
        name, *others = left
        values = random.sample(self._factors[name], len(self._factors[name]))
        for value in sorted(values, key=lambda value: -self._gain(row, name, value)):
            longer = {**row, name: value}
            if self._allowed(longer, name) and (whole := self._extend(longer, others, random)) is not None:
                return whole
        return None


def meetings(factors: Mapping[str, Sequence[Any]], strength: int) -> Iterator[Meeting]:
    """Yield every combination of values of `strength` different factors, allowed or not."""
    for names in combinations(factors, strength):
        for values in product(*(factors[name] for name in names)):
            yield tuple(zip(names, values, strict=True))


def meetings_in(factors: Iterable[str], rows: Iterable[Row], strength: int) -> set[Meeting]:
    """Return the combinations that some row holds."""
    names = list(factors)
    return {
        tuple((name, row[name]) for name in chosen)
        for row in rows
        for chosen in combinations(names, strength)
    }
