"""Masking: an account's own secrets stand in no text that is logged, stored, shown or passed on.

An origin may repeat a key in its error message. Whoever opens an account has its secrets remembered for the request or
the job at hand, and every way out masks them.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretStr

MASK = "***"

SHORTEST = 6
"""Characters. Masking a shorter secret would tear words apart and hide nothing."""

REMEMBERED = 64
"""Texts: a job goes from account to account, and the last ones matter."""

_texts: ContextVar[tuple[str, ...]] = ContextVar("secrets", default=())


def remember(*secrets: SecretStr) -> None:
    """Have `mask` know these secrets, as they are and as URLs, JSON and Basic credentials write them."""
    known = dict.fromkeys(_texts.get())
    for secret in secrets:
        for text in _written(secret.get_secret_value()):
            known.pop(text, None)
            known[text] = None
    _texts.set(tuple(known)[-REMEMBERED:])


def mask(text: str) -> str:
    """Replace every remembered secret, the longest first."""
    found = [secret for secret in _texts.get() if secret in text]
    for secret in sorted(found, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def secrets_of(value: object) -> Iterator[SecretStr]:
    """Find the secrets of a configuration, also within its lists and models."""
    if isinstance(value, SecretStr):
        yield value
    elif isinstance(value, BaseModel):
        for _, item in value:
            yield from secrets_of(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from secrets_of(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from secrets_of(item)


def _written(secret: str) -> Iterable[str]:
    parts = [secret, *secret.split()]
    forms = [form for part in parts for form in (part, quote(part, safe=""), quote_plus(part), quote(part))]
    forms += [json.dumps(part, ensure_ascii=escaped)[1:-1] for part in parts for escaped in (True, False)]
    forms.append(repr(secret)[1:-1])
    forms.append(base64.b64encode(secret.encode(errors="replace")).decode().rstrip("="))
    return [form for form in dict.fromkeys(forms) if len(form) >= SHORTEST]
