"""Security: signatures, encryption at rest, and the check that a URL is the account's own Zendesk."""

import hashlib
import re
from collections.abc import Sequence
from datetime import timedelta
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from itsdangerous import (
    BadData,
    SignatureExpired,
    TimestampSigner,
    URLSafeSerializer,
    URLSafeTimedSerializer,
)

from .clock import Clock

ZENDESK = "https://*.zendesk.com"
"""The origins of Zendesk's pages, as a Content-Security-Policy writes them."""

OPENED = 1000
"""Texts that a sealer keeps as it opened them: the same account is asked about again and again."""

SUBDOMAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class UntrustedError(Exception):
    """What was presented is not ours, has been altered or has expired."""


class ClockedSigner(TimestampSigner):
    """Signs with the service's own time."""

    def __init__(self, *arguments: Any, clock: Clock, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._clock = clock

    def get_timestamp(self) -> int:
        return int(self._clock.now().timestamp())


class Signer:
    """Signs small payloads for one purpose each; the newest key signs, every key verifies.

    A payload signed for one purpose is worthless for another.
    """

    def __init__(self, keys: Sequence[str], clock: Clock | None = None) -> None:
        """Take the keys newest first."""
        self._oldest_first = list(reversed(keys))
        self._algorithm = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        self._clock = clock or Clock()
        self._lasting = cache(self._lasting_serializer)
        self._expiring = cache(self._expiring_serializer)

    def sign(self, purpose: str, payload: dict[str, Any]) -> str:
        """Sign for ever: the same payload always gives the same text, so that it can be compared."""
        return str(self._lasting(purpose).dumps(payload))

    def verify(self, purpose: str, text: str) -> dict[str, Any]:
        """Give back what `sign` was given; raise UntrustedError otherwise."""
        try:
            return _payload(self._lasting(purpose).loads(text))
        except (BadData, UnicodeEncodeError):
            raise UntrustedError("the signature is not ours") from None

    def sign_expiring(self, purpose: str, payload: dict[str, Any]) -> str:
        """Sign together with the present time."""
        return str(self._expiring(purpose).dumps(payload))

    def verify_expiring(self, purpose: str, text: str, lifetime: timedelta) -> dict[str, Any]:
        """Give back what `sign_expiring` was given at most `lifetime` ago; raise UntrustedError otherwise."""
        try:
            return _payload(self._expiring(purpose).loads(text, max_age=int(lifetime.total_seconds())))
        except SignatureExpired:
            raise UntrustedError("the signature has expired") from None
        except (BadData, UnicodeEncodeError):
            raise UntrustedError("the signature is not ours") from None

    def _lasting_serializer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._oldest_first, salt=purpose, signer_kwargs=self._algorithm)

    def _expiring_serializer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            self._oldest_first,
            salt=f"{purpose}, expiring",
            signer=ClockedSigner,
            signer_kwargs=self._algorithm | {"clock": self._clock},
        )


class Sealer:
    """Encrypts what must not be readable in the database; the newest key seals, every key opens."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take Fernet keys newest first."""
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._opened = lru_cache(OPENED)(self._decrypt)

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Raise UntrustedError when none of the keys fits."""
        try:
            return self._opened(sealed)
        except InvalidToken:
            raise UntrustedError("sealed with a key that is no longer in SEALING_KEYS") from None

    def _decrypt(self, sealed: str) -> str:
        return self._fernet.decrypt(sealed).decode()

    def reseal(self, sealed: str) -> str:
        """Seal anew with the newest key; raise UntrustedError when none of the keys fits."""
        try:
            return self._fernet.rotate(sealed).decode()
        except InvalidToken:
            raise UntrustedError("sealed with a key that is no longer in SEALING_KEYS") from None


class ZendeskHosts:
    """Where Zendesk is: `https://{subdomain}.zendesk.com`, or one address that stands for every account's."""

    def __init__(self, address: str | None = None) -> None:
        self._address = address

    @property
    def replacing(self) -> tuple[str, ...]:
        """The host that stands for every account's, if there is one."""
        return (urlsplit(self._address).netloc,) if self._address else ()

    @property
    def frame_ancestor(self) -> str:
        """Who may frame the service's pages, as a Content-Security-Policy writes it (SVC-14)."""
        return self._address or ZENDESK

    def address(self, subdomain: str) -> str:
        """Scheme and host of an account. Raises UntrustedError if that is no subdomain."""
        if not SUBDOMAIN.fullmatch(subdomain):
            raise UntrustedError(f"{subdomain!r} is not a Zendesk subdomain")
        return self._address or f"https://{subdomain}.zendesk.com"

    def check(self, url: str, subdomain: str) -> str:
        """Give back `url` if it lies on exactly the account's host; raise UntrustedError otherwise.

        The admin's browser posts the account's metadata there (SVC-21), so nothing is left to a lenient parser.
        """
        _require_on(self.address(subdomain), url)
        return url


def is_on(address: str, url: str) -> bool:
    """Whether a URL lies on exactly this scheme and host."""
    try:
        _require_on(address, url)
    except UntrustedError:
        return False
    return True


def _require_on(address: str, url: str) -> None:
    expected = urlsplit(address)
    if re.search(r"[^!-~]|\\", url):
        raise UntrustedError("the URL contains a character that has no place in a URL")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UntrustedError(str(error)) from None
    if parts.scheme != expected.scheme or parts.netloc.lower() != expected.netloc:
        raise UntrustedError(f"the URL is not {expected.scheme} on {expected.netloc}")


def _payload(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UntrustedError("the signed payload has another shape")
    return value
