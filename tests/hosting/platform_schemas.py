"""Schemas of platforms whose own validators need an account with them, written from what they document."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parent / "platforms"


@cache
def platform(name: str) -> Draft202012Validator:
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def complaints(name: str, document: Any) -> str:
    """What a platform's rules have to say against a document: nothing, when it is good."""
    return "\n".join(f"{error.json_path}: {error.message}" for error in platform(name).iter_errors(document))
