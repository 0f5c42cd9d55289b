"""Secrets in texts, in whatever way these were written."""

import json
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from html.entities import html5
from urllib.parse import parse_qs

from .. import json_text

MASK = "(masked)"

_PLAIN = re.compile("[A-Za-z0-9._-]+")


HEAD = 12
LONGEST_SECRET = 5000
"""Of what Zendesk takes. A text that holds a longer one is masked as a whole."""
MOST_STEPS = 200_000


def masked(text: str, secrets: Iterable[str]) -> str:
    """Mask secrets, of which the longest come first. A text made to take for ever is masked as a whole."""
    for secret in secrets:
        # Most secrets are nowhere near: a look for a plain part spares the search for all ways of writing.
        if _plain_part(secret) in text:
            text = _without(text, secret)
    return text


@lru_cache(10_000)
def _plain_part(secret: str) -> str:
    return max(_PLAIN.findall(secret[:LONGEST_SECRET]), key=len, default="")[:LONGEST_SECRET]


def _without(text: str, secret: str) -> str:
    if _PLAIN.fullmatch(secret):
        return text.replace(secret, MASK)
    if len(secret) > LONGEST_SECRET:
        return MASK if _pattern(secret[:HEAD]).search(text) else text
    parts, done, begin, steps = [], 0, 0, 0
    while found := _pattern(secret[:HEAD]).search(text, begin):
        end, begin = found.end(), found.start() + 1
        for character in secret[HEAD:]:
            steps += 1
            if (way := _pattern(character).match(text, end)) is None:
                break
            end = way.end()
        else:
            parts += [text[done : found.start()], MASK]
            done = begin = end
        if steps > MOST_STEPS:
            return MASK
    return "".join([*parts, text[done:]])


def metadata_in(content: bytes) -> str:
    """What a message, be it JSON or a form, calls metadata; nothing if it has none."""
    try:
        document = json_text.read(content)
    except ValueError:
        document = {name: values[0] for name, values in parse_qs(content.decode(errors="replace")).items()}
    found = document.get("metadata") if isinstance(document, dict) else None
    return found if isinstance(found, str) else ""


@lru_cache(10_000)
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
