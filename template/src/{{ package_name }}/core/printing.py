"""Texts from outside, as a terminal may show them."""

import re

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal would obey, what turns the direction of writing, and halves of surrogate pairs."""


def escaped_lines(text: str) -> str:
    """Escape a text that keeps its lines."""
    return "\n".join(escaped(line) for line in text.split("\n"))


def escaped(text: str) -> str:
    """Write what must not reach a terminal as Python would."""
    return UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
