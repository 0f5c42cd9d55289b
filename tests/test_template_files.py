"""The files of the template read like the files they become."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from jinja2 import nodes

if TYPE_CHECKING:
    from projects import Template

CONTROL = re.compile(r"\{%")
MOST_CONTROL = 0.03


def test_paths_hold_names_and_no_conditions(template: Template) -> None:
    for name in template.files():
        assert "{%" not in name, name
        assert len(name) <= 150, name
        assert not set('<>:"|?*') & set(name), name


def test_control_lines_are_few(template: Template) -> None:
    lines = 0
    control: dict[str, int] = {}
    for name in template.files():
        if name.endswith(".jinja"):
            text = (template.path / name).read_text("utf-8").splitlines()
            lines += len(text)
            control[name] = sum(bool(CONTROL.search(line)) for line in text)
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
    answers = template.questionnaire.answer({"origin_name": "Acme", "capabilities": []}).values
    everything = [template.rendered_path(name, answers) for name in template.files()]
    for setting in template.questionnaire.settings["exclude"]:
        for pattern in re.findall(r"^(?!\{%)\S+$", setting, re.MULTILINE):
            matching = [
                path
                for path in everything
                if any(part.match(pattern) for part in (PurePosixPath(path), *PurePosixPath(path).parents))
            ]
            assert matching, f"_exclude names {pattern}, which no file of the template matches"
