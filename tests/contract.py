"""The module with which generated projects check their messages, loaded as it is shipped."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from commands import ROOT

if TYPE_CHECKING:
    from types import ModuleType

SCHEMAS = ROOT / "schemas"


def _wire() -> ModuleType:
    spec = importlib.util.spec_from_file_location("wire", ROOT / "template" / "sandbox" / "wire.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


wire = _wire()
