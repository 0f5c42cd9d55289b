"""JSON that somebody else has written."""

import json
from typing import Any


def read(content: str | bytes, **options: Any) -> Any:
    """Raises ValueError for what is no JSON, and for what is nested more deeply than anybody means."""
    try:
        return json.loads(content, **options)
    except RecursionError:
        raise ValueError("nested too deeply") from None
