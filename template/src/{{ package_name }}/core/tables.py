"""Tables: what a section of the dashboard consists of."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeVar

from .hooks import Hook

ROWS = 50
"""Rows of one table on one page."""

ACCOUNTS = "accounts"
"""The key of every table that has a row for each account."""

Tone = Literal["good", "warn", "bad", "idle"]


@dataclass(frozen=True, slots=True)
class Status:
    """A state in a word or two, and the colour that says how serious it is."""

    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class AccountName:
    """The name of an account, which is looked up when the page is made."""

    account_id: str


Cell = str | datetime | Status | AccountName

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class View:
    """What of the dashboard is looked at: all accounts or one, and of each list the page behind a place."""

    account_id: str | None = None
    """The one account that is wanted, if it is one."""

    behind: Mapping[str, str] = field(default_factory=dict)
    """By the keys of tables."""

    shown: Mapping[str, str] = field(default_factory=dict)
    """The names of the accounts on this page of them."""

    accounts_go_on: str = ""
    """The place behind the last account that is shown, if there are more."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, and the sentence that stands in its place while it has no rows.

    `key` names a list that may have further pages, and `goes_on` the place where the next of them begins.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    empty: str
    key: str = ""
    goes_on: str = ""


SECTIONS: Hook[Callable[[View], Awaitable[Sequence[Table]]]] = Hook()
"""Read by the dashboard: from what is looked at to tables."""

ACCOUNT_PAGES: Hook[Callable[[str], str]] = Hook()
"""Read by admin_ui: from an account's id to the address of a page about it."""


def page_of(
    records: Sequence[Record],
    row: Callable[[Record], Sequence[Cell]],
    place_of: Callable[[Record], str],
) -> tuple[list[Sequence[Cell]], str]:
    """Make rows of as many records as a page has; one more says that the list goes on, and from which place."""
    shown = records[:ROWS]
    return [row(record) for record in shown], place_of(shown[-1]) if len(records) > ROWS else ""
