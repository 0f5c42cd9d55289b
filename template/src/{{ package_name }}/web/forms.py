"""Forms: urlencoded requests from Zendesk, parsed and validated."""

from collections.abc import Iterable
from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from ..core.messages import validation_faults
from .errors import RequestError

MessageT = TypeVar("MessageT", bound=BaseModel)

BODY_LIMIT = 2 * 1024 * 1024
"""Bytes; a message of 65,535 characters takes less than 0.8 MB when each byte is escaped."""

FIELD_LIMIT = 200


class Form:
    """A posted form. A missing field reads like an empty one; of a repeated field the last value counts."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.pairs = list(pairs)
        self._last = dict(self.pairs)

    def __getitem__(self, name: str) -> str:
        return self._last.get(name, "")

    def values(self, *names: str) -> tuple[str, ...]:
        """Every non-empty value that stands under one of the names, in order."""
        return tuple(value for name, value in self.pairs if name in names and value)

    def fields(self) -> dict[str, str]:
        return dict(self._last)


async def read_form(request: Request) -> Form:
    """Read the body of a POST, and its query beneath it. Raises RequestError 400 for anything that is not a form."""
    query = request.scope["query_string"]
    try:
        pairs = [
            pair
            for part in (query, await request.body())
            for pair in parse_qsl(
                part.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELD_LIMIT
            )
        ]
    except ValueError as error:
        raise RequestError(400, "invalid_form", f"The body is not a urlencoded UTF-8 form: {error}") from None
    if any("\0" in value for pair in pairs for value in pair):
        raise RequestError(400, "invalid_form", "The form contains a NUL character")
    return Form(pairs)


def read_message(kind: type[MessageT], values: object) -> MessageT:
    """Check a message; raises RequestError 400 that names the fields at fault and never repeats their values."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise RequestError(400, "invalid_request", validation_faults(error)) from None
