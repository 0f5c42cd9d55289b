"""Keyset: pages of a list, each from behind the last row of the one before, so that none is skipped."""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, Select, TypeDecorator, literal, tuple_

LONGEST_PLACE = 2000
"""Characters: some ids and a moment."""

LARGEST_NUMBER = 2**63 - 1


class Keyset:
    """The columns by which a list is ordered, the newest first; together they tell any two rows apart."""

    def __init__(self, *columns: Column[Any], oldest_first: bool = False) -> None:
        self._columns = columns
        self._oldest_first = oldest_first

    def page(self, query: Select[Any], limit: int, behind: str = "") -> Select[Any]:
        """Ask for the first rows, or for those behind a place. What names no place counts as none."""
        order = (column.asc() if self._oldest_first else column.desc() for column in self._columns)
        query = query.order_by(*order).limit(limit)
        try:
            here = self._read(behind)
        except (OverflowError, RecursionError, TypeError, ValueError):
            return query
        place = tuple_(*self._columns)
        return query.where(place > here if self._oldest_first else place < here)

    def place_of(self, record: object) -> str:
        """Name the place behind a record of the list."""
        values = [getattr(record, column.name) for column in self._columns]
        return json.dumps([value.isoformat() if isinstance(value, datetime) else value for value in values])

    def _read(self, place: str) -> Any:
        if len(place) > LONGEST_PLACE:
            raise ValueError("too long")
        pairs = zip(self._columns, json.loads(place), strict=True)
        return tuple_(*(literal(_read(value, _kind(column)), column.type) for column, value in pairs))


def _kind(column: Column[Any]) -> type:
    """Give the Python type of what is stored, also where a type of ours stands before it."""
    stored = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    return stored.python_type


def _read(value: Any, kind: type) -> Any:
    """Read what anybody may have written into an address as something that a database takes."""
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("no moment")
        return moment.astimezone(UTC)
    if type(value) is not kind:
        raise TypeError("of another kind")
    if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        raise ValueError("too large")
    if isinstance(value, str) and "\0" in value.encode().decode():
        raise ValueError("no text")
    return value
