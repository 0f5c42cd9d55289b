"""How a request from Zendesk is refused: a status that Zendesk understands and a short JSON reason."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..core.masking import mask


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
