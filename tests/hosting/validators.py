"""Each platform's own validator, as a function that says what is wrong with a file or a folder: nothing, when it is good."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import tomllib
from functools import cache, partial
from pathlib import Path
from string import Template as Text
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.runner import Runner
from commands import run
from hosting import lacking
from manifests import RenderError, by_schema, overlooked_by_schemas, render
from mistakes import program, schema
from platform_schemas import complaints
from samtranslator.public.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from projects import Project

# --- The image, Caddy, Compose, scripts, updates --------------------------------------------------

hadolint = partial(program, "hadolint", "--failure-threshold", "style")
caddy = partial(program, "caddy", "validate", "--adapter", "caddyfile", "--config")
caddy_format = partial(program, "caddy", "fmt", "--diff")
shellcheck = partial(program, "shellcheck", "--severity=style")
compose = partial(schema, builtin="vendor.compose-spec")
dependabot = partial(schema, builtin="vendor.dependabot")
renovate = partial(schema, builtin="vendor.renovate")

# --- systemd --------------------------------------------------------------------------------------

# The unit that Caddy's package brings, as far as ours changes it.
CADDY_SERVICE = """
[Service]
Type=notify
User=caddy
ExecStart=/usr/bin/caddy run --environ --config /etc/caddy/Caddyfile
ExecReload=/usr/bin/caddy reload --config /etc/caddy/Caddyfile --force
"""
UNITS = "deploy/systemd/"
CADDY_DROP_IN = f"{UNITS}caddy.conf"
SYSUSERS = f"{UNITS}sysusers.conf"


def require_systemd() -> None:
    """Its tools are enough: it need not have started the machine."""
    tools = ("systemctl", "systemd-analyze", "systemd-sysusers")
    if missing := [name for name in tools if not shutil.which(name)]:
        lacking(f"This machine has no {', '.join(missing)}: install the package systemd.")


def put_units(project: Project, root: Path, **changed: str) -> dict[str, str]:
    """Put the units below a root, with what they start. Give the name of the unit that each file is read with."""
    units = root / "etc/systemd/system"
    drop_ins = units / "caddy.service.d"
    drop_ins.mkdir(parents=True)
    (units / "caddy.service").write_text(CADDY_SERVICE, "utf-8")
    read_with = {}
    started = {"usr/bin/caddy"}
    for name in project.files():
        if name.startswith(UNITS) and name.endswith((".service", ".timer", ".conf")):
            text = changed.get(name, project.text(name))
            folder = drop_ins if name == CADDY_DROP_IN else units
            (folder / Path(name).name).write_text(text, "utf-8")
            started |= set(re.findall(r"(?m)^ExecStart=/(opt/\S+)", project.text(name)))
            if name != SYSUSERS:
                read_with[name] = "caddy.service" if name == CADDY_DROP_IN else Path(name).name
    for name in started:
        program = root / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n", "utf-8")
        program.chmod(0o755)
    return read_with


def systemd_verdict(root: Path, unit: str) -> str:
    """What systemd says to a unit: nothing, when it is good. Its exit code alone misses half of the mistakes."""
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", f"--root={root}", unit]
    ended = run(*command, folder=root, check=False)
    return ended.output or ("" if ended.code == 0 else f"exit code {ended.code}")


def systemd(project: Project, root: Path) -> dict[str, str]:
    """Return what systemd has against each file."""
    verdicts = {name: systemd_verdict(root, unit) for name, unit in put_units(project, root).items()}
    return {**verdicts, SYSUSERS: sysusers(project.path / SYSUSERS)}


def sysusers(file: Path) -> str:
    """Have systemd make the users of an empty machine, without doing so."""
    with tempfile.TemporaryDirectory() as root:
        ended = run("systemd-sysusers", "--dry-run", f"--root={root}", file, folder=file.parent, check=False)
    return ended.output if ended.code else ""


# --- Kubernetes -----------------------------------------------------------------------------------

# What docs/kubernetes.md makes by hand, what cert-manager makes, and what another overlay has brought.
BY_HAND = [("Secret", "keys")]
ELSEWHERE = {
    "sqlite": [*BY_HAND, ("Secret", "tls")],
    "postgresql": [*BY_HAND, ("Secret", "tls"), ("Secret", "database")],
    "migration": [*BY_HAND, ("Secret", "database")],
    "restore": [("PersistentVolumeClaim", "data")],
}


def kubernetes(project: Project, overlay: str) -> list[str]:
    """Return what is wrong with an overlay."""
    try:
        manifests = render(project.path / "deploy/kubernetes/overlays" / overlay)
    except RenderError as error:
        return [f"kustomize: {error}"]
    wrong = [complaint for manifest in manifests for complaint in by_schema(manifest)]
    # A manifest without the right shape cannot be read any further.
    return wrong or overlooked_by_schemas(manifests, ELSEWHERE[overlay])


# --- Fly.io and Google Cloud ----------------------------------------------------------------------


def fly(file: Path) -> str:
    try:
        return complaints("fly", tomllib.loads(file.read_text("utf-8")))
    except tomllib.TOMLDecodeError as error:
        return str(error)


FILLED_IN = {
    "PROJECT": "acme-prod",
    "REGION": "europe-west1",
    "IMAGE": "europe-west1-docker.pkg.dev/acme-prod/acme/acme:0a1b2c3",
    "PUBLIC_URL": "https://reviews.example.com",
}


class OneOfEach(yaml.SafeLoader):
    """Refuses a key that stands twice, of which PyYAML would take the last."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        keys = [key.value for key, _ in node.value]
        if len(set(keys)) < len(keys):
            raise yaml.composer.ComposerError(None, None, f"one of {keys} stands twice", node.start_mark)
        return node


def cloud_run(file: Path) -> str:
    try:
        # OneOfEach is a SafeLoader.
        document = yaml.load(Text(file.read_text("utf-8")).substitute(FILLED_IN), OneOfEach)  # noqa: S506
    except (yaml.YAMLError, KeyError) as error:
        return str(error)
    return complaints("cloud-run", document) or _sums(document)


def _sums(document: dict[str, dict[str, list[dict[str, int]]]]) -> str:
    """What no schema can say: the shares of all revisions make up all requests."""
    total = sum(target.get("percent", 0) for target in document["spec"].get("traffic", [{"percent": 100}]))
    return "" if total == 100 else f"traffic: {total} percent in all"


cloud_build = partial(schema, builtin="vendor.cloudbuild")

# --- AWS ------------------------------------------------------------------------------------------


REGION = "eu-central-1"


class NoPolicies:
    """Stands for the call to AWS by which SAM learns the names of its managed policies."""

    def load(self) -> dict[str, str]:
        return {}


@cache
def linter() -> Runner:
    """Return the linter with its rules, which take longer to load than to apply."""
    return Runner(ConfigMixIn(regions=[REGION]))


def sam(file: Path) -> str:
    """Translate and lint a stack, once its code is where `sam deploy` uploads it to."""
    stack = yaml_parse(file.read_text("utf-8"))
    for resource in stack["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        try:
            translated = transform(stack, {}, NoPolicies())
        except InvalidDocumentException as error:
            return "\n".join(cause.message for cause in error.causes)
    stack, unreadable = decode_str(json.dumps(translated))
    found = unreadable or linter().validate_template(stack)
    return "\n".join(f"{match.rule.id} {match.message}" for match in found)
