"""Clock: where the service reads the time, so that tests can move it."""

from datetime import UTC, datetime


class Clock:
    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)
