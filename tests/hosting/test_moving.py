"""A project moves from one hosting to another by `copier update` with another answer."""

from __future__ import annotations

import re
import stat
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from commands import environment, git, run, tool
from documents import manual, shell_blocks, under
from projects import ANSWERS_FILE, Project
from questionnaire import present_questionnaire
from terminal import DOWN, Terminal

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Generate
    from projects import Template

WAY = ["none", "compose", "systemd", "kubernetes", "fly", "cloud_run", "aws_lambda", "compose", "none"]

# What people change: a passage that stands once, and what they put there.
EDITS = {
    "README.md": ("# Acme Reviews for Zendesk\n", "# Reviews of our own\n"),
    ".env.example": ("# ORIGIN_TIMEOUT=15\n", "# ORIGIN_TIMEOUT=30\n# ORIGIN_TOKEN=\n"),
    "src/acme_reviews/settings.py": ("    port: int = 8000\n", "    port: int = 8000\n    token: str = ''\n"),
    "src/acme_reviews/origin.py": ("class OriginSettings(", "STARS = 5\n\n\nclass OriginSettings("),
    "pyproject.toml": ("dependencies = [\n", 'dependencies = [\n  "feedparser>=6",\n'),
    "deploy/Dockerfile": ("STOPSIGNAL SIGTERM\n", "LABEL vendor=acme\nSTOPSIGNAL SIGTERM\n"),
    "deploy/Caddyfile": ("\trequest_body {\n", "\tencode zstd\n\trequest_body {\n"),
}

# A file that each target has for itself, with what people may want to be otherwise.
OWN_FILES = {
    "compose": ("deploy/compose.yaml", "restart: unless-stopped", "restart: always"),
    "systemd": ("deploy/systemd/install.sh", "#!/bin/bash\n", "#!/bin/bash\n# Ours.\n"),
    "kubernetes": ("deploy/kubernetes/base/web.yaml", "memory: 512Mi", "memory: 1Gi"),
    "fly": ("fly.toml", 'size = "shared-cpu-1x"', 'size = "shared-cpu-2x"'),
    "cloud_run": ("deploy/cloud_run/service.yaml", "memory: 512Mi", "memory: 1Gi"),
    "aws_lambda": ("deploy/aws_lambda/template.yaml", "RetentionInDays: 30", "RetentionInDays: 90"),
}

BY_PEOPLE = {"deploy/notes.md": "Ask the reviews team.\n", "deploy/systemd/ours.conf": "[Unit]\n"}


def update(project: Project, **data: str) -> str:
    given = [part for name, value in data.items() for part in ("--data", f"{name}={value}")]
    return run(tool("copier"), "update", "--defaults", *given, folder=project.path).output


def edited(name: str, text: str) -> str:
    before, after = EDITS.get(name, ("", ""))
    return text.replace(before, after, 1)


def edit(project: Project) -> None:
    """Change what is there, and was not changed before."""
    for name, (before, after) in EDITS.items():
        if (project.path / name).exists() and after not in project.text(name):
            assert before in project.text(name), name
            project.write(name, edited(name, project.text(name)))


def modes(project: Project) -> dict[str, bool]:
    return {
        name: bool((project.path / name).stat().st_mode & stat.S_IXUSR)
        for name in project.files()
        if not (project.path / name).is_symlink()
    }


def empty_folders(project: Project) -> list[Path]:
    folders = [path for path in project.path.rglob("*") if path.is_dir() and ".git" not in path.parts]
    return [folder for folder in folders if not any(folder.iterdir())]


def test_the_way_arrives_at_every_target_and_leaves_it() -> None:
    targets = set(present_questionnaire().choices("hosting"))
    assert {arrival for _, arrival in pairwise(WAY)} == {left for left, _ in pairwise(WAY)} == targets
    assert set(OWN_FILES) == targets - {"none"}


@pytest.fixture(scope="module")
def fresh(template: Template, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    """A project for each target. Shared: never write into them."""
    folder = tmp_path_factory.mktemp("fresh")
    return {
        hosting: template.copy(folder / hosting, {"origin_name": "Acme Reviews", "hosting": hosting})
        for hosting in sorted(set(WAY))
    }


@pytest.mark.gate
def test_a_project_moves_through_every_target(fresh: dict[str, Project], generate: Generate) -> None:
    project = generate(hosting=WAY[0])
    project.commit("As generated")
    for name, text in BY_PEOPLE.items():
        project.write(name, text)
    for old, new in pairwise(WAY):
        edit(project)
        own = OWN_FILES.get(old)
        if own:
            project.write(own[0], project.text(own[0]).replace(*own[1:]))
            assert own[2] in project.text(own[0])
        project.commit(f"On {old}")

        said = update(project, hosting=new)

        way = f"from {old} to {new}"
        assert not [path for path in project.path.rglob("*.rej") if ".git" not in path.parts], way
        assert set(project.files()) == {*fresh[new].files(), *BY_PEOPLE}, way
        for name in fresh[new].files():
            expected = (fresh[new].path / name).read_bytes()
            # What comes with the new target is as generated, although people may have edited it in the past.
            if name in EDITS and name in fresh[old].files():
                expected = edited(name, expected.decode()).encode()
            assert (project.path / name).read_bytes() == expected, f"{name}, {way}"
        assert modes(project).items() >= modes(fresh[new]).items(), way
        assert {name: project.text(name) for name in BY_PEOPLE} == BY_PEOPLE, way
        assert empty_folders(project) == [], way
        if own:
            brought_back(project, said, *own)


def brought_back(project: Project, said: str, name: str, before: str, after: str) -> None:
    """A file that went although it was edited is listed, and comes back, by what Copier says to do."""
    (listing,) = re.findall(r"(?m)^ *list them +(git .+)$", said)
    (restoring,) = re.findall(r"(?m)^ *bring one back +(git .+)$", said)
    assert f"`{listing}`" in project.text("docs/updates.md")
    assert f"`{restoring}`" in project.text("docs/updates.md")
    assert name in run("bash", "-c", listing, folder=project.path).output.splitlines()
    run("bash", "-c", restoring.replace("FILE", name), folder=project.path)
    assert after in project.text(name)
    assert before not in project.text(name).replace(after, "")
    git(project.path, "rm", "--quiet", "--force", name)


def test_a_project_says_how_to_move(fresh: dict[str, Project]) -> None:
    for project in fresh.values():
        text = project.text("docs/updates.md")
        moving = text.partition("\n## Move to another hosting\n")[2].partition("\n## ")[0]
        assert "`uvx copier update --data hosting=NAME`" in moving
        for name in present_questionnaire().choices("hosting"):
            assert f"`{name}`" in moving
        for stays in ("SIGNING_KEYS", "SEALING_KEYS", "database", "DNS", "PUBLIC_URL", "SQLite"):
            assert stays in moving, stays
        assert "uvx copier update" in under(shell_blocks(manual(project)), "Update")[0]


def on_aws_lambda(generate: Generate) -> Project:
    project = generate(hosting="aws_lambda", capabilities=["pull", "about"])
    project.commit("As generated")
    return project


def push_is_refused(project: Project, *arguments: str) -> None:
    before = project.contents(), project.text(ANSWERS_FILE)
    ended = run(tool("copier"), "update", *arguments, folder=project.path, check=False)
    assert ended.code
    said = " ".join(ended.output.split())
    assert "Choose another hosting, such as cloud_run or fly, or leave push out" in said
    assert "AWS Lambda runs nothing between requests" in said
    assert (project.contents(), project.text(ANSWERS_FILE)) == before
    assert git(project.path, "status", "--porcelain") == ""


def test_push_cannot_come_to_a_project_on_aws_lambda(generate: Generate, tmp_path: Path) -> None:
    """Copier alone would put the default hosting in the place of an answer that is no longer allowed."""
    project = on_aws_lambda(generate)
    push_is_refused(project, "--defaults", "--data", "capabilities=[pull, push]")
    data = tmp_path / "answers.yml"
    data.write_text("capabilities: [pull, push]\n", "utf-8")
    push_is_refused(project, "--defaults", "--data-file", str(data))


def test_push_comes_together_with_another_hosting(generate: Generate) -> None:
    project = on_aws_lambda(generate)
    update(project, hosting="fly", capabilities="[pull, push]")
    assert project.recorded["hosting"] == "fly"
    assert project.recorded["capabilities"] == ["pull", "push"]
    fresh = generate(hosting="fly", capabilities=["pull", "push"])
    assert project.contents() == fresh.contents()


def test_a_project_that_pushes_stays_where_it_is(generate: Generate) -> None:
    """Neither answer gives way to the other."""
    project = generate(hosting="compose", capabilities=["push"])
    project.commit("As generated")
    push_is_refused(project, "--defaults", "--data", "hosting=aws_lambda")


def test_an_update_without_a_change_keeps_aws_lambda(generate: Generate) -> None:
    project = on_aws_lambda(generate)
    before = project.contents()
    update(project)
    assert project.recorded["hosting"] == "aws_lambda"
    assert project.contents() == before


def test_the_form_offers_another_hosting_when_push_is_ticked(generate: Generate, tmp_path: Path) -> None:
    """A person at the form reads the reason at the choice, and cannot take it."""
    project = on_aws_lambda(generate)
    terminal = Terminal(
        str(tool("copier")),
        *("update", "--data", "capabilities=[pull, push]"),
        folder=project.path,
        env=environment(HOME=str(tmp_path)),
    )
    try:
        for question in ("Origin name.", "Project slug.", "Package name.", "Author."):
            terminal.answer(question)
        terminal.answer("Author's e-mail.")
        terminal.answer("Integration id.")
        terminal.answer("Follow-up tickets.")
        terminal.answer("Origin.")
        terminal.read("aws_lambda - AWS Lambda with PostgreSQL (Choose another hosting, such as")
        terminal.read("nothing between requests.)")
        # From compose downwards; the next one after cloud_run is `none`.
        terminal.type(DOWN * 5 + "\r")
        terminal.answer("Public URL.")
        terminal.answer("Continuous integration.")
        terminal.read("is up to date")
        assert terminal.end() == 0
    finally:
        terminal.close()
    assert project.recorded["hosting"] == "none"
