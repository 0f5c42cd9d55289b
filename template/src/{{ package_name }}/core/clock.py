"""Clock: where the service reads the time, so that tests can move it and machines can share one."""

import time
from datetime import UTC, datetime, timedelta

JITTER = timedelta(seconds=2)
"""How far two readings of one clock may be apart: it is read on several machines, and set right while they run."""


class Clock:
    """Reads this machine's clock until it is set; from then on it runs evenly, whatever is done to the machine's."""

    def __init__(self) -> None:
        self._set: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        """The present moment in UTC."""
        if self._set is None:
            return self.machine_time()
        moment, at = self._set
        return moment + timedelta(seconds=_elapsed() - at)

    def set(self, moment: datetime) -> None:
        """Go on from this moment, which a clock says that several machines share."""
        self._set = moment, _elapsed()

    @property
    def age(self) -> float:
        """Seconds since it was set."""
        return _elapsed() - self._set[1] if self._set else float("inf")

    def machine_time(self) -> datetime:
        return datetime.now(UTC)


def _elapsed() -> float:
    # Where there is such a clock, the time that the machine has slept counts, too.
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
