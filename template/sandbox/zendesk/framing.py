"""Whether a browser would show a service's page in Zendesk's frame (ZEN-07, ZEN-12)."""

import re
from collections.abc import Iterable, Iterator

from .addresses import DEFAULT_PORTS, origin
from .verdicts import Remark

_HOST_SOURCE = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?(?P<host>(?:\*\.)?[^/:*]+)(?::(?P<port>\d+|\*))?(?:/.*)?"
)


def framing_remarks(headers: Iterable[tuple[str, str]], page_url: str, zendesk: str) -> Iterator[Remark]:
    """What in a page's headers keeps it out of a frame on `zendesk`, or keeps its cookies from it."""
    policies: list[list[str]] = []
    legacy = None
    for name, value in headers:
        match name.lower():
            case "content-security-policy":
                directives = [
                    directive.split() for policy in value.split(",") for directive in policy.split(";")
                ]
                policies += [
                    words[1:] for words in directives if words and words[0].lower() == "frame-ancestors"
                ]
            case "x-frame-options":
                legacy = value
            case "set-cookie" if not {"samesite=none", "secure"} <= _attributes(value):
                yield Remark(
                    "",
                    f"the cookie {value.partition('=')[0]!r} does not come back from a frame",
                    ("SVC-24",),
                    "Carry the handshake in signed hidden fields; at the least send SameSite=None and Secure.",
                    refused=False,
                )
    for ancestors in policies:
        if not any(_allows(source, page_url, zendesk) for source in ancestors):
            yield _blocked(f"Content-Security-Policy: frame-ancestors {' '.join(ancestors)}", zendesk)
    same_origin = (legacy or "").upper() == "SAMEORIGIN" and origin(page_url) == origin(zendesk)
    # A browser that knows frame-ancestors ignores X-Frame-Options where it finds both.
    if not policies and (legacy or "").upper() in ("DENY", "SAMEORIGIN") and not same_origin:
        yield _blocked(f"X-Frame-Options: {legacy}", zendesk)


def _allows(source: str, page_url: str, zendesk: str) -> bool:
    scheme, host, port = origin(zendesk)
    match source.lower():
        case "*":
            return True
        case "'none'":
            return False
        case "'self'":
            return origin(page_url) == origin(zendesk)
        case bare if bare.endswith(":"):
            return _covers(bare[:-1], scheme)
        case full if match := _HOST_SOURCE.fullmatch(full):
            name, allowed = match["host"], match["scheme"] or scheme
            default = DEFAULT_PORTS[scheme] if port == DEFAULT_PORTS[scheme] else DEFAULT_PORTS.get(allowed)
            return (
                _covers(allowed, scheme)
                and (host.endswith(name[1:]) if name.startswith("*.") else host == name)
                and (match["port"] or str(default)) in ("*", str(port))
            )
    return False


def _covers(allowed: str, scheme: str) -> bool:
    """What may come by http may come by https."""
    return allowed == scheme or (allowed, scheme) == ("http", "https")


def _attributes(cookie: str) -> set[str]:
    return {attribute.strip().lower() for attribute in cookie.split(";")[1:]}


def _blocked(header: str, zendesk: str) -> Remark:
    return Remark(
        "",
        f"a browser does not show this page in a frame of {zendesk}: {header}",
        ("SVC-14",),
        "Send Content-Security-Policy: frame-ancestors https://*.zendesk.com and no X-Frame-Options.",
    )
