"""Error responses to Zendesk: a status that Zendesk understands and a short reason as JSON."""

import structlog
from sqlalchemy import exc
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from ..core.masking import mask

DATABASE_ERRORS = (exc.DBAPIError, exc.TimeoutError)
"""A full disk, a locked file, a server that is away: the same request may work later."""

DATABASE_RETRY_AFTER = "30"
UNAVAILABLE = "The service cannot use its database. Try again in a minute."

logger = structlog.get_logger()


class RequestError(Exception):
    """Answered as `status` with `error` (for machines) and `description` (for people).

    400 the request cannot be read, 401 the origin refuses the account's credentials, 403 the caller is not proven,
    410 the account is gone, 422 it will never work, 503 it may work later.
    """

    def __init__(self, status: int, error: str, description: str, *, retry_after: int | None = None) -> None:
        super().__init__(mask(description))
        self.status = status
        self.error = error
        self.description = mask(description)
        self.retry_after = retry_after


async def answer_error(_request: Request, refusal: Exception) -> JSONResponse:
    assert isinstance(refusal, RequestError)  # noqa: S101
    headers = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after is not None else None
    body = {"error": refusal.error, "description": refusal.description}
    return JSONResponse(body, status_code=refusal.status, headers=headers)


async def answer_nobody(_request: Request, _gone: Exception) -> Response:
    """End a request whose caller hung up: no fault of the service, whatever number stands in the metrics."""
    return Response(status_code=499)


async def answer_unavailable(request: Request, error: Exception) -> Response:
    """Say so as JSON, or in words where a browser shows it."""
    reason = repr(error.orig) if isinstance(error, exc.DBAPIError) else repr(error)
    logger.error("the database cannot be used", path=request.url.path, reason=reason)
    headers = {"Retry-After": DATABASE_RETRY_AFTER}
    if "text/html" in request.headers.get("accept", ""):
        return PlainTextResponse(UNAVAILABLE, status_code=503, headers=headers)
    body = {"error": "database_unavailable", "description": UNAVAILABLE}
    return JSONResponse(body, status_code=503, headers=headers)
