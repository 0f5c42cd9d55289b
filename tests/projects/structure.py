"""What is true of every generated project, checked without an environment of its own."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml
from commands import run, tool
from leftovers import leftovers
from projects import ANSWERS_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from projects import Project

LONGEST_PATH = 150
NOT_IN_A_PATH = set('"<>:|?*\\')
MAY_BE_EMPTY = {"py.typed", "__init__.py"}
# Files whose own language has these braces: the service's pages, GitHub's expressions, and the templates of flows.
OWN_BRACES = re.compile(r"\.html$|^\.github/|^zis/bundle\.json$")
# CloudFormation's references to secrets look like expressions, too.
MARKERS = re.compile(r"\{\{(?!resolve:)|\{%|%\}|\{#|#\}")
CONFLICT = re.compile(r"^(<{7}|={7}|>{7}|\|{7})( |$)")
TRACES = re.compile(
    r"copier|cookiecutter|\bjinja\b|\bgenerated (by|from|with)\b|\b(this|our|the project) template\b",
    re.IGNORECASE,
)


def problems(project: Project) -> list[str]:
    """Return everything that is wrong, each as `path:line: what`."""
    return [problem for check in CHECKS for problem in check(project)]


def paths_fit_everywhere(project: Project) -> Iterator[str]:
    for name in project.files():
        if len(name) > LONGEST_PATH:
            yield f"{name}: {len(name)} characters are more than {LONGEST_PATH}"
        if odd := NOT_IN_A_PATH & set(name):
            yield f"{name}: holds {sorted(odd)}, which Windows cannot check out"
        if name.endswith(".jinja"):
            yield f"{name}: the suffix of an unrendered file"


def files_parse(project: Project) -> Iterator[str]:
    for ending in PARSERS:
        for name, text in project.texts(ending):
            if error := _error(ending, text):
                yield f"{name}: {error}"


# Most files are alike in all projects, and are read once here and below.
@cache
def _error(ending: str, text: str) -> str:
    try:
        PARSERS[ending](text)
    except (SyntaxError, ValueError, yaml.YAMLError) as error:
        return str(error)
    return ""


class _AnyTag(yaml.SafeLoader):
    """YAML with whatever tags a tool has of its own, such as GitLab's !reference."""


_AnyTag.add_multi_constructor("!", lambda _loader, _suffix, node: str(node))


def read_yaml(text: str) -> list[Any]:
    return list(yaml.load_all(text, Loader=_AnyTag))


PARSERS: dict[str, Callable[[str], Any]] = {
    ".py": ast.parse,
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": read_yaml,
    ".yml": read_yaml,
}


def no_marker_left(project: Project) -> Iterator[str]:
    # Python has braces of its own, in f-strings and nested literals; none of them holds the name of an answer.
    answers_in_braces = re.compile(rf"\{{%-? *\w+ |\{{\{{-? *({'|'.join(project.answers)})\b")
    for name, text in project.texts():
        searched = text if name == ANSWERS_FILE else _without_answers(project, text)
        pattern = answers_in_braces if name.endswith(".py") else MARKERS
        for number, line in enumerate(searched.splitlines(), 1):
            if CONFLICT.search(line):
                yield f"{name}:{number}: a conflict marker"
            if name != ANSWERS_FILE and not OWN_BRACES.search(name) and pattern.search(line):
                yield f"{name}:{number}: an unrendered expression: {line.strip()}"


def _without_answers(project: Project, text: str) -> str:
    """Take what the user typed out of a text: an origin may be called "{{ name }}"."""
    for value in project.answers.values():
        if isinstance(value, str) and MARKERS.search(value):
            for form in {value, json.dumps(value, ensure_ascii=False)[1:-1], value.replace("'", "\\'")}:
                text = text.replace(form, "")
    return text


def no_trace_of_the_generator(project: Project) -> Iterator[str]:
    for name, text in project.texts(".py", ".html", ".toml", ".sql"):
        if name.startswith(("src/", "tests/", "sandbox/")):
            for number, line in enumerate(text.splitlines(), 1):
                if TRACES.search(line):
                    yield f"{name}:{number}: speaks of how it was made: {line.strip()}"


def ends_are_tidy(project: Project) -> Iterator[str]:
    for name, text in project.texts():
        if not text.strip():
            if name.rpartition("/")[2] not in MAY_BE_EMPTY:
                yield f"{name}: empty"
            elif text:
                yield f"{name}: nothing but white space"
            continue
        if not text.endswith("\n") or text.endswith("\n\n"):
            yield f"{name}: does not end in exactly one line feed"
        if text.startswith("\n"):
            yield f"{name}:1: begins with an empty line"
        if "\r" in text or ("\t" in text and name.endswith((".py", ".toml", ".yaml", ".yml"))):
            yield f"{name}: carriage returns or tabs"


def lines_are_tidy(project: Project) -> Iterator[str]:
    for name, text in project.texts():
        most = 2 if name.endswith(".py") else 1
        empty = 0
        for number, line in enumerate(text.splitlines(), 1):
            empty = 0 if line else empty + 1
            if empty == most + 1:
                yield f"{name}:{number}: more than {most} empty line{'s' * (most > 1)} in a row"
            if line != line.rstrip():
                yield f"{name}:{number}: trailing white space"


def imports_resolve(project: Project) -> Iterator[str]:
    """Every import of the project's own modules names a module, and something that module has."""
    modules = {_module_name(name): name for name in project.files() if name.endswith(".py")}
    tops = {module.partition(".")[0] for module in modules}
    for module, name in modules.items():
        package = module if name.endswith("__init__.py") else module.rpartition(".")[0]
        for line, level, imported, member in _read(project.text(name)).imports:
            target = _absolute(package, level, imported)
            if target.partition(".")[0] not in tops or f"{target}.{member}" in modules:
                continue
            if target not in modules and not any(other.startswith(f"{target}.") for other in modules):
                yield f"{name}:{line}: imports {target}, which does not exist"
            elif member and (
                target not in modules or member not in _read(project.text(modules[target])).names
            ):
                yield f"{name}:{line}: imports {member} from {target}, which has none"


MOST_IMPORTS = 15
"""Modules of the project that one of them may import."""


def modules_import_few(project: Project) -> Iterator[str]:
    modules = {_module_name(name): name for name in project.files() if name.startswith(f"{project.source}/")}
    for module, name in modules.items():
        if name.endswith(".py"):
            package = module if name.endswith("__init__.py") else module.rpartition(".")[0]
            targets = {
                member if (member := f"{target}.{imported}") in modules else target
                for _, level, of, imported in _read(project.text(name)).imports
                if (target := _absolute(package, level, of)).partition(".")[0] == project.package
            }
            if len(targets) > MOST_IMPORTS:
                yield f"{name}: imports {len(targets)} modules of the project: {', '.join(sorted(targets))}"


MOST_LINES_OF_THE_APPLICATION = 39


def the_application_is_a_list(project: Project) -> Iterator[str]:
    name = f"{project.source}/app.py"
    (found,) = [
        node
        for node in ast.parse(project.text(name)).body
        if isinstance(node, ast.FunctionDef) and node.name == "create_app"
    ]
    lines = (found.end_lineno or found.lineno) - found.lineno + 1
    if lines > MOST_LINES_OF_THE_APPLICATION:
        yield f"{name}: create_app has {lines} lines"


def _module_name(path: str) -> str:
    return path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _absolute(package: str, level: int, module: str) -> str:
    if not level:
        return module
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - level + 1], *filter(None, [module])])


class _Module(NamedTuple):
    imports: list[tuple[int, int, str, str]]
    """Line, level, module, and the member or nothing."""
    names: set[str]
    """What the module has once it is imported."""
    constants: set[str]
    """Texts in its code."""


@cache
def _read(source: str) -> _Module:
    tree = ast.parse(source)
    imports = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [(node.lineno, 0, alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports += [(node.lineno, node.level, node.module or "", alias.name) for alias in node.names]
    constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return _Module(imports, set(_bound(tree.body)), {text for text in constants if isinstance(text, str)})


def _bound(statements: list[ast.stmt]) -> Iterator[str]:
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
        else:
            for node in ast.iter_child_nodes(statement):
                if isinstance(node, ast.expr):
                    yield from (
                        name.id
                        for name in ast.walk(node)
                        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
                    )
            for block in ("body", "orelse", "finalbody"):
                yield from _bound(getattr(statement, block, []))


# What everybody may import, or nobody.
IN_NO_LAYER = {"__init__", "__main__", "identity", "settings", "origin", "origin_protocol", "migrations"}


def every_module_has_its_layer(project: Project) -> Iterator[str]:
    """The project itself cannot demand it: its people add modules as they like."""
    (contract, *_) = project.configuration["tool"]["importlinter"]["contracts"]
    layered = {module.strip() for layer in contract["layers"] for module in layer.split("|")}
    modules = {
        name.split("/")[2].removesuffix(".py")
        for name in project.files()
        if name.startswith(f"{project.source}/") and name.endswith(".py")
    }
    for module in sorted((modules - IN_NO_LAYER) ^ layered):
        yield f"pyproject.toml: {module} is {'in no layer' if module in modules else 'a layer without module'}"


def every_translation_is_of_a_sentence(project: Project) -> Iterator[str]:
    """Those of a capability that was not chosen would be a trace of it."""
    within = f"{project.source}/"
    pages = "".join(text for name, text in project.texts(".html") if name.startswith(within))
    said = {
        constant
        for name, text in project.texts(".py")
        if name.startswith(within)
        for constant in _read(text).constants
    }
    for name, text in project.texts(".toml"):
        if name.startswith(within):
            for sentence in tomllib.loads(text):
                if sentence not in said and f'"{sentence}"' not in pages:
                    yield f"{name}: nobody says {sentence!r}"


def _ruff(project: Project, *arguments: str) -> Iterator[str]:
    ended = run(tool("ruff"), *arguments, "--no-cache", ".", folder=project.path, check=False)
    if ended.code:
        yield f"{ended.command}:\n{ended.output}"


CHECKS: list[Callable[[Project], Iterator[str]]] = [
    paths_fit_everywhere,
    files_parse,
    no_marker_left,
    no_trace_of_the_generator,
    ends_are_tidy,
    lines_are_tidy,
    imports_resolve,
    every_module_has_its_layer,
    modules_import_few,
    the_application_is_a_list,
    every_translation_is_of_a_sentence,
    leftovers,
    lambda project: _ruff(project, "check", "--output-format=concise"),
    lambda project: _ruff(project, "format", "--check", "--diff"),
]
