"""Logs: one JSON object a line, with secrets masked."""

import io
import logging
import re
import sys
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any

import structlog

from .masking import MASK, mask
from .printing import escaped, escaped_lines

SECRET_NAME = re.compile(
    r"metadata|state$|token|secret|password|passwd|authorization|cookie|_key|keys?$|handshake", re.IGNORECASE
)
SECRET_TEXT = re.compile(
    r"(?i:\b(?:bearer|basic))\s+[\w.~+/=-]+|(?<![\w-])\.?[\w-]+(\.[\w-]{6})?\.[\w-]{43}(?![\w-])"
)
"""Credentials of an Authorization header, and whatever this service signs."""

NAMED_TEXT = re.compile(
    r"""(?<![\w-])(?P<name>[\w-]{1,64})(?P<equals>=|["']\s{0,9}:\s{0,9})"""
    r"""(?:"[^"]*"|'[^']*'|[^\s&,;"')}\]]+)"""
)
"""A value behind its name, as in the query of a URL, in JSON and where Python shows an object."""


BROKEN_OFF = "ASGI callable returned without completing response."
"""What the server says of it."""


def configure(level: str, *, readable: bool) -> None:
    """Log JSON to standard output, or coloured lines for a person at a terminal; the libraries' lines as well."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Terminals may know few characters, and posts may hold all.
        sys.stdout.reconfigure(errors="backslashreplace")
    prepare: list[structlog.typing.Processor] = [structlog.processors.format_exc_info]
    render: list[structlog.typing.Processor] = [
        redact,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if readable:
        render += [printable, structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())]
    else:
        render.append(structlog.processors.JSONRenderer())
    structlog.configure(
        processors=prepare + render,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *prepare],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("uvicorn").setLevel(level.upper())
    # Whoever breaks an answer off has said why.
    logging.getLogger("uvicorn.error").addFilter(lambda line: line.msg != BROKEN_OFF)


def redact(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask values by the name they stand under, and tokens wherever they stand."""
    for name, value in entry.items():
        entry[name] = MASK if _is_secret(name) else _redacted(value)
    return entry


def printable(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape what must not reach a terminal as it is; a traceback keeps its lines."""
    for name, value in entry.items():
        if isinstance(value, str):
            entry[name] = escaped_lines(value) if name == "exception" else escaped(value)
    return entry


@lru_cache(1000)
def _is_secret(name: str) -> bool:
    return SECRET_NAME.search(name) is not None


def _redacted(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {
            _redacted_text(str(name)): MASK if _is_secret(str(name)) else _redacted(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return _redacted_text(value if isinstance(value, str) else repr(value))


def _redacted_text(text: str) -> str:
    masked = mask(text)
    # A single word is no credential with a name or a signature.
    return masked if masked.isalnum() else NAMED_TEXT.sub(_mask_a_secret, SECRET_TEXT.sub(MASK, masked))


def _mask_a_secret(found: re.Match[str]) -> str:
    if not SECRET_NAME.search(found["name"]):
        return found[0]
    return f"{found['name']}{found['equals']}{MASK}"
