"""Kubernetes manifests, rendered and judged: by kustomize, by Kubernetes' schemas, by a linter, and by ourselves.

The schemas say which fields there are and of which type. What else the API server refuses, and what nobody refuses
although it cannot work, such as a selector that selects nothing, is found here.
"""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import kubernetes_validate  # type: ignore[import-untyped]
import yaml
from commands import run, tool
from kubernetes_validate import utils as kubernetes_schemas
from yamllint import linter  # type: ignore[import-untyped]
from yamllint.config import YamlLintConfig  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Manifest = dict[str, Any]

# Read anew for each manifest, these files take longer than all else.
kubernetes_schemas.schema_contents = cache(kubernetes_schemas.schema_contents)

# The oldest that a large provider still supports, and the newest that there is.
VERSIONS = ["1.34", "1.37"]

STYLE = YamlLintConfig(
    "{extends: default, rules: {document-start: disable, line-length: {max: 120}, braces: {max-spaces-inside: 0}}}"
)

LABEL = re.compile(r"([a-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
PORT_NAME = re.compile(r"(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|Ki|Mi|Gi|Ti|M|G|T)?")
TAGGED = re.compile(r"[a-z0-9.-]+(/[a-z0-9._-]+)+:(?!latest$)[A-Za-z0-9_][A-Za-z0-9_.-]*")

# Fields that take only certain words, which the schemas do not tell.
WORDS = {
    "pathType": {"Exact", "Prefix", "ImplementationSpecific"},
    "accessModes": {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"},
    "protocol": {"TCP", "UDP", "SCTP"},
    "policyTypes": {"Ingress", "Egress"},
    "restartPolicy": {"Always", "Never", "OnFailure"},
    "whenUnsatisfiable": {"DoNotSchedule", "ScheduleAnyway"},
    "unhealthyPodEvictionPolicy": {"AlwaysAllow", "IfHealthyBudget"},
    "fsGroupChangePolicy": {"Always", "OnRootMismatch"},
}
STRATEGIES = {"Recreate", "RollingUpdate"}
QUANTITIES = {"cpu", "memory", "storage", "sizeLimit"}


class RenderError(Exception):
    pass


def render(overlay: Path) -> list[Manifest]:
    """Raise RenderError with what kustomize says."""
    ended = run(tool("kubectl"), "kustomize", overlay, folder=overlay, check=False)
    if ended.code:
        raise RenderError(ended.output)
    return list(yaml.safe_load_all(ended.output))


def lint(file: Path) -> Iterator[str]:
    for problem in linter.run(file.read_text("utf-8"), STYLE, str(file)):
        yield f"yamllint: {file.name}:{problem.line}: {problem.message} ({problem.rule})"


def by_schema(manifest: Manifest) -> list[str]:
    """Return what the strict schemas of each version have against a manifest."""
    return [*_by_schema(json.dumps(manifest, sort_keys=True))]


@cache
def _by_schema(text: str) -> tuple[str, ...]:
    # Overlays and projects have most of their manifests in common.
    manifest = json.loads(text)
    complaints = []
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            place = ".".join(map(str, error.absolute_path))
            complaints.append(f"schema {version}: {_called(manifest)}: {place}: {error.message}")
        except kubernetes_validate.SchemaNotFoundError as error:
            complaints.append(f"schema {version}: {_called(manifest)}: {error.message}")
    return tuple(complaints)


def overlooked_by_schemas(manifests: list[Manifest], elsewhere: Iterable[tuple[str, str]]) -> list[str]:
    """Return what is wrong with manifests that are applied together, beside those objects that others make."""
    there = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests} | set(elsewhere)
    complaints: list[str] = []
    for manifest in manifests:
        found = chain(
            _spelling(manifest),
            _references(manifest, there),
            _namespace(manifest, manifests),
            _selectors(manifest, manifests),
            _ingress(manifest, manifests),
            _pod(manifest),
        )
        complaints += [f"{_called(manifest)}: {complaint}" for complaint in found]
    return complaints


def _called(manifest: Manifest) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every field of a manifest, however deep, once for each element of a list."""
    if isinstance(value, list):
        for element in value:
            yield from _fields(element)
    elif isinstance(value, dict):
        for name, inner in value.items():
            for one in inner if isinstance(inner, list) else [inner]:
                yield name, one
            yield from _fields(inner)


def _spelling(manifest: Manifest) -> Iterator[str]:
    metadata = manifest["metadata"]
    if not NAME.fullmatch(metadata["name"]):
        yield f"{metadata['name']!r} is no name"
    for name, value in _fields(manifest):
        if name in WORDS and value not in WORDS[name]:
            yield f"{name} cannot be {value!r}"
        if name in QUANTITIES and isinstance(value, str | int) and not QUANTITY.fullmatch(str(value)):
            yield f"{name}: {value!r} is no quantity"
        if name in ("labels", "matchLabels"):
            for key, label in value.items():
                if not LABEL.fullmatch(key) or (label and not LABEL.fullmatch(label)) or "/" in label:
                    yield f"{key}: {label} is no label"
        if name == "strategy" and value["type"] not in STRATEGIES:
            yield f"strategy cannot be {value['type']!r}"
        if name == "env" and "value" in value and "valueFrom" in value:
            yield f"{value['name']} has two values"


def _references(manifest: Manifest, there: set[tuple[str, str]]) -> Iterator[str]:
    referred = {
        "configMapRef": "ConfigMap",
        "configMapKeyRef": "ConfigMap",
        "secretRef": "Secret",
        "secretKeyRef": "Secret",
    }
    for name, value in _fields(manifest):
        wanted = None
        if name in referred:
            wanted = (referred[name], value["name"])
        elif name == "claimName":
            wanted = ("PersistentVolumeClaim", value)
        elif name == "secretName":
            wanted = ("Secret", value)
        elif name == "scaleTargetRef":
            wanted = (value["kind"], value["name"])
        if wanted and wanted not in there:
            yield f"there is no {wanted[0]} {wanted[1]}"


def _namespace(manifest: Manifest, manifests: list[Manifest]) -> Iterator[str]:
    namespaces = {one["metadata"]["name"] for one in manifests if one["kind"] == "Namespace"}
    if manifest["kind"] == "Namespace":
        if manifest["metadata"]["labels"].get("pod-security.kubernetes.io/enforce") != "restricted":
            yield "admits pods that are not restricted"
    elif manifest["metadata"].get("namespace") not in namespaces:
        yield f"lies in no namespace of {namespaces}"


def _template(manifest: Manifest) -> Manifest | None:
    """Return the pod that a manifest is, or makes."""
    if manifest["kind"] == "Pod":
        return manifest
    template: Manifest | None = manifest.get("spec", {}).get("template")
    return template


def _selectors(manifest: Manifest, manifests: list[Manifest]) -> Iterator[str]:
    pods = [pod["metadata"]["labels"] for one in manifests if (pod := _template(one))]
    spec, own = manifest.get("spec", {}), _template(manifest)
    if own:
        mine = [own["metadata"]["labels"]]
        if "selector" in spec and not _select(spec["selector"]["matchLabels"], mine):
            yield "its selector does not select its own pods"
        if "selector" in spec and _select(
            spec["selector"]["matchLabels"], [pod for pod in pods if pod not in mine]
        ):
            yield "its selector selects other pods"
        for spread in own["spec"].get("topologySpreadConstraints", []):
            if not _select(spread["labelSelector"]["matchLabels"], mine):
                yield f"spread over {spread['topologyKey']} selects other pods"
    selectors = {"Service": "selector", "PodDisruptionBudget": "selector", "NetworkPolicy": "podSelector"}
    if manifest["kind"] in selectors:
        selector = spec[selectors[manifest["kind"]]]
        labels = selector.get("matchLabels", {}) if manifest["kind"] != "Service" else selector
        if not _select(labels, pods):
            yield "selects no pod"
        offered = {port["name"] for port in _ports(manifests, labels)}
        asked = [port["targetPort"] for port in spec.get("ports", [])]
        asked += [port["port"] for rule in spec.get("ingress", []) for port in rule["ports"]]
        yield from (f"no pod has a port {port}" for port in asked if port not in offered)


def _select(labels: dict[str, str], pods: list[dict[str, str]]) -> bool:
    return any(labels.items() <= pod.items() for pod in pods)


def _ports(manifests: list[Manifest], labels: dict[str, str]) -> Iterator[Manifest]:
    for manifest in manifests:
        pod = _template(manifest)
        if pod and labels.items() <= pod["metadata"]["labels"].items():
            for container in pod["spec"]["containers"]:
                yield from container.get("ports", [])


def _ingress(manifest: Manifest, manifests: list[Manifest]) -> Iterator[str]:
    if manifest["kind"] != "Ingress":
        return
    services = {
        (one["metadata"]["name"], port["name"])
        for one in manifests
        if one["kind"] == "Service"
        for port in one["spec"]["ports"]
    }
    spec = manifest["spec"]
    secured = {host for entry in spec.get("tls", []) for host in entry["hosts"]}
    for rule in spec["rules"]:
        if not HOST.fullmatch(rule["host"]):
            yield f"{rule['host']!r} is no host"
        if rule["host"] not in secured:
            yield f"{rule['host']} has no certificate"
        for path in rule["http"]["paths"]:
            service = path["backend"]["service"]
            if (service["name"], service["port"].get("name")) not in services:
                yield f"{path['path']} leads to {service}, which is no Service"
            if not path["path"].startswith("/"):
                yield f"{path['path']!r} is no path"


def _pod(manifest: Manifest) -> Iterator[str]:
    pod = _template(manifest)
    if not pod:
        return
    spec = pod["spec"]
    volumes = {volume["name"] for volume in spec.get("volumes", [])}
    mounted = set()
    if spec.get("automountServiceAccountToken") is not False:
        yield "gets a token for the API server"
    yield from _confinement(spec)
    for container in spec["containers"]:
        ports = {port["name"] for port in container.get("ports", [])}
        yield from (f"{port!r} is no name of a port" for port in ports if not PORT_NAME.fullmatch(port))
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            if ports and kind not in container:
                yield f"has no {kind}"
            elif kind in container and container[kind]["httpGet"]["port"] not in ports:
                yield f"{kind} asks a port {container[kind]['httpGet']['port']} that is not there"
        mounts = {mount["name"] for mount in container.get("volumeMounts", [])}
        yield from (f"mounts {name}, which is no volume" for name in mounts - volumes)
        mounted |= mounts
        if not TAGGED.fullmatch(container["image"]):
            yield f"image {container['image']} names no registry, or no version"
        resources = container.get("resources", {})
        if not {"cpu", "memory"} <= resources.get("requests", {}).keys() or "memory" not in resources.get(
            "limits", {}
        ):
            yield f"{container['name']} does not say what it needs"
    yield from (f"volume {name} is mounted nowhere" for name in volumes - mounted)


def _confinement(spec: Manifest) -> Iterator[str]:
    """Yield what the pod security standard `restricted` refuses, and a file system that can be written."""
    whole = spec.get("securityContext", {})
    if whole.get("runAsNonRoot") is not True or not whole.get("runAsUser"):
        yield "may run as root"
    if whole.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "may use every system call"
    if {"hostNetwork", "hostPID", "hostIPC"} & spec.keys():
        yield "shares the host"
    for container in spec["containers"]:
        own = container.get("securityContext", {})
        if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
            yield "may get more rights"
        if own.get("capabilities") != {"drop": ["ALL"]}:
            yield "keeps capabilities"
        if own.get("readOnlyRootFilesystem") is not True:
            yield "may write everywhere"
