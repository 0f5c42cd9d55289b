"""A window that the service's form opens: an admin goes through it beside the frame, as where somebody signs in.

It is none of Zendesk's business, which neither opens it nor sees what passes in it: nothing of it is logged.
"""

from collections.abc import Mapping, Sequence

import httpx2

from .addresses import resolved
from .forms import Page
from .model import NotDoneError

REDIRECTS = 10


class WindowError(NotDoneError):
    """The window does not show the button that is to be pressed; the text says what it shows."""


async def go_through(http: httpx2.AsyncClient, url: str, buttons: Sequence[str]) -> None:
    """Follow a link, and press one button after the other by its label. Raises WindowError."""
    url, page = await _load(http, url, None)
    for label in buttons:
        found = [(form, posted) for form in page.forms if (posted := form.pressed(label)) is not None]
        if not found:
            raise WindowError(
                f"The window at {url.partition('?')[0]} has no button {label!r}. It says: {page.text}"
            )
        form, posted = found[0]
        url, page = await _load(http, resolved(url, form.action), posted)


async def _load(http: httpx2.AsyncClient, url: str, posted: Mapping[str, str] | None) -> tuple[str, Page]:
    try:
        for _ in range(REDIRECTS):
            answer = await (http.get(url) if posted is None else http.post(url, data=dict(posted)))
            if "location" not in answer.headers:
                break
            posted = posted if answer.status_code in (307, 308) else None
            url = resolved(url, answer.headers["location"])
    except httpx2.HTTPError as error:
        raise WindowError(f"The window at {url.partition('?')[0]} stays empty: {error!r}") from None
    return url, Page(answer.text)
