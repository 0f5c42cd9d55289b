"""What each keyword of the schemas means when it refuses something: what is wrong, and what to do about it."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from .refusals import Refusal

LONGEST_VALUE = 60


class Explanation(NamedTuple):
    wrong: str
    remedy: str


def explained(refusal: Refusal) -> Explanation:
    """Say in words why something is refused.

    `required` and `additionalProperties` each speak of several keys: `missing` and `unknown` explain one of them.
    """
    return EXPLANATIONS[refusal.keyword](refusal)


def missing(key: str) -> Explanation:
    return Explanation(f"`{key}` is missing", f"Add `{key}`.")


def unknown(key: str, similar: str = "") -> Explanation:
    if similar:
        return Explanation(f"`{key}` is no key of this object", f"Write `{similar}` if you mean that.")
    return Explanation(f"`{key}` is no key of this object", "Remove it, or look for a spelling mistake.")


def _type(refusal: Refusal) -> Explanation:
    wanted = refusal.limit
    names = _either([wanted] if isinstance(wanted, str) else wanted)
    if refusal.part is None:
        remedy = f"Write {names}; if there is nothing to say and the key is optional, leave it out."
    else:
        remedy = f"Write {names}."
    return Explanation(f"this is {_named(_kind(refusal.part))}, where {names} must stand", remedy)


def _const(refusal: Refusal) -> Explanation:
    value = _json(refusal.limit)
    return Explanation(f"this is {_shown(refusal.part)}, but only {value} is allowed", f"Write {value}.")


def _enum(refusal: Refusal) -> Explanation:
    values = ", ".join(map(_json, refusal.limit))
    return Explanation(f"{_shown(refusal.part)} is not among the allowed values", f"Write one of {values}.")


def _min_length(refusal: Refusal) -> Explanation:
    least = refusal.limit
    if least == 1:
        return Explanation(
            "the string is empty", "Write at least one character, or leave the key out if it is optional."
        )
    return Explanation(
        f"the string has {_count(refusal.part, 'character', 'characters')}, at least {least} are needed",
        f"Lengthen it to {least} characters.",
    )


def _max_length(refusal: Refusal) -> Explanation:
    most = f"{refusal.limit:,}"
    return Explanation(
        f"the string has {_count(refusal.part, 'character', 'characters')}, at most {most} are allowed",
        f"Shorten it to {most} characters.",
    )


def _pattern(refusal: Refusal) -> Explanation:
    # What keeps Python's `$` from overlooking a line break says nothing to people.
    pattern = refusal.limit.replace(r"$(?!\n)", "$")
    return Explanation(
        f"{_shown(refusal.part)} does not have the right form", f"Write it so that it matches `{pattern}`."
    )


FORMATS = {
    "date-time": Explanation(
        "no moment as RFC 3339 writes it",
        "Write a date, a time and the offset from UTC, such as 2026-11-20T10:15:00Z or 2026-11-20T10:15:00+01:00.",
    ),
    "external-id": Explanation(
        "no id: it must be printable ASCII without white space around it",
        "Take an id of letters, digits and signs such as - and :, and encode what is not ASCII.",
    ),
    "https-url": Explanation(
        "no complete https URL",
        "Write https://, the host and the path; encode spaces, and letters beyond ASCII, with percent signs.",
    ),
    "https-url-or-relative": Explanation(
        "neither a complete https URL nor a relative one",
        "Write https://, the host and the path, or the path alone; encode spaces, and letters beyond ASCII, "
        "with percent signs.",
    ),
}


def _format(refusal: Refusal) -> Explanation:
    found = FORMATS[refusal.limit]
    return Explanation(f"{_shown(refusal.part)} is {found.wrong}", found.remedy)


def _min_items(refusal: Refusal) -> Explanation:
    return _too_few(refusal, "entry", "entries")


def _max_items(refusal: Refusal) -> Explanation:
    return Explanation(
        f"the array has {_count(refusal.part, 'entry', 'entries')}, at most {refusal.limit} are allowed",
        f"Send at most {refusal.limit} at once, and the others later or not at all.",
    )


def _min_properties(refusal: Refusal) -> Explanation:
    return _too_few(refusal, "key", "keys")


def _max_properties(refusal: Refusal) -> Explanation:
    most = refusal.limit
    return Explanation(
        f"the object has {_count(refusal.part, 'key', 'keys')}, at most {most} {'is' if most == 1 else 'are'} allowed",
        f"Keep {most} of {_keys(refusal.part)}.",
    )


def _too_few(refusal: Refusal, unit: str, units: str) -> Explanation:
    least = refusal.limit
    if not refusal.part:
        return Explanation(
            f"there is no {unit} here", f"Add at least {least} {unit if least == 1 else units}."
        )
    return Explanation(
        f"there {'is' if len(refusal.part) == 1 else 'are'} {_count(refusal.part, unit, units)} here, "
        f"at least {least} are needed",
        f"Add {least - len(refusal.part)} more.",
    )


def _unique_items(_: Refusal) -> Explanation:
    return Explanation("an entry stands in this array twice", "Keep each entry once.")


def _minimum(refusal: Refusal) -> Explanation:
    least = refusal.limit
    return Explanation(f"{_shown(refusal.part)} is less than {least}", f"Write {least} or more.")


def _exclusive_minimum(refusal: Refusal) -> Explanation:
    limit = refusal.limit
    return Explanation(f"{_shown(refusal.part)} is not more than {limit}", f"Write more than {limit}.")


def _one_of(refusal: Refusal) -> Explanation:
    """Explain a choice of keys, the only kind of `oneOf` that the schemas have."""
    keys = [key for option in refusal.limit for key in option["required"]]
    present = [key for key in keys if key in refusal.part]
    if present:
        return Explanation(f"{_keys(present)} exclude each other", f"Keep exactly one of {_keys(present)}.")
    return Explanation(f"none of {_keys(keys)} is there", f"Add exactly one of {_keys(keys)}.")


def _not(refusal: Refusal) -> Explanation:
    """Explain by the description, for example "At least one resource is a flow.", where there is one."""
    match refusal.limit:
        case {"required": [*keys]}:
            others = [str(key) for key in refusal.way if key in refusal.part]
            return Explanation(
                f"{_keys([*others, *keys])} exclude each other",
                f"Keep exactly one of {_keys([*others, *keys])}.",
            )
        case {"const": value}:
            return Explanation(f"{_json(value)} is taken", f"Write anything but {_json(value)}.")
    demand = refusal.schema["description"].rstrip(".")
    return Explanation(f"this does not hold: {demand}", f"Change it so that this holds: {demand}.")


EXPLANATIONS: dict[str, Callable[[Refusal], Explanation]] = {
    "const": _const,
    "enum": _enum,
    "exclusiveMinimum": _exclusive_minimum,
    "format": _format,
    "maxItems": _max_items,
    "maxLength": _max_length,
    "maxProperties": _max_properties,
    "minItems": _min_items,
    "minLength": _min_length,
    "minProperties": _min_properties,
    "minimum": _minimum,
    "not": _not,
    "oneOf": _one_of,
    "pattern": _pattern,
    "type": _type,
    "uniqueItems": _unique_items,
}


# --- Words ----------------------------------------------------------------------------------------

_KINDS = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "null")


def _named(kind: str) -> str:
    if kind == "null":
        return kind
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _either(kinds: Iterable[str]) -> str:
    return " or ".join(map(_named, kinds))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _shown(value: Any) -> str:
    text = _json(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _count(found: Sequence[Any], unit: str, units: str) -> str:
    return f"{len(found):,} {unit if len(found) == 1 else units}"


def _keys(keys: Iterable[str]) -> str:
    *others, last = [f"`{key}`" for key in keys]
    return f"{', '.join(others)} and {last}" if others else last
