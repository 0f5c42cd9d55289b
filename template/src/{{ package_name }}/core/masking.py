"""Masking: an account's own secrets stand in no text that is logged, stored, shown or passed on.

An origin may repeat a key in its error message. Whoever opens an account has its secrets remembered for the request or
the job at hand, and every way out masks them.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretStr

MASK = "***"

SHORTEST = 6
"""Characters. Masking a shorter secret would tear words apart and hide nothing."""

REMEMBERED = 16
"""Secrets: a job goes from account to account, and the last ones matter."""

_secrets: ContextVar[Mapping[str, tuple[str, ...]]] = ContextVar("secrets", default=MappingProxyType({}))
"""The forms in which each secret may be written."""


def remember(*secrets: SecretStr) -> None:
    """Have `mask` know these secrets, as they are and as URLs, JSON and Basic credentials write them."""
    known = dict(_secrets.get())
    for secret in secrets:
        text = secret.get_secret_value()
        known[text] = known.pop(text, ()) or _written(text)
    _secrets.set(dict(list(known.items())[-max(REMEMBERED, len(secrets)) :]))


def mask(text: str) -> str:
    """Replace every remembered secret, the longest first."""
    found = [form for forms in _secrets.get().values() for form in forms if form in text]
    for form in sorted(found, key=len, reverse=True):
        text = text.replace(form, MASK)
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


@lru_cache(1000)
def _written(secret: str) -> tuple[str, ...]:
    parts = [secret, *secret.split()]
    forms = [form for part in parts for form in (part, quote(part, safe=""), quote_plus(part), quote(part))]
    forms += [json.dumps(part, ensure_ascii=escaped)[1:-1] for part in parts for escaped in (True, False)]
    forms.append(repr(secret)[1:-1])
    content = secret.encode(errors="replace")
    forms.append(base64.b64encode(content).decode().rstrip("="))
    # In the middle of longer base64, as in `user:secret`: the characters that no neighbour changes.
    for before, shared in ((1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * before + content).decode()
        forms.append(encoded[shared : len(encoded) - (4 if (before + len(content)) % 3 else 0)])
    forms += [form.translate(str.maketrans("+/", "-_")) for form in forms[-3:]]
    return tuple(form for form in dict.fromkeys(forms) if len(form) >= SHORTEST)
