"""Settings and faults as people write them on a command line."""

import difflib
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from .faults import Endpoint, Fault, Faults
from .imports import Code
from .settings import Settings

_SETTINGS = TypeAdapter(Settings)
_FAULT = TypeAdapter(Fault)


class OptionError(ValueError):
    """What somebody wrote means nothing here; the text says what would."""


def change(settings: Settings, text: str) -> None:
    """Take `NAME=VALUE`; several values are separated by commas, and `none` is no value. Raises OptionError."""
    name, value = _pair(text)
    _known("setting", name, vars(settings))
    given: Any = None if value.lower() == "none" else value
    if isinstance(getattr(settings, name), tuple):
        given = value.replace(",", " ").split()
    try:
        changed = _SETTINGS.validate_python(vars(settings) | {name: given})
    except ValidationError as error:
        raise OptionError(f"{text}: {_reason(error)}") from None
    setattr(settings, name, getattr(changed, name))


def add_fault(faults: Faults, text: str) -> None:
    """Take `ENDPOINT=WHAT[,WHAT]`, as in `push=429,retry-after:5,times:3`. Raises OptionError."""
    endpoint, whats = _pair(text)
    _known("endpoint", endpoint, get_args(Endpoint))
    told: dict[str, Any] = {}
    for what in whats.replace(",", " ").split():
        match what.partition(":"):
            case ("drop-before" | "drop-after", "", ""):
                told["dropped"] = what.removeprefix("drop-")
            case ("always", "", ""):
                told["times"] = None
            case ("delay" | "times" as name, ":", number):
                told[name] = number
            case ("retry-after", ":", seconds):
                told["headers"] = {"retry-after": seconds}
            case (status, "", "") if status.isdecimal():
                told["status"] = status
            case _:
                raise OptionError(
                    f"{text}: {what!r} is no fault. Write a status, delay:SECONDS, drop-before or drop-after; "
                    "and with it retry-after:SECONDS, times:NUMBER or always."
                )
    try:
        fault = _FAULT.validate_python(told)
    except ValidationError as error:
        raise OptionError(f"{text}: {_reason(error)}") from None
    if not str(fault):
        raise OptionError(
            f"{text}: nothing goes wrong. Write a status, delay:SECONDS, drop-before or drop-after."
        )
    faults.add(endpoint, fault)  # type: ignore[arg-type]


def add_push_result(faults: Faults, text: str) -> None:
    """Take `EXTERNAL_ID=CODE`, for one try of a pushed post. Raises OptionError."""
    external_id, _, code = text.rpartition("=")
    _known("result of a push", code, get_args(Code))
    faults.push_results.setdefault(external_id, []).append(code)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise OptionError(f"{text}: there is no = in it.")
    return name.strip(), value.strip()


def _known(what: str, name: str, names: Iterable[str]) -> None:
    names = list(names)
    if name not in names:
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names
        raise OptionError(f"there is no {what} {name!r}. Did you mean {' or '.join(near)}?")


def _reason(error: ValidationError) -> str:
    wrong = error.errors()[0]
    return f"{wrong['loc'][0]}: {wrong['msg']}"
