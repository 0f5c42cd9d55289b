"""What all pages share: how they are rendered, who may use them, and what they say when something is refused."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import escape
from pydantic import ValidationError
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from ..addresses import origin
from ..model import NotDoneError, UnknownError
from ..strangers import StrangerError, refuse_strangers

if TYPE_CHECKING:
    from ..zendesk import Zendesk

HERE = Path(__file__).parent

Handler = Callable[[Request], Awaitable[Response | None]]
"""Answers with a page; None leads the browser back to the page whose form was posted."""


class _NumberConvertor(IntegerConvertor):
    """Python refuses to read numbers that are longer by far."""

    regex = "[0-9]{1,18}"


register_url_convertor("number", _NumberConvertor())


class Pages:
    """The pages of one area. Reading one changes nothing; whatever it shows has its secrets masked."""

    def __init__(self, zendesk: "Zendesk") -> None:
        self.zendesk = zendesk

    def show(
        self,
        page: str,
        context: Mapping[str, object],
        status: int = 200,
        *,
        embeds: bool = False,
        frames: Iterable[str] = (),
    ) -> Response:
        """Answer with a page. One that `embeds` shows what the service sends, wherever that leads.

        `frames` are the origins of apps in it, whose requests the page may make.
        """
        html = _environment.get_template(page).render(zendesk=self.zendesk, answer=status, **context)
        elsewhere = "http: https:" if embeds else "'self'"
        framed = " ".join([elsewhere, *frames])
        reached = "connect-src 'self' http: https:; " if frames else ""
        policy = (
            "default-src 'self'; img-src 'self' data: http: https:; object-src 'none'; base-uri 'none'; "
            f"{reached}frame-ancestors 'none'; frame-src {framed}; form-action {framed}"
        )
        headers = {"cache-control": "no-store", "content-security-policy": policy}
        return HTMLResponse(html, status, headers | {"x-content-type-options": "nosniff"})

    def route(self, path: str, handler: Handler, method: str = "GET") -> Route:
        async def handle(request: Request) -> Response:
            try:
                refuse_strangers(request, self.zendesk.settings.address)
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
