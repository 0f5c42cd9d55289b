"""Posts that Zendesk would refuse: what is wrong with each, and what is said about it."""

from datetime import datetime
from secrets import token_hex
from typing import Any

FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "an id that is not ASCII": ({"external_id": "pöst"}, "external_id"),
    "an id with outer white space": ({"external_id": "post "}, "external_id"),
    "an id that is too long": ({"external_id": "x" * 256}, "external_id"),
    "no id": ({"external_id": ""}, "external_id"),
    "no message": ({"message": ""}, "message"),
    "a message that is too long": ({"message": "x" * 65536}, "message"),
    "both thread keys": ({"parent_id": "a", "thread_id": "b"}, "not both"),
    "a parent that is too long": ({"parent_id": "x" * 256}, "parent_id"),
    "no author": ({"author": None}, "author"),
    "an author without an id": ({"author": {"external_id": ""}}, "author.external_id"),
    "a time without a zone": ({"created_at": datetime(2026, 11, 20)}, "created_at"),  # noqa: DTZ001
    "no time": ({"created_at": None}, "created_at"),
    "display information as text": ({"display_info": [{"type": "t", "data": "{}"}]}, "display_info.0.data"),
    "a field without a value": ({"fields": [{"id": "subject"}]}, "fields.0.value"),
    "a field that is no JSON": ({"fields": [{"id": "f", "value": object()}]}, "SerializationError"),
    "too many files": ({"files": ["file"] * 11}, "file_urls"),
    "a file with an endless reference": ({"files": [token_hex(400)]}, "passes 511 characters"),
    "a bug in the conversion": ({"files": 5}, "TypeError: 'int' object is not iterable"),
}
