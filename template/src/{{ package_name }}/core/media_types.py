"""Media types: the Content-Type of a file from another host, made safe to send on."""

import re

ANY = "application/octet-stream"
PART = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
MEDIA_TYPE = re.compile(rf"{PART}/{PART}([ \t]*;[ \t!-~]*)?")


def media_type(stated: str | None) -> str:
    """Give back a media type that can be sent on; one that nobody could read stands for just bytes."""
    stated = (stated or "").strip()
    return stated if len(stated) <= 255 and MEDIA_TYPE.fullmatch(stated) else ANY
