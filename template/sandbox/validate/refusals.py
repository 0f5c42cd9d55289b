"""What the keywords of a schema refuse."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from .. import wire


class Refusal(NamedTuple):
    """One keyword that refuses one part of a message."""

    keyword: str
    limit: Any
    """What the keyword demands: its value in the schema."""
    part: Any
    """The part of the message, or with `propertyNames` the key."""
    schema: dict[str, Any]
    """The schema that holds the keyword."""
    path: tuple[str | int, ...]
    """The way through the message to the part."""
    way: tuple[str | int, ...]
    """The way through the schemas to the keyword; `$ref` and `if` are left out of it."""


def refusals(name: str, message: object) -> Iterator[Refusal]:
    for error in wire.validator(wire.schema(name)).iter_errors(message):
        if isinstance(error.schema, dict):
            yield Refusal(
                str(error.validator),
                error.validator_value,
                error.instance,
                error.schema,
                tuple(error.absolute_path),
                tuple(error.absolute_schema_path),
            )
