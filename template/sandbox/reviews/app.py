"""The review site as a web application."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .api import Api
from .oauth import OAuthRoutes, Provider
from .pages import Pages
from .review_site import ReviewSite
from .webhooks import TellsOfNewPosts, WebhookRoutes, Webhooks


def create_app(site: ReviewSite | None = None, provider: Provider | None = None) -> Starlette:
    site = site or ReviewSite()
    provider = provider or Provider()
    api = Api(site, provider)
    pages = Pages(site)
    webhooks = Webhooks(site)

    async def explain(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": error.detail}, error.status_code, error.headers)
        return pages.explain(error)

    return Starlette(
        routes=[
            *api.routes,
            *WebhookRoutes(webhooks, api, pages).routes,
            *OAuthRoutes(provider, site, pages).routes,
            *pages.routes,
        ],
        middleware=[Middleware(TellsOfNewPosts, webhooks=webhooks)],
        exception_handlers={HTTPException: explain},
    )
