"""What all pages share: how they are rendered, who may use them, and what they say when something is refused."""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import escape
from pydantic import ValidationError
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from ..addresses import is_loopback_http, origin
from ..model import NotDoneError, UnknownError

if TYPE_CHECKING:
    from ..zendesk import Zendesk

HERE = Path(__file__).parent

Handler = Callable[[Request], Awaitable[Response | None]]
"""Answers with a page; None leads the browser back to the page whose form was posted."""


class _NumberConvertor(IntegerConvertor):
    """Python refuses to read numbers that are longer by far."""

    regex = "[0-9]{1,18}"


register_url_convertor("number", _NumberConvertor())


class StrangerError(NotDoneError):
    """A request does not come from a person at these pages."""


class Pages:
    """The pages of one area. Reading one changes nothing; whatever it shows has its secrets masked."""

    def __init__(self, zendesk: "Zendesk") -> None:
        self.zendesk = zendesk

    def show(
        self, page: str, context: Mapping[str, object], status: int = 200, *, embeds: bool = False
    ) -> Response:
        """Answer with a page. One that `embeds` shows what the service sends, wherever that leads."""
        html = _environment.get_template(page).render(zendesk=self.zendesk, answer=status, **context)
        elsewhere = "http: https:" if embeds else "'self'"
        policy = (
            "default-src 'self'; img-src 'self' data: http: https:; object-src 'none'; base-uri 'none'; "
            f"frame-ancestors 'none'; frame-src {elsewhere}; form-action {elsewhere}"
        )
        headers = {"cache-control": "no-store", "content-security-policy": policy}
        return HTMLResponse(html, status, headers | {"x-content-type-options": "nosniff"})

    def route(self, path: str, handler: Handler, method: str = "GET") -> Route:
        async def handle(request: Request) -> Response:
            try:
                self._refuse_strangers(request)
                response = await handler(request)
            except (NotDoneError, ValidationError, MultiPartException) as error:
                status = (
                    404
                    if isinstance(error, UnknownError)
                    else 403
                    if isinstance(error, StrangerError)
                    else 422
                )
                return self.show("refused.html", {"error": error, "method": method}, status)
            finally:
                await request.close()
            if method == "POST":
                self.zendesk.changes.note()
            before = request.headers.get("referer", "")
            is_own = origin(before) == origin(str(request.url))
            return response or RedirectResponse(before if is_own else "/", 303)

        return Route(path, handle, methods=[method])

    def _refuse_strangers(self, request: Request) -> None:
        """Raise StrangerError for what any page in the same browser could send: it finds this machine too."""
        here, address = str(request.url), self.zendesk.settings.address
        if not is_loopback_http(here) and origin(here) != origin(address):
            raise StrangerError(f"{request.url.netloc} is not where this Zendesk is. Open {address} instead.")
        site, sender = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        is_own = sender is None or urlsplit(sender).netloc == request.url.netloc
        if request.method == "POST" and not (is_own and site in (None, "none", "same-origin")):
            raise StrangerError(f"Nothing was changed: this was posted by another site, {sender or site}.")


@pass_context
def _masked(context: Context, value: Any) -> Any:
    """Mask every text, but for HTML that is made of masked ones, and what the filter `clear` lets through."""
    is_html = hasattr(value, "__html__")
    return context["zendesk"].log.masked(value) if isinstance(value, str) and not is_html else value


def _moment(moment: datetime) -> str:
    """Write a moment as this machine's clock shows it; the day only where it is not today."""
    local = moment.astimezone()
    is_today = local.date() == datetime.now(UTC).astimezone().date()
    return local.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M")


def _path(url: str) -> str:
    return "/" + "/".join(url.split("/")[3:])


_environment = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, finalize=_masked
)
_pretty = partial(json.dumps, indent=2, ensure_ascii=False)
_environment.filters |= {"clear": escape, "moment": _moment, "path": _path, "pretty": _pretty}
