"""`copier update` brings a project of an earlier template up to date and keeps what its people did."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING, Any

import copier
import pytest
from commands import environment, git, run, tool
from projects import ANSWERS_FILE, PRESENT, Project, Template, copy_working_tree, release
from questionnaire import present_questionnaire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from questionnaire import Questionnaire

EARLIER = "v0.9.0"
CAPABILITIES = present_questionnaire().choices("capabilities")
PACKAGE = "template/src/{{ package_name }}"
OLD_LINE = "A line of the earlier template."


def make_earlier(repository: Path) -> None:
    """Turn the present template into one that lacks a file, has another, and says something more in three."""
    (repository / "template/.editorconfig").unlink()
    (repository / "template/NOTES.md").write_text(f"{OLD_LINE}\n", "utf-8")
    for name in (f"{PACKAGE}/origin.py", f"{PACKAGE}/core/database.py", "template/.env.example"):
        file = repository / name if (repository / name).exists() else repository / f"{name}.jinja"
        file.write_text(f"{file.read_text('utf-8')}# {OLD_LINE}\n", "utf-8")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, questionnaire: Questionnaire) -> Template:
    """A repository with an earlier and the present template, both released."""
    repository = tmp_path_factory.mktemp("history")
    copy_working_tree(repository)
    make_earlier(repository)
    release(repository, EARLIER)
    for name in ("template", "schemas"):
        shutil.rmtree(repository / name)
    copy_working_tree(repository)
    release(repository, PRESENT)
    return Template(repository, questionnaire)


def update_by_api(project: Project, **data: Any) -> None:
    copier.run_update(project.path, data=data, defaults=True, overwrite=True, quiet=True, unsafe=False)


def update_by_command(project: Project, **data: Any) -> None:
    given = [part for name, value in data.items() for part in ("--data", f"{name}={spell(value)}")]
    run(tool("copier"), "update", "--defaults", *given, folder=project.path)


def spell(value: Any) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, list) else str(value)


def generate_earlier(history: Template, folder: Path, **answers: Any) -> Project:
    project = history.copy(folder, {"origin_name": "Acme Reviews", **answers}, vcs_ref=EARLIER)
    assert project.recorded["_commit"] == EARLIER
    assert OLD_LINE in project.text("NOTES.md")
    project.commit("As generated")
    return project


def assert_no_conflict(project: Project) -> None:
    assert git(project.path, "ls-files", "--unmerged") == ""
    assert not list(project.path.glob("**/*.rej"))
    for name, text in project.texts():
        assert not re.search(r"^(<{7}|>{7}) ", text, re.MULTILINE), f"{name}:\n{text}"


OWN_FUNCTION = '''def stars(rating: int) -> str:
    """Our own way to show a rating."""
    return "*" * rating


'''


def edit_origin(project: Project) -> str:
    """Write OWN_FUNCTION into the project's module about the origin; return that module's path."""
    origin = f"{project.source}/origin.py"
    first_class = re.search(r"^(@.*\n)*class ", project.text(origin), re.MULTILINE)
    assert first_class
    source = project.text(origin)
    project.write(origin, source[: first_class.start()] + OWN_FUNCTION + source[first_class.start() :])
    return origin


def make_it_a_package(project: Project) -> str:
    """Split `origin.py` as docs/origin.md says; return the path of what has become of it."""
    text = project.text(f"{project.source}/origin.py")
    (project.path / project.source / "origin.py").unlink()
    package = f"{project.source}/origin/__init__.py"
    project.write(package, re.sub(r"^from \.(?=\w)", "from ..", text, flags=re.MULTILINE))
    project.write(f"{project.source}/origin/stars.py", f'"""Stars."""\n\n\n{OWN_FUNCTION.rstrip()}\n')
    return package


def edit_as_people_do(project: Project) -> dict[str, str]:
    """Change a project in five ways; return for each file what must still be there after an update."""
    origin = edit_origin(project)
    project.replace("pyproject.toml", "dependencies = [\n", 'dependencies = [\n  "feedparser>=6",\n')
    title, _, rest = project.text("README.md").partition("\n")
    project.write("README.md", f"# Reviews of our own\n{rest}\n## Who to ask\n\nThe reviews team.\n")
    project.write(f"{project.source}/stars.py", '"""Our own module."""\n')
    project.replace(".gitignore", ".venv/\n", ".venv/\n/notes/\n")
    project.commit("Our own work")
    assert title != "# Reviews of our own"
    return {
        origin: OWN_FUNCTION,
        "pyproject.toml": '  "feedparser>=6",\n',
        "README.md": "# Reviews of our own\n",
        f"{project.source}/stars.py": '"""Our own module."""\n',
        ".gitignore": "/notes/\n",
    }


@pytest.mark.parametrize("update", [update_by_api, update_by_command])
def test_an_update_keeps_what_people_did(
    update: Callable[..., None], history: Template, tmp_path: Path
) -> None:
    project = generate_earlier(history, tmp_path / "project")
    kept = edit_as_people_do(project)

    update(project)

    assert_no_conflict(project)
    assert project.recorded["_commit"] == PRESENT
    for name, passage in kept.items():
        assert passage in project.text(name), f"{name} lost {passage!r}"
    assert project.text("README.md").endswith("\n## Who to ask\n\nThe reviews team.\n")
    # What the template changed has arrived, also in the file that was edited.
    present = history.copy(tmp_path / "present", {"origin_name": "Acme Reviews"})
    for name, content in present.contents().items():
        if name not in kept:
            assert (project.path / name).read_bytes() == content, name
    assert not (project.path / "NOTES.md").exists()
    assert OLD_LINE not in project.text(f"{project.source}/origin.py")


@pytest.mark.parametrize("update", [update_by_api, update_by_command])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], CAPABILITIES),
        (["pull"], ["pull", "channelback", "dashboard"]),
        (["pull", "channelback"], ["push", "channelback", "event_callback"]),
        (CAPABILITIES, ["about"]),
    ],
    ids=lambda chosen: "+".join(chosen) or "nothing",
)
def test_an_update_that_changes_the_capabilities_is_complete(
    before: list[str], after: list[str], update: Callable[..., None], history: Template, tmp_path: Path
) -> None:
    project = generate_earlier(history, tmp_path / "project", capabilities=before)
    update(project, capabilities=after)

    assert_no_conflict(project)
    fresh = history.copy(tmp_path / "fresh", {"origin_name": "Acme Reviews", "capabilities": after})
    assert project.files() == fresh.files()
    for name, content in fresh.contents().items():
        assert (project.path / name).read_bytes() == content, name
    assert project.text(ANSWERS_FILE) == fresh.text(ANSWERS_FILE)


def test_an_origin_that_became_a_package_stays_one(history: Template, tmp_path: Path) -> None:
    project = generate_earlier(history, tmp_path / "project")
    origin = f"{project.source}/origin.py"
    package = make_it_a_package(project)
    project.commit("Our own work")
    own = project.text(package)

    update_by_command(project)

    assert_no_conflict(project)
    assert project.recorded["_commit"] == PRESENT
    assert project.text(package) == own
    assert not (project.path / origin).exists()


def test_a_capability_arrives_beside_what_people_did(history: Template, tmp_path: Path) -> None:
    project = generate_earlier(history, tmp_path / "project", capabilities=["about"])
    project.write(f"{project.source}/stars.py", '"""Our own module."""\n')
    project.replace("pyproject.toml", "dependencies = [\n", 'dependencies = [\n  "feedparser>=6",\n')
    project.commit("Our own work")

    update_by_command(project, capabilities=["pull", "about"])

    assert_no_conflict(project)
    assert project.text(f"{project.source}/stars.py") == '"""Our own module."""\n'
    assert '  "feedparser>=6",\n' in project.text("pyproject.toml")
    fresh = history.copy(
        tmp_path / "fresh", {"origin_name": "Acme Reviews", "capabilities": ["pull", "about"]}
    )
    assert set(fresh.files()) <= set(project.files())


@pytest.mark.parametrize("releases", [True, False], ids=["with releases", "before the first release"])
def test_a_project_of_the_readme_s_command_can_be_updated(releases: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """Copied from "$PWD": a relative path would be looked up in the project and never be found again."""
    clone = tmp_path / "clone"
    clone.mkdir()
    copy_working_tree(clone)
    make_earlier(clone)
    release(clone, EARLIER)
    if not releases:
        git(clone, "tag", "--delete", EARLIER)
    copy = '"$COPIER" copy --defaults -d origin_name="Acme Reviews" "$PWD" ../acme-reviews'
    run("bash", "-c", copy, folder=clone, env=environment(COPIER=str(tool("copier"))))
    project = Project(tmp_path / "acme-reviews", {"package_name": "acme_reviews"})
    assert project.recorded["_src_path"] == str(clone)
    kept = edit_as_people_do(project)

    shutil.rmtree(clone / "template")
    copy_working_tree(clone)
    release(clone, PRESENT)
    if not releases:
        git(clone, "tag", "--delete", PRESENT)
    update_by_command(project)

    assert_no_conflict(project)
    for name, passage in kept.items():
        assert passage in project.text(name), name
    assert (project.path / ".editorconfig").exists()
    assert not (project.path / "NOTES.md").exists()
