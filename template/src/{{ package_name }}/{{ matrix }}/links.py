"""Links to messages: matrix.to opens them in whatever client a person uses."""

from urllib.parse import quote

LINKS = "https://matrix.to"


def permalink(external_id: str) -> str | None:
    room, _, event = external_id.partition("/")
    return f"{LINKS}/#/{quote(room, safe='')}/{quote(event, safe='')}" if event else None
