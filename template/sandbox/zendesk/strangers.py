"""Pages of other sites in the same browser, which finds this machine for them too."""

from urllib.parse import urlsplit

from starlette.requests import Request

from .addresses import is_loopback_http, origin
from .model import NotDoneError


class StrangerError(NotDoneError):
    """A request does not come from a person at Zendesk's own pages."""


def refuse_strangers(request: Request, address: str) -> None:
    """Raise StrangerError for what any page in the same browser could send."""
    here = str(request.url)
    if not is_loopback_http(here) and origin(here) != origin(address):
        raise StrangerError(f"{request.url.netloc} is not where this Zendesk is. Open {address} instead.")
    site, sender = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_own = sender is None or urlsplit(sender).netloc == request.url.netloc
    if request.method == "POST" and not (is_own and site in (None, "none", "same-origin")):
        raise StrangerError(f"Nothing was changed: this was posted by another site, {sender or site}.")
