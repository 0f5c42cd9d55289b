"""Files of this repository that are made from others. COMMAND writes them anew."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from answers_schema import answers_schema
from contract import SCHEMAS
from questionnaire import present_questionnaire
from reference import answers_reference, reference
from sandbox import wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

COMMAND = "PYTHONPATH=template:tests:tests/form:tests/schemas python tools/generated_files.py"


def as_json(contents: Any) -> str:
    return json.dumps(contents, indent=2, ensure_ascii=False) + "\n"


# In this order: the reference of answers is made from their schema.
FILES: dict[Path, Callable[[], str]] = {
    SCHEMAS / "answers.schema.json": lambda: as_json(answers_schema(present_questionnaire())),
    SCHEMAS / "answers.md": answers_reference,
    wire.SCHEMAS / "README.md": reference,
}

if __name__ == "__main__":
    for path, content in FILES.items():
        path.write_text(content(), encoding="utf-8")
