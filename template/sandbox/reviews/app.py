"""The review site as a web application."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .api import Api
from .pages import Pages
from .review_site import ReviewSite
from .webhooks import TellsOfNewPosts, WebhookRoutes, Webhooks


def create_app(site: ReviewSite | None = None) -> Starlette:
    site = site or ReviewSite()
    api = Api(site)
    pages = Pages(site)
    webhooks = Webhooks(site)

    async def explain(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": error.detail}, error.status_code, error.headers)
        return pages.explain(error)

    return Starlette(
        routes=[*api.routes, *WebhookRoutes(webhooks, api, pages).routes, *pages.routes],
        middleware=[Middleware(TellsOfNewPosts, webhooks=webhooks)],
        exception_handlers={HTTPException: explain},
    )
