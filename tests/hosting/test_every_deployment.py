"""Every target's files pass its validators, whatever capabilities a project has."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatch
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from commands import environment, run, tool
from deployment_files import OF_THE_DEPLOYMENT, DeploymentFiles, every_answer
from manifests import lint
from projects import Project
from questionnaire import present_questionnaire
from validators import (
    ELSEWHERE,
    caddy,
    caddy_format,
    cloud_build,
    cloud_run,
    compose,
    dependabot,
    fly,
    hadolint,
    kubernetes,
    renovate,
    require_systemd,
    sam,
    shellcheck,
    systemd,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from projects import Template

HOSTINGS = present_questionnaire().choices("hosting")


def litestream(file: Path) -> str:
    env = environment(LITESTREAM_REPLICA_URL="s3://bucket/path?endpoint=https://s3.example.com")
    ended = run(tool("litestream"), "databases", "-config", file, folder=file.parent, env=env, check=False)
    return ended.output if ended.code else ""


def makefile(file: Path) -> str:
    ended = run("make", "--dry-run", "--makefile", file, "build-Service", folder=file.parent, check=False)
    return ended.output if ended.code else ""


def yamllint(file: Path) -> str:
    return "\n".join(lint(file))


def toml(file: Path) -> str:
    try:
        tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        return str(error)
    return ""


def python(file: Path) -> str:
    ended = run(tool("ruff"), "check", "--isolated", "--quiet", file, folder=file.parent, check=False)
    return ended.output if ended.code else ""


def lines(file: Path) -> str:
    """Judge what is read line by line: names with values, and comments."""
    wrong = [
        line
        for line in file.read_text("utf-8").splitlines()
        if line and not line.startswith("#") and not line.partition("=")[0].isupper()
    ]
    return "\n".join(wrong)


# The first pattern that fits judges a file.
BY_FILE: dict[str, list[Callable[[Path], str]]] = {
    "deploy/Dockerfile": [lambda file: hadolint(file=file)],
    "deploy/Caddyfile": [lambda file: caddy(file=file), lambda file: caddy_format(file=file)],
    "deploy/compose.yaml": [compose],
    "deploy/litestream.yml": [litestream],
    "deploy/systemd/*.sh": [lambda file: shellcheck(file=file)],
    "deploy/systemd/*.py": [python],
    "deploy/kubernetes/*.yaml": [yamllint],
    "deploy/kubernetes/*.env": [lines],
    "fly.toml": [fly],
    "deploy/fly.*.toml": [fly],
    "deploy/cloud_run/cloudbuild.yaml": [cloud_build],
    "deploy/cloud_run/*.yaml": [cloud_run],
    "deploy/aws_lambda/template.yaml": [sam],
    "deploy/aws_lambda/samconfig.toml": [toml],
    "deploy/aws_lambda/Makefile": [makefile],
    ".env.example": [lines],
    ".github/dependabot.yml": [dependabot],
    "renovate.json": [renovate],
}

# Read together with others; .dockerignore has no other judge than the project's own tests.
WITHOUT_JUDGE = (
    "deploy/systemd/*.service",
    "deploy/systemd/*.timer",
    "deploy/systemd/*.conf",
    ".dockerignore",
)


def judged_together(hosting: str, project: Project, root: Path) -> Iterator[str]:
    if hosting == "kubernetes":
        for overlay in ELSEWHERE:
            yield from (f"{overlay}: {said}" for said in kubernetes(project, overlay))
    if hosting == "systemd":
        require_systemd()
        yield from (f"{unit}: {said}" for unit, said in systemd(project, root).items() if said)


def complaints(deployment: DeploymentFiles, hosting: str, folder: Path) -> list[str]:
    """Judge each different text of a target once, and each different set of texts that are read together."""
    said: dict[tuple[str, str], str] = {}
    found: list[str] = []
    together: set[frozenset[tuple[str, str]]] = set()
    for number, (contents, answers) in enumerate(deployment.distinct(hosting).items()):
        project = Project(folder / str(number))
        for name, text in contents:
            project.write(name, text)
        for name, text in sorted(contents - said.keys()):
            judges = next((judges for pattern, judges in BY_FILE.items() if fnmatch(name, pattern)), [])
            said[name, text] = "\n".join(filter(None, (judge(project.path / name) for judge in judges)))
            found += [f"{name} with {answers}: {said[name, text]}"] * bool(said[name, text])
        own = frozenset(each for each in contents if each[0].startswith(f"deploy/{hosting}/"))
        if own not in together:
            together.add(own)
            root = folder / f"root-{number}"
            found += [f"{each} with {answers}" for each in judged_together(hosting, project, root)]
    return found


@pytest.fixture
def deployment(template: Template) -> DeploymentFiles:
    return DeploymentFiles(template)


@pytest.mark.parametrize("hosting", HOSTINGS)
def test_a_target_passes_its_validators_with_all_capabilities(
    hosting: str, deployment: DeploymentFiles, tmp_path: Path
) -> None:
    assert complaints(deployment, hosting, tmp_path) == []


def test_every_file_has_a_validator(deployment: DeploymentFiles) -> None:
    known = [*BY_FILE, *WITHOUT_JUDGE]
    used = set()
    for _, values in chain.from_iterable(map(every_answer, HOSTINGS)):
        for name in deployment.rendered(values):
            fitting = [pattern for pattern in known if fnmatch(name, pattern)]
            assert fitting, name
            used.add(fitting[0])
    assert used == set(known)


@pytest.mark.parametrize("hosting", HOSTINGS)
def test_the_files_are_those_that_copier_writes(
    hosting: str, deployment: DeploymentFiles, template: Template, tmp_path: Path
) -> None:
    # Another selection of capabilities for each target, from one that has few to one that has many.
    every = every_answer(hosting)
    answers, values = every[(HOSTINGS.index(hosting) + 1) * len(every) // (len(HOSTINGS) + 1)]
    project = template.copy(tmp_path / "project", answers)
    written = {name: text for name, text in project.texts() if name.startswith(OF_THE_DEPLOYMENT)}
    assert deployment.rendered(values) == written


# Mistakes that only few sets of capabilities let appear.
RARE = [
    ("compose", "deploy/compose.yaml.jinja", "{% if push and not pull %}\nrestart: always\n{% endif %}"),
    ("kubernetes", "deploy/kubernetes/overlays/postgresql/worker.yaml.jinja", "{% if event_callback %}\nmore: 1\n{% endif %}"),
    ("fly", "fly.toml.jinja", "{% if about and not dashboard %}\n[http]\n{% endif %}"),
    ("cloud_run", "deploy/cloud_run/service.yaml.jinja", "{% if push and not pull %}\nextra: 1\n{% endif %}"),
    ("aws_lambda", "deploy/aws_lambda/template.yaml.jinja", "{% if not posts %}\n  More: {Type: None}\n{% endif %}"),
    ("systemd", "deploy/systemd/{{ project_slug }}-worker.service.jinja", "{% if not channelback %}\nNice=very\n{% endif %}"),
]  # fmt: skip


@pytest.mark.parametrize(("hosting", "file", "mistake"), RARE, ids=[hosting for hosting, *_ in RARE])
def test_a_mistake_of_a_rare_set_of_capabilities_is_seen(
    hosting: str, file: str, mistake: str, deployment: DeploymentFiles, tmp_path: Path
) -> None:
    deployment.texts[file] += mistake
    assert complaints(deployment, hosting, tmp_path)
