"""The template as its users get it, tagged in a repository of its own, and the projects made from it."""

from __future__ import annotations

import ast
import shutil
import subprocess
import tempfile
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import copier
import jinja2
import yaml
from commands import ROOT, Ended, environment, git, run, uv_binary
from copier._main import Worker
from questionnaire import present_questionnaire

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from questionnaire import Questionnaire

ANSWERS_FILE = ".copier-answers.yml"
PRESENT = "v1.0.0"
"""The working tree, where a repository holds it as a release."""

IMAGES = (".gif", ".ico", ".jpg", ".png", ".webp")
# What running a project leaves in it, beside what was generated.
BYPRODUCTS = {
    ".git",
    ".hypothesis",
    ".import_linter_cache",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".venv",
    "__pycache__",
    "uv.lock",
    "var",
}

# One for all projects of this process. `uv sync` removes what the project at hand did not ask for; what stays is
# compiled once and not for every project.
_VIRTUAL_ENVIRONMENT = tempfile.TemporaryDirectory(prefix="environment-")
# What mypy knows of the packages that all projects use.
_TYPES = tempfile.TemporaryDirectory(prefix="types-")

# What a pyproject.toml asks for and what that was resolved to: most projects ask for the same.
_LOCKS: dict[str, str] = {}


@dataclass(frozen=True)
class Project:
    """A generated project."""

    path: Path
    answers: dict[str, Any] = field(default_factory=dict)

    def files(self) -> list[str]:
        """Return the paths of what was generated, sorted, with forward slashes."""
        return sorted(
            relative.as_posix()
            for file in self.path.rglob("*")
            if not (relative := file.relative_to(self.path)).parts[0].startswith(".coverage")
            and not BYPRODUCTS & set(relative.parts)
            and not any(part.endswith(".egg-info") for part in relative.parts)
            and not file.is_dir()
        )

    def contents(self) -> dict[str, bytes]:
        """Return every generated file but the answers file, which names the template's own place."""
        return {name: (self.path / name).read_bytes() for name in self.files() if name != ANSWERS_FILE}

    def texts(self, *endings: str) -> Iterator[tuple[str, str]]:
        """Yield the name and text of every generated file that is no image."""
        for name in self.files():
            if name.endswith(endings or "") and not name.endswith(IMAGES):
                yield name, self.text(name)

    def text(self, name: str) -> str:
        return (self.path / name).read_text("utf-8")

    def write(self, name: str, text: str) -> None:
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Change one passage, which must be there exactly once."""
        text = self.text(name)
        assert text.count(old) == 1, f"{name} holds {old!r} {text.count(old)} times, not once"
        self.write(name, text.replace(old, new))

    def append(self, name: str, text: str) -> None:
        self.write(name, self.text(name) + text)

    @property
    def package(self) -> str:
        return str(self.answers["package_name"])

    @property
    def source(self) -> str:
        return f"src/{self.package}"

    @property
    def recorded(self) -> dict[str, Any]:
        recorded: dict[str, Any] = yaml.safe_load(self.text(ANSWERS_FILE))
        return recorded

    @cached_property
    def configuration(self) -> dict[str, Any]:
        return tomllib.loads(self.text("pyproject.toml"))

    def constants(self, name: str) -> dict[str, Any]:
        """Return the literal values that a module assigns at its top level."""
        found: dict[str, Any] = {}
        for statement in ast.parse(self.text(name)).body:
            if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(
                statement.value, ast.Constant
            ):
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                found |= {
                    target.id: statement.value.value for target in targets if isinstance(target, ast.Name)
                }
        return found

    def uv(
        self,
        *arguments: str,
        timeout: float = 300,
        check: bool = True,
        variables: Mapping[str, str] | None = None,
    ) -> Ended:
        __tracebackhide__ = True
        env = environment(
            UV_PROJECT_ENVIRONMENT=_VIRTUAL_ENVIRONMENT.name,
            MYPY_CACHE_DIR=_TYPES.name,
            **(variables or {}),
        )
        return run(uv_binary(), *arguments, folder=self.path, timeout=timeout, env=env, check=check)

    def copied(self, destination: Path) -> Project:
        """Return a copy, to be changed or run."""
        shutil.copytree(self.path, destination)
        return Project(destination, self.answers)

    def installed(self, destination: Path) -> Path:
        """Put the package where Python may find it beside what this process has."""
        shutil.copytree(self.path / "src", destination)
        note_installed(destination, self.answers)
        return destination

    def lock(self) -> None:
        """Write the project's uv.lock."""
        __tracebackhide__ = True
        asked = self.text("pyproject.toml")
        if asked not in _LOCKS:
            self.uv("lock")
            _LOCKS[asked] = self.text("uv.lock")
        self.write("uv.lock", _LOCKS[asked])

    def sync(self) -> None:
        """Make the virtual environment that of this project."""
        __tracebackhide__ = True
        self.lock()
        self.uv("sync", "--locked")

    def gate(self, timeout: float = 1500, variables: Mapping[str, str] | None = None) -> None:
        """Run everything that the project promises about itself, with its own dependencies and no others."""
        __tracebackhide__ = True
        self.uv("sync")
        self.uv("run", "poe", "gate", timeout=timeout, variables=variables)

    def commit(self, message: str) -> None:
        if not (self.path / ".git").exists():
            git(self.path, "init", "--quiet")
        git(self.path, "add", "--all")
        git(self.path, "commit", "--quiet", "--message", message)


_generate, _compile = jinja2.Environment._generate, jinja2.Environment.compile  # noqa: SLF001
_COMPILED: dict[Any, Any] = {}


def _compiled_once(environment: Any, source: Any, name: str | None = None, *rest: Any) -> Any:
    """Compile what Copier compiles anew for each project: every file of the template, and every path."""
    if not isinstance(source, str) or jinja2.Environment._generate is not _generate:  # noqa: SLF001
        # It is no text, or somebody measures how its code is made.
        return _compile(environment, source, name, *rest)
    # Environments that read alike have the same lexer. The first of the rest is a file's name, for tracebacks.
    key = (type(environment), environment.lexer, source, name, rest[1:])
    if key not in _COMPILED:
        _COMPILED[key] = _compile(environment, source, name, *rest)
    return _COMPILED[key]


jinja2.Environment.compile = _compiled_once  # type: ignore[assignment,method-assign]

# For each file Copier asks git whether it keeps track of executable bits. Here it does, and there is nothing to do.
Worker._sync_git_index_executable_bit = lambda *_: None  # type: ignore[method-assign] # noqa: SLF001


@dataclass(frozen=True)
class Template:
    """A git repository that holds the template at a tag."""

    path: Path
    questionnaire: Questionnaire

    def copy(
        self, destination: Path, answers: dict[str, Any], *, vcs_ref: str | None = None, defaults: bool = True
    ) -> Project:
        """Generate a project as `copier copy` does without --trust, from answers that are all meant.

        Raises RefusedError for an answer that Copier would take silently and use for nothing.
        """
        answered = self.questionnaire.answer(answers)
        worker = copier.run_copy(
            str(self.path),
            destination,
            data=answers,
            defaults=defaults,
            quiet=True,
            unsafe=False,
            vcs_ref=vcs_ref,
        )
        project = Project(destination, answered.values)
        assert worker.answers.hidden == answered.hidden
        for name in self.questionnaire.asked:
            if name not in answered.hidden:
                assert project.recorded[name] == answered.values[name], name
        return project

    def files(self) -> list[str]:
        """Return every file of the generated side of the template, with symbolic links followed."""
        return sorted(_files_below(self.path / "template", Path("template")))

    def rendered_path(self, name: str, answers: dict[str, Any]) -> str:
        """Return where a file of the template arrives in a project with these answers; nothing if it does not."""
        below = name.removeprefix("template/").removesuffix(".jinja")
        values = {**answers, "_copier_conf": {"answers_file": ANSWERS_FILE}}
        return rendered_path(self.questionnaire, below, values)


def rendered_path(form: Questionnaire, path: str, answers: dict[str, Any]) -> str:
    """Return a path as Copier renders it: where one part comes out empty, the file is left out."""
    parts = [form.render(part, answers) for part in path.split("/")]
    return "/".join(parts) if all(parts) else ""


def _files_below(folder: Path, name: Path) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files_below(entry, name / entry.name)
        else:
            yield (name / entry.name).as_posix()


def copy_working_tree(destination: Path) -> None:
    """Copy what git would take from the working tree: files it tracks, and new ones it does not ignore."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in sorted(set(filter(None, listed.split("\0")))):
        source = ROOT / name
        if source.is_symlink() or source.exists():
            target = destination / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)


def release(repository: Path, version: str) -> None:
    """Commit all of a repository's files, changed or not, and tag the commit."""
    if not (repository / ".git").exists():
        git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", f"Release {version}")
    git(repository, "tag", version)


def write_package(destination: Path, answers: dict[str, Any]) -> None:
    """Render the package alone, as it would lie below src/, so that Python finds it there."""
    form = present_questionnaire()
    values = form.answer(answers).values
    source = ROOT / "template" / "src"
    for file in sorted(source.rglob("*")):
        if file.is_file():
            path = rendered_path(form, file.relative_to(source).as_posix(), values)
            if not path:
                continue
            target = destination / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.suffix == ".jinja":
                target.with_suffix("").write_text(form.render(file.read_text("utf-8"), values), "utf-8")
            else:
                shutil.copyfile(file, target)
    note_installed(destination, values)


def note_installed(folder: Path, answers: dict[str, Any]) -> None:
    """Write what an installer notes beside a package, which tells its version by that."""
    notes = folder / f"{answers['package_name']}-0.1.0.dist-info"
    notes.mkdir()
    name = f"Name: {answers['project_slug']}"
    (notes / "METADATA").write_text(f"Metadata-Version: 2.1\n{name}\nVersion: 0.1.0\n", "utf-8")
