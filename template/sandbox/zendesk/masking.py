"""Secrets in texts, in whatever way these were written."""

import json
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from html.entities import html5
from urllib.parse import parse_qs

MASK = "(masked)"

_PLAIN = re.compile("[A-Za-z0-9._-]+")


def masked(text: str, secrets: Iterable[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        # Most secrets are nowhere near: a look for their longest plain part spares the search for all ways of writing.
        if max(_PLAIN.findall(secret), key=len, default="") in text:
            text = _pattern(secret).sub(MASK, text)
    return text


def metadata_in(content: bytes) -> str:
    """What a message, be it JSON or a form, calls metadata; nothing if it has none."""
    try:
        document = json.loads(content)
    except ValueError:
        document = {name: values[0] for name, values in parse_qs(content.decode(errors="replace")).items()}
    found = document.get("metadata") if isinstance(document, dict) else None
    return found if isinstance(found, str) else ""


@lru_cache(1000)
def _pattern(secret: str) -> re.Pattern[str]:
    return re.compile("".join(map(_ways, secret)))


@cache
def _entities() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, character in html5.items():
        found.setdefault(character, set()).add(re.escape(f"&{name}"))
    return found


@lru_cache(10000)
def _ways(character: str) -> str:
    """A character as it is, in a URL or a form, in JSON, and in HTML."""
    if _PLAIN.fullmatch(character):
        return re.escape(character)
    utf_8, utf_16 = character.encode(), character.encode("utf-16-be").hex()
    ways = {
        re.escape(character),
        re.escape(json.dumps(character)[1:-1]),
        "(?i:" + "".join(f"%{byte:02x}" for byte in utf_8) + ")",
        "(?i:" + "".join(rf"\\u{utf_16[n : n + 4]}" for n in range(0, len(utf_16), 4)) + ")",
        f"(?i:&#0*{ord(character)};|&#x0*{ord(character):x};)",
        *sorted(_entities().get(character, set()), key=len, reverse=True),
    }
    ways |= {r"\+"} if character == " " else {r"\\/"} if character == "/" else set()
    return "(?:" + "|".join(sorted(ways, key=len, reverse=True)) + ")"
