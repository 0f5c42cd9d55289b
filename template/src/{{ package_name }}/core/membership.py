"""Membership: whether a column has one of any number of values, in SQL that is the same for every number of them.

`IN` has a parameter for each value, and its SQL is written anew for each number.
"""

from typing import Any, Self

from sqlalchemy import ARRAY, JSON, Boolean, Column, ColumnElement, any_, bindparam, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType


def is_among(column: Column[Any], name: str) -> ColumnElement[bool]:
    """SQL that says whether a column has one of the values in the list that a parameter of this name gives."""
    values = bindparam(name, type_=JSON().with_variant(ARRAY(column.type), "postgresql"))
    return IsAmong(column, values)


class IsAmong(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Self:
        # SQLAlchemy would ask SQLite whether it `= 1`, which no index serves.
        return self


@compiles(IsAmong, "sqlite")
def _in_a_json_array(element: IsAmong, compiler: SQLCompiler, **options: Any) -> str:
    column, values = element.clauses
    each = func.json_each(values).table_valued("value")
    return compiler.process(column.in_(select(each.c.value)), **options)


@compiles(IsAmong, "postgresql")
def _any_of_an_array(element: IsAmong, compiler: SQLCompiler, **options: Any) -> str:
    column, values = element.clauses
    return compiler.process(column == any_(values), **options)
