"""The wire contract, and the module with which projects hold their messages to it."""

from __future__ import annotations

from commands import ROOT
from sandbox import wire

__all__ = ["ANSWERS", "MESSAGES", "SCHEMAS", "wire"]

SCHEMAS = ROOT / "schemas"
ANSWERS = "answers"
"""The one schema that no project has: it describes the answers to the template's questions."""

MESSAGES = [name for name in wire.names() if name != ANSWERS]
