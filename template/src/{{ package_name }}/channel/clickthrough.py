"""`GET /channel/clickthrough`: an agent opens the original of a comment (SVC-53)."""

from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from ..messages import ClickthroughRequest
from ..origin_protocol import OriginProtocol
from .forms import read_message
from .refusals import Refusal


class ClickthroughEndpoint:
    """Only the external id is given, and nobody is logged in: the redirect leads to the origin's own pages or nowhere."""

    def __init__(self, origin: OriginProtocol[Any]) -> None:
        self._origin = origin

    def routes(self) -> list[Route]:
        return [Route("/channel/clickthrough", self.respond, methods=["GET"])]

    async def respond(self, request: Request) -> Response:
        try:
            opened = read_message(ClickthroughRequest, dict(request.query_params))
        except Refusal:
            return PlainTextResponse("The link lacks the id of a post.", status_code=400)
        url = await self._permalink(opened.external_id)
        if url is None or not self._is_trusted(url):
            return PlainTextResponse("This post cannot be opened.", status_code=404)
        return RedirectResponse(url, status_code=302, headers={"Cache-Control": "no-store"})

    async def _permalink(self, external_id: str) -> str | None:
        return self._origin.permalink(external_id)

    def _is_trusted(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return f"{parts.scheme}://{parts.netloc}" in self._origin.link_origins and "\\" not in url
