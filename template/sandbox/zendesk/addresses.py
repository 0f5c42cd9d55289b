"""Addresses as Zendesk reads them, also those that are none."""

import re
from contextlib import suppress
from urllib.parse import urljoin, urlsplit

from .. import wire
from .settings import Settings

DEFAULT_PORTS = {"http": 80, "https": 443}
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def resolved(base: str, reference: str) -> str:
    """A reference made complete; as it came if it cannot be read."""
    with suppress(ValueError):
        return urljoin(base, reference)
    return reference


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port, by which browsers tell whether two addresses belong together."""
    with suppress(ValueError):
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme)
    return "", "", None


def names_host(text: str, host: str) -> bool:
    """Whether a text has a host in it as a whole, be it in a URL or by itself."""
    return bool(host) and re.search(rf"(?<![\w.-]){re.escape(host)}(?![\w.-])", text) is not None


def is_secure(url: str, settings: Settings) -> bool:
    """Whether a complete URL is https, or of this machine where that is allowed (ZEN-02)."""
    return wire.is_https_url(url) or (settings.allow_loopback_http and is_loopback_http(url))


def is_loopback_http(url: str) -> bool:
    scheme, host, _ = origin(url)
    return scheme == "http" and host in LOOPBACK
