"""Transaction: what the service asks of a connection, whichever database it leads to."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, CursorResult, Dialect, Executable, ScalarResult

Result = TypeVar("Result")

Found = CursorResult[*tuple[Any, ...]]
"""Rows with any number of columns."""

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""Of one row, or of several."""


class Transaction(Protocol):
    @property
    def dialect(self) -> Dialect: ...

    async def execute(self, statement: Executable, parameters: Parameters | None = None, /) -> Found: ...

    async def scalar(self, statement: Executable, parameters: Mapping[str, Any] | None = None, /) -> Any: ...

    async def scalars(
        self, statement: Executable, parameters: Parameters | None = None, /
    ) -> ScalarResult[Any]: ...

    async def run_sync(self, work: Callable[[Connection], Result], /) -> Result: ...
