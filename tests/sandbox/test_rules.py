"""Every rule of Zendesk's side is held by a test that names it."""

import ast
import re
from pathlib import Path


def named_rules(file: Path) -> set[str]:
    """The rules in the docstrings of a file's tests."""
    return {
        rule
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and node.name.startswith("test_")
        for rule in re.findall(r"ZEN-\d\d", ast.get_docstring(node) or "")
    }


def test_every_rule_of_zendesks_side_is_held() -> None:
    named = set[str]().union(*map(named_rules, Path(__file__).parent.glob("test_*.py")))
    assert named == {f"ZEN-{number:02}" for number in range(1, 60)}
