"""How fast an account may send requests to Zendesk."""

from datetime import datetime, timedelta

from ..core.clock import JITTER


class RateLimit:
    """At most so many requests in any minute: a quarter of them at once, the others evenly.

    All that has to be kept between two requests is the moment up to which those that were sent use up what is allowed.
    One that is further away than they could bring it was kept by a clock that was ahead, and does not count.
    """

    def __init__(self, requests_per_minute: int) -> None:
        self.requests_per_minute = requests_per_minute
        at_once = requests_per_minute // 4
        self._each = timedelta(minutes=1) / (requests_per_minute - at_once)
        self._ahead = self._each * at_once

    def allowed_at(self, spent_until: datetime, now: datetime) -> datetime:
        """When the next request may be sent."""
        return self._counted(spent_until, now) - self._ahead

    def spend(self, spent_until: datetime, now: datetime) -> datetime:
        """A request is sent now: up to when what is allowed is used up."""
        return max(self._counted(spent_until, now), now) + self._each

    def _counted(self, spent_until: datetime, now: datetime) -> datetime:
        return spent_until if spent_until <= now + self._ahead + self._each + JITTER else now
