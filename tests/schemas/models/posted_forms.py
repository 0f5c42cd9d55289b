"""Urlencoded requests, and what a form of generated fields becomes on its way to a model."""

from collections.abc import Mapping
from urllib.parse import urlencode

from acme_reviews.web.forms import Form, read_form
from generated_messages import Contract, Limit, Narrower
from starlette.requests import Request
from starlette.types import Message


def posted(body: bytes, query: bytes = b"") -> Request:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": [], "query_string": query}, receive)


async def received(fields: Mapping[str, str | list[str]]) -> Form:
    """The form after the wire; a list becomes a repeated key."""
    return await read_form(posted(urlencode(fields, doseq=True).encode()))


def breakable(contract: Contract) -> list[Limit]:
    """The limits that a form can break: whatever was posted, its values are texts."""
    return [limit for limit in contract.strict if limit.keyword not in ("type", "null")]


def without_nul(refused: Mapping[str, str]) -> Narrower:
    """The difference that all forms have; `refused` is a whole message."""
    return Narrower(
        "",
        taken=lambda fields: not any(_holds_nul(name, *value) for name, value in fields.items()),
        refused=refused,
        reason="No page and no database column holds a NUL character, and nobody types one.",
    )


def _holds_nul(*texts: str) -> bool:
    return "\0" in "".join(texts)
