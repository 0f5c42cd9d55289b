"""The review site as a web application."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .api import Api
from .pages import Pages
from .review_site import ReviewSite


def create_app(site: ReviewSite | None = None) -> Starlette:
    site = site or ReviewSite()
    pages = Pages(site)

    async def explain(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": error.detail}, error.status_code, error.headers)
        return pages.explain(error)

    return Starlette(routes=[*Api(site).routes, *pages.routes], exception_handlers={HTTPException: explain})
