"""Zendesk's side of the protocol stays small enough to be read."""

from __future__ import annotations

import ast
import tokenize
from typing import TYPE_CHECKING

from commands import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LINES = 2670
"""Of the Channel framework."""
ZIS_LINES = 1740
APP_LINES = 850
"""Of what installs apps, and shows them to agents."""
SCRIPT_LINES = 700
"""Of what runs in browsers."""
SANDBOX = ROOT / "template" / "sandbox"
LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def test_the_code_is_short() -> None:
    services = {SANDBOX / "zendesk" / "integration_services.py", *SANDBOX.glob("zis/*.py")}
    apps = {SANDBOX / "zendesk" / "installer.py", *SANDBOX.glob("zendesk/zaf/*.py")}
    framework = set(SANDBOX.glob("zendesk/*.py")) - services - apps
    for files, most in ((framework, LINES), (services, ZIS_LINES), (apps, APP_LINES)):
        lines = {file.relative_to(SANDBOX).as_posix(): len(code_lines(file)) for file in sorted(files)}
        assert sum(lines.values()) < most, lines


def test_the_scripts_are_short() -> None:
    files = [*SANDBOX.glob("zendesk/**/*.js")]
    assert sum(len(file.read_text("utf-8").splitlines()) for file in files) < SCRIPT_LINES


def code_lines(file: Path) -> set[int]:
    """The numbers of the lines that hold code, and no docstring."""
    with file.open("rb") as source:
        tokens = [token for token in tokenize.tokenize(source.readline) if token.type not in LAYOUT]
    strings = {
        line
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return {line for token in tokens for line in range(token.start[0], token.end[0] + 1)} - strings
