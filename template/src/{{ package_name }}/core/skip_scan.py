"""Skip scan: the different values of a column, found in an index without reading every row."""

from typing import Any

from sqlalchemy import CTE, Column, ColumnElement, ScalarSelect, select


def each_once(column: Column[str], *conditions: ColumnElement[bool]) -> CTE:
    """Make a query of the values of a column, in as many steps as there are: an index must begin with it.

    It may stand behind columns of which the conditions name one value.
    """
    found = select(_first(column, *conditions).label("value")).cte("found", recursive=True)
    further = select(_first(column, column > found.c.value, *conditions)).where(found.c.value.is_not(None))
    return found.union_all(further)


def _first(column: Column[str], *conditions: ColumnElement[bool]) -> ScalarSelect[Any]:
    return select(column).where(*conditions).order_by(column).limit(1).scalar_subquery()
