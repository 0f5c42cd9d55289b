"""What strangers have written, made safe for a terminal."""

import re

UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal would obey, what turns the direction of writing, and halves of surrogate pairs; lines stay."""


def printable(text: str) -> str:
    """Write what must not reach a terminal as Python would."""
    return UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
