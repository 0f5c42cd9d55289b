"""The log of every request and its answer, in both directions, with what is wrong with them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from .changes import Changes
from .masking import LONGEST_SECRET, MASK, masked, metadata_in
from .settings import Settings
from .verdicts import Remark

Headers = list[tuple[str, str]]

SHORTEST_SECRET = 6
LONGEST_SHOWN = 500_000
_SECRET_HEADERS = ("authorization", "cookie", "set-cookie")


@dataclass
class Exchange:
    """One request and what came of it; without a status nothing was answered, and `failure` says why."""

    number: int
    endpoint: str
    direction: Literal["to service", "from service"]
    started_at: datetime
    method: str
    url: str
    request_headers: Headers = field(default_factory=list)
    request_body: bytes = b""
    status: int | None = None
    response_headers: Headers = field(default_factory=list)
    response_body: bytes = b""
    seconds: float = 0
    failure: str | None = None
    fault: str | None = None
    """What was made to go wrong on purpose."""
    remarks: list[Remark] = field(default_factory=list)

    @property
    def rules(self) -> set[str]:
        """Numbers of the rules that this exchange breaks."""
        return {rule for remark in self.remarks for rule in remark.rules}


class ExchangeLog:
    """Keeps exchanges as they were; whatever leaves it as text has its secrets masked."""

    def __init__(self, changes: Changes, settings: Settings) -> None:
        self.entries: list[Exchange] = []
        self._secrets: list[str] = []
        """The longest first."""
        self._texts: dict[int, tuple[object, str]] = {}
        """What is searched, by the number of its exchange, with what it was made from."""
        self._changes = changes
        self._settings = settings
        self._count = 0

    def open(
        self,
        endpoint: str,
        direction: Literal["to service", "from service"],
        started_at: datetime,
        method: str,
        url: str,
        headers: Headers,
        body: bytes,
    ) -> Exchange:
        self._count += 1
        exchange = Exchange(self._count, endpoint, direction, started_at, method, url, headers, body)
        self.entries = [*self.entries, exchange][-self._settings.exchanges_kept :]
        return exchange

    def close(self, exchange: Exchange, seconds: float) -> None:
        exchange.seconds = seconds
        self.hide(metadata_in(exchange.request_body), metadata_in(exchange.response_body))
        self._changes.note()

    def hide(self, *secrets: str) -> None:
        """Mask these texts in whatever is shown from now on; short ones would mask too much else."""
        found = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
        if not found <= set(self._secrets):
            self._secrets = sorted(found.union(self._secrets), key=len, reverse=True)

    def of(self, endpoint: str) -> list[Exchange]:
        return [exchange for exchange in self.entries if exchange.endpoint == endpoint]

    def containing(self, text: str) -> list[Exchange]:
        """Search in what is shown: URLs, headers, bodies and remarks."""
        return [exchange for exchange in self.entries if text.lower() in self._searched(exchange)]

    def _searched(self, exchange: Exchange) -> str:
        made_from = (len(self._secrets), len(exchange.remarks), exchange.status, exchange.failure)
        known = self._texts.get(exchange.number)
        if known is None or known[0] != made_from:
            kept = {each.number for each in self.entries}
            self._texts = {number: each for number, each in self._texts.items() if number in kept}
            known = self._texts[exchange.number] = (made_from, self.text_of(exchange).lower())
        return known[1]

    def text_of(self, exchange: Exchange) -> str:
        """The whole exchange as a person reads it."""
        outcome = self.masked(exchange.failure or str(exchange.status))
        return "\n".join(
            [
                f"{exchange.method} {self.masked(exchange.url)}",
                *_lines(self.headers(exchange.request_headers)),
                "",
                self.body(exchange.request_body),
                f"--- {outcome} after {exchange.seconds:.3f} s",
                *_lines(self.headers(exchange.response_headers)),
                "",
                self.body(exchange.response_body),
                *(self.masked(str(remark)) for remark in exchange.remarks),
            ]
        )

    def masked(self, text: str) -> str:
        return masked(text, self._secrets)

    def headers(self, headers: Iterable[tuple[str, str]]) -> Headers:
        return [
            (name, MASK if name.lower() in _SECRET_HEADERS else self.masked(value)) for name, value in headers
        ]

    def body(self, content: bytes) -> str:
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return f"({len(content)} bytes)"
        if len(text) <= LONGEST_SHOWN:
            return self.masked(text)
        # A secret that the cut would halve is masked first, in whatever way it is written.
        shown = self.masked(text[: LONGEST_SHOWN + 12 * LONGEST_SECRET])[:LONGEST_SHOWN]
        return f"{shown}… ({len(text) - LONGEST_SHOWN} more characters)"


def _lines(headers: Headers) -> list[str]:
    return [f"{name}: {value}" for name, value in headers]
