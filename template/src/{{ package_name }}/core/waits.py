"""Waits: deadlines in the database, each with the time it was written, so that a clock that was ahead shows."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_

from .clock import JITTER


def is_ahead(
    until: ColumnElement[datetime], since: ColumnElement[datetime], now: datetime
) -> ColumnElement[bool]:
    """SQL that says whether a wait, which was written down at `since`, is not over.

    One that begins in the future was written by a clock that was ahead, and does not count: it would last as long as
    that clock was ahead.
    """
    return and_(until > now, or_(since.is_(None), since <= now + JITTER))
