"""Back-off: how long to wait before the next try after failures in a row."""

import random
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits `first` after the first failure and `factor` times as long after each further one, at most `longest`."""

    first: timedelta
    factor: float
    longest: timedelta

    def wait(self, failures: int) -> timedelta:
        """Half to all of the time that so many failures ask for: accounts that failed together come back apart."""
        asked: timedelta = min(self.first * self.factor ** min(failures - 1, 20), self.longest)
        return asked * random.uniform(0.5, 1)  # noqa: S311
