"""Waits: deadlines in the database, each with the time it was written, so that a clock that was ahead shows."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, or_

from .clock import JITTER
from .database import UtcDateTime

NOW = bindparam("now", type_=UtcDateTime())
LATEST = bindparam("latest", type_=UtcDateTime())


def at(now: datetime) -> dict[str, Any]:
    """The parameters of a statement that is made once."""
    return {"now": now, "latest": now + JITTER}


def is_ahead(
    until: ColumnElement[datetime], since: ColumnElement[datetime], now: datetime | None = None
) -> ColumnElement[bool]:
    """SQL that says whether a wait, which was written down at `since`, is not over.

    Without `now` it is part of a statement that is made once, and whose parameters `at` gives.

    One that begins in the future was written by a clock that was ahead, and does not count: it would last as long as
    that clock was ahead.
    """
    moment, latest = (NOW, LATEST) if now is None else (now, now + JITTER)
    return and_(until > moment, or_(since.is_(None), since <= latest))
