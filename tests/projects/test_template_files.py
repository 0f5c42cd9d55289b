"""The files of the template read like the files they become."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from jinja2 import nodes

if TYPE_CHECKING:
    from projects import Template
    from questionnaire import Questionnaire

# Substituting these makes nothing of a file that would read otherwise.
NAMES = {
    "package_name",
    "project_slug",
    "origin_name",
    "origin_literal",
    "origin_prose",
    "author_literal",
    "user_name",
}
# Measured: 7.4 %. The aim is 3 %.
MOST_CONTROL = 0.075


def test_paths_hold_names_and_no_conditions(template: Template) -> None:
    for name in template.files():
        assert "{%" not in name, name
        assert len(name) <= 150, name
        assert not set('<>:"|?*') & set(name), name


def control_lines(form: Questionnaire, text: str) -> set[int]:
    """Return the lines on which something is decided: statements, and expressions with a condition inside."""
    found: set[int] = set()
    tag: list[tuple[int, str]] = []
    for line, kind, value in form.lex(text):
        if kind in {"block_begin", "variable_begin"}:
            tag = []
        tag.append((line, value))
        decides = kind == "block_end" or (kind == "variable_end" and "if" in (word for _, word in tag))
        if decides:
            found |= {touched for touched, _ in tag}
    return found


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\n{% if pull %}\nb\n{% endif %}\n", {2, 4}),
        ("a {{ origin_name }}\nb {{ 'c' if pull }} {{ 'd' if push else 'e' }}\n", {2}),
        (
            "a\n{{ 'b'\n if pull\n else 'c' }} if\n{% for name in capabilities %}{{ name }}{% endfor %}\n",
            {2, 3, 4, 5},
        ),
        ("if a:\n    {{ package_name }} if b else c\n", set()),
    ],
    ids=["statements", "inline", "several lines", "conditions of the project's own"],
)
def test_a_control_line_is_one_that_decides_something(
    text: str, lines: set[int], questionnaire: Questionnaire
) -> None:
    assert control_lines(questionnaire, text) == lines


def test_control_lines_are_few(template: Template) -> None:
    """Counted where there is anything to decide: a file that only holds names would make the share look small."""
    form = template.questionnaire
    lines = 0
    control: dict[str, int] = {}
    for name in template.files():
        text = (template.path / name).read_text("utf-8") if name.endswith(".jinja") else ""
        if form.read_by(text) - NAMES:
            lines += len(text.splitlines())
            control[name] = len(control_lines(form, text))
    share = sum(control.values()) / lines
    most = sorted(control.items(), key=lambda item: -item[1])[:10]
    assert share <= MOST_CONTROL, f"{share:.1%} of {lines} lines, most of them in\n" + "\n".join(
        f"{number:4} {name}" for name, number in most
    )


def test_only_what_is_rendered_carries_the_suffix(template: Template) -> None:
    for name in template.files():
        if name.endswith(".jinja"):
            parsed = template.questionnaire.parse((template.path / name).read_text("utf-8"))
            assert any(parsed.find_all((nodes.Name, nodes.If, nodes.For))), f"{name} has nothing to render"


def test_nothing_of_the_generated_side_configures_this_repository(template: Template) -> None:
    """A plain template/.gitignore would hide files from this repository's own git."""
    acting = {".gitignore", ".gitattributes", "pyproject.toml", "conftest.py", "ruff.toml"}
    for name in template.files():
        assert PurePosixPath(name).name not in acting, f"{name} needs the suffix"


def test_every_exclusion_names_something(template: Template) -> None:
    """A misspelt pattern excludes nothing, and the file stays in projects that have no use for it."""
    form = template.questionnaire
    everything = []
    for origin in form.choices("origin"):
        answers = form.answer({"origin_name": "Acme", "capabilities": [], "origin": origin}).values
        everything += [path for name in template.files() if (path := template.rendered_path(name, answers))]
    for setting in template.questionnaire.settings["exclude"]:
        for pattern in re.findall(r"^(?!\{%)\S+$", setting, re.MULTILINE):
            matching = [
                path
                for path in everything
                if any(
                    part.match(pattern.lstrip("/"))
                    for part in (PurePosixPath(path), *PurePosixPath(path).parents)
                )
            ]
            assert matching, f"_exclude names {pattern}, which no file of the template matches"
