"""How each hosting target starts the service: command lines and environments, read out of the generated files."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import tomllib
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING, Any

import yaml
from documents import manual
from manifests import render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from projects import Project

CLOUD_RUN = {
    "PROJECT": "acme-prod",
    "REGION": "europe-west1",
    "IMAGE": "europe-west1-docker.pkg.dev/acme-prod/acme/acme:0a1b2c3",
    "PUBLIC_URL": "https://127.0.0.1:1",
}
"""What a person exports before filling in the files for Cloud Run."""


@dataclass(frozen=True)
class Process:
    """Something that a target starts, with the environment that stands in its files."""

    command: list[str]
    environment: dict[str, str]


Processes = dict[str, Process]


def image(project: Project) -> Process:
    """Return what the image starts, in the environment that it brings."""
    text = re.sub(r"(?m)^\s*#.*\n", "", project.text("deploy/Dockerfile")).replace("\\\n", " ")
    last_stage = text[text.rindex("FROM ") :]
    command = re.findall(r"(?m)^CMD (\[.*\])$", last_stage)[-1]
    words = [word for line in re.findall(r"(?m)^ENV (.+)$", last_stage) for word in shlex.split(line)]
    environment = dict(word.split("=", 1) for word in words)
    del environment["PATH"]
    return Process(json.loads(command), environment)


def compose(project: Project, dotenv: Mapping[str, str] | None = None) -> Processes:
    """Read the services that run the project's image and that start when .env says this."""
    services: dict[str, Any] = yaml.safe_load(project.text("deploy/compose.yaml"))["services"]
    told = dict(dotenv or {})
    profile = told.get("COMPOSE_PROFILES", "")
    base = image(project)
    return {
        name: Process(
            service.get("command", base.command),
            base.environment
            | told
            | {key: _filled_in(value, told) for key, value in service["environment"].items()},
        )
        for name, service in services.items()
        if service["image"] == project.answers["project_slug"]
        and profile in service.get("profiles", [profile])
    }


def compose_postgresql(project: Project) -> Processes:
    """Read the profile's services, told what docs/compose.md puts into .env for them."""
    (lines,) = re.findall(r"(?ms)^cat >> \.env <<END$\n(.*?)^END$", manual(project))
    return compose(project, dict(line.split("=", 1) for line in lines.splitlines()))


def _filled_in(value: str, dotenv: Mapping[str, str]) -> str:
    """Return what Compose puts in the place of `${NAME:-value}`."""
    return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: dotenv.get(found[1], found[2]), value)


def systemd(project: Project) -> Processes:
    """Read the unit that serves, and the environment that the installation script writes for it."""
    slug = str(project.answers["project_slug"])
    unit = project.text(f"deploy/systemd/{slug}.service")
    environment = dict(re.findall(r"(?m)^([A-Z_]+)=(.*)$", project.text(".env.example")))
    (database_url,) = re.findall(r"DATABASE_URL=(sqlite:[^|]+)", project.text("deploy/systemd/install.sh"))
    environment["DATABASE_URL"] = database_url.replace("$name", slug)
    environment |= dict(re.findall(r"(?m)^Environment=(\w+)=(.*)$", unit))
    (command,) = re.findall(r"(?m)^ExecStart=(.+)$", unit)
    return {"web": Process(shlex.split(command), environment)}


def systemd_postgresql(project: Project) -> Processes:
    """Read the units that serve and deliver, with what docs/systemd.md changes in their environment."""
    web = systemd(project)["web"]
    unit = project.text(f"deploy/systemd/{project.answers['project_slug']}-worker.service")
    (command,) = re.findall(r"(?m)^ExecStart=(.+)$", unit)
    (name, value) = re.findall(r"`(WORKER_INSIDE)=(\w+)` leaves", manual(project))[-1]
    environment = web.environment | {name: value}
    del environment["DATABASE_URL"]
    own = dict(re.findall(r"(?m)^Environment=(\w+)=(.*)$", unit))
    return {
        "web": Process(web.command, environment),
        "worker": Process(shlex.split(command), environment | own),
    }


def kubernetes(overlay: str) -> Callable[[Project], Processes]:
    """Read the deployments of an overlay as kustomize makes them; the secrets are made by hand."""

    def read(project: Project) -> Processes:
        manifests = render(project.path / "deploy/kubernetes/overlays" / overlay)
        settings = {one["metadata"]["name"]: one["data"] for one in manifests if one["kind"] == "ConfigMap"}
        base = image(project)
        processes = {}
        for one in manifests:
            if one["kind"] == "Deployment":
                (container,) = one["spec"]["template"]["spec"]["containers"]
                maps = [
                    source["configMapRef"]["name"]
                    for source in container["envFrom"]
                    if "configMapRef" in source
                ]
                environment = dict(base.environment)
                for name in maps:
                    environment |= settings[name]
                for each in container["env"]:
                    environment.pop(each["name"], None)
                environment |= {each["name"]: each["value"] for each in container["env"] if "value" in each}
                processes[one["metadata"]["name"]] = Process(container.get("args", base.command), environment)
        return processes

    return read


def fly(file: str) -> Callable[[Project], Processes]:
    def read(project: Project) -> Processes:
        fly = tomllib.loads(project.text(file))
        environment = image(project).environment | fly["env"]
        return {
            name: Process(shlex.split(command), environment) for name, command in fly["processes"].items()
        }

    return read


def cloud_run(project: Project) -> Processes:
    text = Template(project.text("deploy/cloud_run/service.yaml")).substitute(CLOUD_RUN)
    container = yaml.safe_load(text)["spec"]["template"]["spec"]["containers"][0]
    plain = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    # Cloud Run itself says at which port it will ask.
    port = {"PORT": str(container["ports"][0]["containerPort"])}
    base = image(project)
    return {"web": Process(base.command, base.environment | plain | port)}


def aws_lambda(project: Project) -> Processes:
    """Read the function that the stack makes, with the parameters that docs/aws_lambda.md fills in, and no secret."""
    stack = _stack(project)
    secret = dict.fromkeys(("DATABASE_URL", "SIGNING_KEYS", "SEALING_KEYS", "OPERATOR_PASSWORD"), "")
    environment = stack.environment(secret, DomainName="127.0.0.1:1", OriginUrl="https://api.example.com")
    # Lambda starts its runtime client with the handler, and tells it about the function.
    of_lambda = {"AWS_LAMBDA_FUNCTION_NAME": str(project.answers["project_slug"]), "PYTHONUNBUFFERED": "1"}
    handler = stack["Service"]["Handler"]
    return {"function": Process(["python", "-m", "awslambdaric", handler], environment | of_lambda)}


def _stack(project: Project) -> Any:
    """Return template.yaml as the project's own tests read it."""
    file = project.path / "tests/deploy/aws_lambda_stack.py"
    return runpy.run_path(str(file))["Stack"](project.path / "deploy/aws_lambda")
