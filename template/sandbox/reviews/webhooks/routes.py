"""Where businesses register webhooks, and the page that shows what was sent."""

import re
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..api import Api, read_json
from ..pages import Pages
from ..transfer import read_body
from .sending import Webhooks

BODY_LIMIT = 64 * 1024
URL_LIMIT = 2_000

_SECRET = re.compile(r"[ -~]{16,255}")


class WebhookRoutes:
    def __init__(self, webhooks: Webhooks, api: Api, pages: Pages) -> None:
        self._webhooks = webhooks
        self._api = api
        self._pages = pages
        path = "/api/businesses/{business}/webhook"
        self.routes = (
            Route(path, self.register, methods=["PUT"]),
            Route(path, self.remove, methods=["DELETE"]),
            Route("/businesses/{business}/webhooks", self.read),
        )

    async def register(self, request: Request) -> Response:
        business = self._api.authorised_business(request)
        content = read_json(await read_body(request, BODY_LIMIT))
        url, secret = (content.get("url"), content.get("secret")) if isinstance(content, dict) else ("", "")
        if not isinstance(url, str) or not _is_web_address(url):
            raise HTTPException(422, "Send the url of the webhook, which begins with https:// or http://.")
        if not isinstance(secret, str) or not _SECRET.fullmatch(secret):
            raise HTTPException(422, "Send a secret of 16 to 255 ASCII characters.")
        self._webhooks.register(business, url, secret)
        return Response(status_code=204)

    async def remove(self, request: Request) -> Response:
        business = self._api.authorised_business(request)
        if not self._webhooks.remove(business, request.query_params.get("url", "")):
            raise HTTPException(404, "There is no webhook with this url.")
        return Response(status_code=204)

    async def read(self, request: Request) -> Response:
        business = self._pages.requested_business(request)
        webhooks = [(webhook, self._webhooks.waiting(webhook)) for webhook in self._webhooks.of(business)]
        return self._pages.respond("deliveries.html", {"business": business, "webhooks": webhooks})


class TellsOfNewPosts:
    """Looks for new posts after each request that may have brought one."""

    def __init__(self, app: ASGIApp, webhooks: Webhooks) -> None:
        self._app = app
        self._webhooks = webhooks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
        if scope["type"] == "http" and scope["method"] == "POST":
            self._webhooks.tell()


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if len(url) > URL_LIMIT or not url.isascii():
        return False
    return parts.scheme in {"https", "http"} and bool(parts.hostname)
