"""The measurement of the template finds what was not rendered, down to one side of a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import copier
import pytest
from template_coverage import TemplateCoverage

if TYPE_CHECKING:
    from pathlib import Path

FILE = """\
{{ name }}
{% if loud %}
only text
{% elif name == "b" %}
{{ name }}
{% else %}
more text
{% endif %}
{{ "x" if loud else "y" }}
{% for letter in letters %}
- {{ letter }}
{% endfor %}
{% macro unused() %}
never
{% endmacro %}
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    (folder / "template").mkdir(parents=True)
    (folder / "copier.yml").write_text(
        "_subdirectory: template\n"
        "_envops: {trim_blocks: true, lstrip_blocks: true}\n"
        "name: a\nloud: false\nletters: {type: yaml, default: []}\n",
        "utf-8",
    )
    (folder / "template/file.txt.jinja").write_text(FILE, "utf-8")
    return folder


def rendered(tiny: Path, number: int, coverage: TemplateCoverage | None, **answers: object) -> str:
    destination = tiny.parent / str(number)
    if coverage is None:
        copier.run_copy(str(tiny), destination, data=answers, defaults=True, quiet=True)
    else:
        with coverage.measure():
            copier.run_copy(str(tiny), destination, data=answers, defaults=True, quiet=True)
    return (destination / "file.txt").read_text("utf-8")


NAME = "template/file.txt.jinja"


def test_what_is_missed_is_named_by_line(tiny: Path) -> None:
    coverage = TemplateCoverage()
    rendered(tiny, 1, coverage)
    assert coverage.files == {NAME}
    assert coverage.missed == [
        f"{NAME}:2: never true",
        f"{NAME}:4: never true",
        f"{NAME}:9: never true",
        f"{NAME}:11: never rendered",
        f"{NAME}:14: never rendered",
    ]


def test_several_renders_add_up(tiny: Path) -> None:
    coverage = TemplateCoverage()
    rendered(tiny, 1, coverage)
    rendered(tiny, 2, coverage, loud=True, letters=["x"])
    assert coverage.missed == [f"{NAME}:4: never true", f"{NAME}:14: never rendered"]
    rendered(tiny, 3, coverage, name="b")
    assert coverage.missed == [f"{NAME}:14: never rendered"]


def test_measuring_changes_no_output_and_ends(tiny: Path) -> None:
    coverage = TemplateCoverage()
    answers = {"name": "b", "letters": ["x", "y"]}
    plain = rendered(tiny, 1, None, **answers)
    assert coverage.points == {}
    assert rendered(tiny, 2, coverage, **answers) == plain
    before = dict(coverage.points)
    rendered(tiny, 3, None, loud=True)
    assert coverage.points == before
