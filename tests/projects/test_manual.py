"""The documents of a project and of the template: short, complete, and true."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from commands import ROOT
from documents import broken_links, pages
from hosting import COMPLETE, EVERYTHING

if TYPE_CHECKING:
    from pathlib import Path

    from projects import Project, Template

WIDEST = 120
# Programs that a project's `uv run` finds without an entry of its own.
INSTALLED = {"lint-imports", "poe", "pre-commit", "pytest"}

ANSWERS = {
    "default": {},
    "nothing": {"capabilities": [], "hosting": "none"},
    **{
        f"everything on {hosting}": {**answers, "channelback_files": True}
        for hosting, answers in COMPLETE.items()
    },
}


@pytest.fixture(scope="module", params=ANSWERS)
def project(
    request: pytest.FixtureRequest, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    answers = {**ANSWERS[request.param], "origin_name": "Acme Reviews"}
    return template.copy(tmp_path_factory.mktemp("project") / "project", answers)


def too_wide(texts: dict[str, str]) -> list[str]:
    return [
        f"{name}: {line}" for name, text in texts.items() for line in text.splitlines() if len(line) > WIDEST
    ]


def test_the_readme_fits_on_two_screens(project: Project) -> None:
    assert len(project.text("README.md").splitlines()) <= 130


def test_lines_are_short(project: Project) -> None:
    assert too_wide(pages(project)) == []


def test_links_lead_somewhere(project: Project) -> None:
    assert list(broken_links(pages(project), set(project.files()))) == []


def test_the_readme_leads_to_every_page(project: Project) -> None:
    texts = pages(project)
    seen: set[str] = set()
    found = {"README.md"}
    while found - seen:
        name = min(found - seen)
        seen.add(name)
        found |= {
            other
            for other in texts
            if re.search(rf"\((docs/)?{re.escape(other.removeprefix('docs/'))}[)#]", texts[name])
        }
    assert seen == set(texts)


def test_the_tree_is_the_projects_tree(project: Project) -> None:
    text = project.text("docs/architecture.md")
    tree = text.partition("```text\n")[2].partition("```")[0].splitlines()
    shown: dict[str, set[str]] = {}
    top = ""
    for line in tree:
        name = line.split()[0]
        if not line.startswith(" "):
            top = name
            shown[top] = set()
        elif not line.startswith("    "):
            shown[top].add(name)
    source = f"{project.source}/"
    assert shown[source] == entries(project, source) - {"__init__.py", "__main__.py", "py.typed"}
    assert shown["tests/"] <= entries(project, "tests/")
    assert all(entries(project, top) for top in shown)


def entries(project: Project, folder: str) -> set[str]:
    """Return what is directly in a folder; folders end in a slash."""
    below = [name.removeprefix(folder) for name in project.files() if name.startswith(folder)]
    return {name.partition("/")[0] + ("/" if "/" in name else "") for name in below}


def test_every_task_that_is_named_exists(project: Project) -> None:
    tasks = project.configuration["tool"]["poe"]["tasks"]
    scripts = project.configuration["project"]["scripts"]
    for name, text in pages(project).items():
        for command in re.findall(r"\buv run (?:--env-file \S+ )*([^\s`]+(?: [\w-]+)?)", text):
            program, _, argument = command.partition(" ")
            assert program in scripts or program in INSTALLED, f"{name}: {command}"
            assert program != "poe" or argument in tasks, f"{name}: {command}"


def test_only_updates_speak_of_how_the_project_was_made(project: Project) -> None:
    for name, text in pages(project).items():
        rest = text.partition("\n## Update\n")[0] if name == "README.md" else text
        if name != "docs/updates.md":
            assert not re.search(r"copier|\btemplate\b(?!\.yaml)", rest, re.IGNORECASE), name


def test_the_templates_own_readme_is_short_and_its_links_lead_somewhere() -> None:
    texts = {
        name: (ROOT / name).read_text("utf-8") for name in ("README.md", "SECURITY.md", "tests/README.md")
    }
    assert len(texts["README.md"].splitlines()) <= 220
    assert too_wide(texts) == []
    files = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.md") if ".venv" not in path.parts}
    assert list(broken_links(texts, files)) == []


def test_a_project_is_no_larger_than_the_readme_says(template: Template, tmp_path: Path) -> None:
    rows = re.findall(
        r"^\| (default answers|every capability) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|",
        (ROOT / "README.md").read_text("utf-8"),
        re.MULTILINE,
    )
    answers = {"default answers": {}, "every capability": {"capabilities": EVERYTHING}}
    assert {name for name, *_ in rows} == set(answers)
    for name, *limits in rows:
        project = template.copy(tmp_path / name, {"origin_name": "Acme Reviews", **answers[name]})
        lines = {file: lines_of(project.path / file) for file in project.files()}
        yours = [
            file
            for file in lines
            if file == f"{project.source}/origin.py" or file.startswith("tests/origin/")
        ]
        measured = [len(lines), sum(lines.values()), sum(lines[file] for file in yours)]
        assert all(
            found <= int(limit.replace(",", "")) for found, limit in zip(measured, limits, strict=True)
        ), f"{name}: {measured}"


def lines_of(file: Path) -> int:
    """A picture has none."""
    content = file.read_bytes()
    return 0 if b"\0" in content else len(content.splitlines())


def test_a_broken_link_is_seen() -> None:
    texts = {
        "README.md": "# A\n\n[b](docs/b.md#to-do) [c](docs/c.md) [a](#a)\n",
        "docs/b.md": "# B\n\n[a](../README.md#b)\n",
    }
    assert list(broken_links(texts, set(texts))) == [
        "README.md: docs/b.md has no heading #to-do",
        "README.md: there is no docs/c.md",
        "docs/b.md: README.md has no heading #b",
    ]
