"""Calls of Zendesk's API for Integration Services: what is asked, and how it is refused."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .. import json_text
from ..validate.rules import as_object

MOST_OF_A_PAGE = 100
REDACTED = "*" * 12
Found = TypeVar("Found")
_CODES = {400: "1010", 401: "1001", 403: "1001", 404: "1010"}


class RefusedError(Exception):
    """A call that is answered with an error, and the rule that refuses it."""

    def __init__(self, status: int, detail: str, why: str = "") -> None:
        super().__init__(detail)
        self.why = why
        code = _CODES.get(status, "1050")
        envelope = {"errors": [{"code": code, "detail": detail, "status": str(status)}], "message": detail}
        self.answer = JSONResponse(envelope, status)


@dataclass
class Ask:
    """A call, and what there is to remark on."""

    request: Request
    content: bytes
    remarks: list[str] = field(default_factory=list)

    @property
    def body(self) -> Any:
        try:
            return json_text.read(self.content) if self.content else None
        except ValueError:
            raise RefusedError(400, "invalid JSON") from None

    @property
    def document(self) -> dict[str, Any]:
        return as_object(self.body)

    @property
    def path(self) -> dict[str, Any]:
        return self.request.path_params

    @property
    def query(self) -> dict[str, str]:
        return dict(self.request.query_params)


Handler = Callable[[Ask], Awaitable[Response]]
"""Answers a call. Raises RefusedError."""


def first(found: Iterable[Found], what: str, why: str = "") -> Found:
    """Return the first of what was found, or refuse the call."""
    for each in found:
        return each
    raise RefusedError(404, f"{what} not found", why)


def page(ask: Ask, key: str, items: list[dict[str, Any]]) -> Response:
    """Answer with a page of a list; a cursor is the position of an item."""
    asked = ask.query
    try:
        size = min(max(int(asked.get("page[size]", "20")), 1), MOST_OF_A_PAGE)
        before = asked.get("page[before]")
        start = max(int(before) - size, 0) if before else int(asked.get("page[after]", "0"))
    except ValueError:
        raise RefusedError(
            400, "invalid page", "page[size] is a number, the cursors are those of meta"
        ) from None
    end = start + size
    meta = {"has_more": end < len(items), "after": str(end), "before": str(start)}
    return JSONResponse({key: items[start:end], "meta": meta})
