"""How fast an account may send requests to Zendesk."""

from datetime import datetime, timedelta


class RateLimit:
    """At most so many requests in any minute: a quarter of them at once, the others evenly.

    All that has to be kept between two requests is the moment up to which those that were sent use up what is allowed.
    """

    def __init__(self, requests_per_minute: int) -> None:
        self.requests_per_minute = requests_per_minute
        at_once = requests_per_minute // 4
        self._each = timedelta(minutes=1) / (requests_per_minute - at_once)
        self._ahead = self._each * at_once

    def allowed_at(self, spent_until: datetime) -> datetime:
        """When the next request may be sent."""
        return spent_until - self._ahead

    def spend(self, spent_until: datetime, now: datetime) -> datetime:
        """A request is sent now: up to when what is allowed is used up."""
        return max(spent_until, now) + self._each
