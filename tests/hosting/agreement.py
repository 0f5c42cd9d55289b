"""Where the files of a hosting target, the service, .env.example and the documents contradict each other.

Everything is read as text, so that a target whose files nobody has foreseen is judged, too.
"""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from deployment_files import OF_THE_DEPLOYMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Files = dict[str, str]

DOCUMENTS = ("README.md", "SECURITY.md", "docs/")

NAME = re.compile(r"(?<![\w<$-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|\$\{?[A-Z][A-Z0-9_]+")
"""A name in capitals: with an underscore, or where its value is asked for."""

OF_TOOLS = re.compile(
    # Settings of programs that run beside the service, or build it.
    r"(COMPOSE|LITESTREAM|POSTGRES|UV|PYTHON|PYC|DOCKER)(_\w+)?|PATH|ROOT|EUID|MAKEFILE_LIST|ARTIFACTS_DIR"
    # What a person exports for zcli, and before filling in the files for Cloud Run.
    r"|ZENDESK_(API_TOKEN|OAUTH_TOKEN|SUBDOMAIN|EMAIL|DOMAIN)|ZIS_(CONNECTION_)?TOKEN|NODE_\w+|PROJECT|REGION|IMAGE"
    # Words of kernels, platforms and protocols.
    r"|AF_UNIX|AF_INET6?|NET_BIND_SERVICE|CAPABILITY_IAM|AWS(_PROXY)?|TLS_1_2|UNCHECKED_HASH|PLATFORM|INSTALL"
)
IN_ENV_EXAMPLE = re.compile(r"(?m)^(?:# )?([A-Z][A-Z0-9_]*)=")
OF_COMPOSE = re.compile(r"(COMPOSE|LITESTREAM|POSTGRES)_\w+")

PORT = re.compile(
    r"(?i)(?:port\w*[\"']?\s*[:=]\s*[\"']?|\bports? |(?:localhost|127\.0\.0\.1|0\.0\.0\.0|web):|EXPOSE |tcp:)(\d{2,5})\b"
)
# http, https, names, PostgreSQL, and the sandbox on a developer's machine.
OTHER_PORTS = {80, 443, 53, 5432, 8001, 8002}
# Those that a person opens for the sandbox alone.
SANDBOX = {8001, 8002}

ADDRESS = re.compile(r"(?:(?:localhost|127\.0\.0\.1|web|\.dev|\$PUBLIC_URL|\$PublicUrl|YOUR-HOST)(?::8000)?|^\s*path\s*[:=]\s*\"?|[`\"' ])(/[a-z][\w/]*)", re.MULTILINE)  # fmt: skip
OURS = ("/channel", "/ready", "/metrics", "/webhook", "/health")

PATH = re.compile(r"(?<![\w./])(?:\./)?deploy/[\w./*-]*[\w/*]")


class Service(NamedTuple):
    """What the code of a project offers."""

    settings: set[str]
    routes: set[str]
    commands: dict[str, set[str] | None]
    """Each command with its options; None where it hands on all that it is given."""
    port: int

    @classmethod
    @cache
    def of(cls, sources: frozenset[tuple[str, str]]) -> Service:
        trees = [ast.parse(text) for name, text in sorted(sources) if name.endswith(".py")]
        settings: set[str] = set()
        port = 0
        for each in _classes(trees):
            fields = {
                field.target.id: field.value
                for field in each.body
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
            }
            prefix = {"Settings": "", "OriginSettings": "ORIGIN_"}.get(each.name)
            if prefix is not None:
                settings |= {f"{prefix}{field}".upper() for field in fields}
            if each.name == "Settings":
                port = ast.literal_eval(fields["port"] or ast.Constant(0))
        calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
        routes = {
            str(call.args[0].value)
            for call in calls
            if _called(call) == "Route" and isinstance(call.args[0], ast.Constant)
        }
        return cls(settings, routes, dict(_commands(trees)), port)


def _classes(trees: list[ast.Module]) -> Iterator[ast.ClassDef]:
    return (node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))


def _called(call: ast.expr) -> str:
    return ast.unparse(call.func if isinstance(call, ast.Call) else call)


def _options(decorators: list[ast.expr]) -> set[str]:
    return {
        str(argument.value)
        for each in decorators
        if isinstance(each, ast.Call) and _called(each) == "click.option"
        for argument in each.args
        if isinstance(argument, ast.Constant)
    }


def _commands(trees: list[ast.Module]) -> Iterator[tuple[str, set[str] | None]]:
    for tree in trees:
        # Commands share an option by the name it is assigned to.
        shared = {
            ast.unparse(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)
        }
        for function in tree.body:
            if not isinstance(function, ast.FunctionDef):
                continue
            decorators = {_called(each): each for each in function.decorator_list}
            kind = next((name for name in decorators if re.fullmatch(r"\w+\.(command|group)", name)), "")
            if not kind:
                continue
            group = kind.partition(".")[0]
            made = decorators[kind]
            given = made.args if isinstance(made, ast.Call) else []
            called = str(ast.literal_eval(given[0])) if given else function.name
            name = called if group in ("click", "main") else f"{group} {called}"
            options = _options([shared.get(_called(each), each) for each in function.decorator_list])
            handed_on = isinstance(made, ast.Call) and any(
                word.arg == "context_settings" for word in made.keywords
            )
            yield name, None if handed_on else {*options, "--help"}


def sources(files: Files) -> frozenset[tuple[str, str]]:
    return frozenset((name, text) for name, text in files.items() if name.startswith("src/"))


def deployment(files: Files) -> Iterator[tuple[str, str]]:
    for name, text in files.items():
        if name.startswith((*OF_THE_DEPLOYMENT, *DOCUMENTS)):
            yield name, text


def names_agree(files: Files, service: Service, _slug: str) -> Iterator[str]:
    for name, text in deployment(files):
        for found in sorted({match.strip("${") for match in NAME.findall(text)}):
            if found not in service.settings and not OF_TOOLS.fullmatch(found):
                yield f"{name}: {found} is no setting"


def env_example_agrees(files: Files, service: Service, _slug: str) -> Iterator[str]:
    shown = set(IN_ENV_EXAMPLE.findall(files[".env.example"]))
    for name in sorted(service.settings - shown):
        yield f".env.example: {name} is not shown"
    for name in sorted(shown - service.settings):
        if not OF_COMPOSE.fullmatch(name):
            yield f".env.example: {name} is no setting"
        elif not any(
            name in text
            for file, text in files.items()
            if file.startswith("deploy/") or name == "COMPOSE_FILE"
        ):
            yield f".env.example: no file reads {name}"


def ports_agree(files: Files, service: Service, _slug: str) -> Iterator[str]:
    for name, text in deployment(files):
        allowed = OTHER_PORTS if name.startswith((*DOCUMENTS, ".env.example")) else OTHER_PORTS - SANDBOX
        for port in sorted(set(map(int, PORT.findall(text))) - allowed - {service.port}):
            yield f"{name}: nobody listens at port {port}"


def paths_agree(files: Files, service: Service, _slug: str) -> Iterator[str]:
    for name, text in deployment(files):
        for path in sorted({each.rstrip("/") for each in ADDRESS.findall(text)}):
            below = any(f"{route}/".startswith(f"{path}/") for route in service.routes)
            if not below and (
                path.startswith(OURS)
                or re.search(rf"(?m):8000{path}\b|^\s*path\s*[:=]\s*\"?{path}\"?$", text)
            ):
                yield f"{name}: {path} is no path of the service"


def commands_agree(files: Files, service: Service, slug: str) -> Iterator[str]:
    shell = re.compile(rf"(?<![\w.=:-]){slug} +([a-z][^\n|>&;)#`\"]*)")
    listed = re.compile(rf"[\"\[]{slug}\"?((?:, *\"?[a-z][\w-]*\"?)+)")
    for name, text in deployment(files):
        found = [each.split() for each in shell.findall(text)]
        found += [re.findall(r"[\w-]+", each) for each in listed.findall(text)]
        for words in found:
            if re.fullmatch(r"[a-z]+", words[0]):
                yield from (f"{name}: {said}" for said in _command(words, service))


def _command(words: list[str], service: Service) -> Iterator[str]:
    command = " ".join(words[:2]) if " ".join(words[:2]) in service.commands else words[0]
    groups = {each.partition(" ")[0] for each in service.commands if " " in each}
    if command not in service.commands or (command in groups):
        yield f"there is no command {' '.join(words[:2])}"
        return
    options = service.commands[command]
    for word in words[1:]:
        option = word.partition("=")[0]
        if options is not None and option.startswith("--") and option not in options:
            yield f"{command} has no option {option}"


def images_agree(files: Files, _service: Service, slug: str) -> Iterator[str]:
    """One image of our own, under one name; and no image of others in two versions."""
    own: dict[str, str] = {}
    others: dict[str, dict[str, str]] = {}
    for name, text in deployment(files):
        found = re.findall(r"(?m)^[\s-]*image: *\"?([^\s\"]+)|(?:^| )-t (\S+)|docker push (\S+)", text)
        images = ["".join(each) for each in found]
        images += re.findall(r"(?m)^FROM (\S+:\S+)", text)
        renamed = dict(re.findall(r"(?m)^ *(newName|newTag): *\"?([^\s\"]+)", text))
        if renamed:
            own[f"{renamed['newName']}:{renamed['newTag']}"] = name
        for image in images:
            repository, _, tag = image.partition(":")
            if slug in image or "$" in image:
                own[image] = name
            elif tag:
                others.setdefault(repository, {})[tag] = name
    if len(own) > 1:
        yield f"the image has several names: {own}"
    yield from (f"{image} in several versions: {tags}" for image, tags in others.items() if len(tags) > 1)


def files_agree(files: Files, _service: Service, _slug: str) -> Iterator[str]:
    texts = dict(deployment(files))
    for name, text in texts.items():
        for path in sorted(set(PATH.findall(text))):
            wanted = path.removeprefix("./").rstrip("/")
            if not any(fnmatch(each, wanted) or each.startswith(f"{wanted}/") for each in files):
                yield f"{name}: there is no {wanted}"
    for name in texts:
        others = [text for other, text in texts.items() if other != name]
        if name.startswith("deploy/") and not any(_named(name, text) for text in others):
            yield f"{name} is named nowhere"


def _named(name: str, text: str) -> bool:
    folder, _, file = name.rpartition("/")
    if file == "kustomization.yaml":
        # kustomize is given folders.
        return bool(re.search(rf"(?m)/?{re.escape(folder.rpartition('/')[2])}/?\"?$", text)) or folder in text
    patterns = [path for path in PATH.findall(text) if "*" in path]
    # SAM knows that a build by make has a Makefile.
    return file.lower() in text.lower() or any(fnmatch(name, pattern) for pattern in patterns)


CHECKS: dict[str, Callable[[Files, Service, str], Iterator[str]]] = {
    "names": names_agree,
    ".env.example": env_example_agrees,
    "ports": ports_agree,
    "paths": paths_agree,
    "commands": commands_agree,
    "images": images_agree,
    "files": files_agree,
}


def contradictions(files: Files, values: dict[str, Any]) -> list[str]:
    service = Service.of(sources(files))
    return [said for check in CHECKS.values() for said in check(files, service, values["project_slug"])]
