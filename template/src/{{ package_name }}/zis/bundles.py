"""Bundles: `zis/bundle.json` for one environment, and how it differs from what Zendesk has."""

import difflib
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .environments import DeploymentError, Environment

FILE = Path("zis", "bundle.json")
CONNECTION = "service"
"""The connection with which flows call this service."""

ADDED_BY_ZENDESK = frozenset({"uuid", "integration", "zendesk_account_id"})
_REFERENCE = re.compile(r"^zis:(?!common:)[a-z0-9_-]{1,64}:")


def bundle_for(environment: Environment, file: Path = FILE) -> dict[str, Any]:
    """Read the bundle, with the environment's integration in its references and its service in its actions."""
    try:
        document = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise DeploymentError(
            f"There is no {file} here. Run this command in the project's own folder."
        ) from None
    except ValueError as error:
        raise DeploymentError(f"{file} is no JSON: {error}.") from None
    if not isinstance(document, dict) or not isinstance(document.get("resources"), dict):
        raise DeploymentError(f"{file} is no bundle: it has no resources.")
    bundle: dict[str, Any] = _renamed(document, f"zis:{environment.integration}:")
    for properties in _of_kind(bundle, "ZIS::Action::Http"):
        action = properties.get("definition", {})
        if action.get("connectionName") == CONNECTION and "url" in action:
            parts = urlsplit(action["url"])
            action["url"] = action["url"].replace(
                f"{parts.scheme}://{parts.netloc}", environment.service_url, 1
            )
    return bundle


def job_specs_of(bundle: dict[str, Any]) -> list[str]:
    return [str(properties["name"]) for properties in _of_kind(bundle, "ZIS::JobSpec")]


def connections_of(bundle: dict[str, Any]) -> set[str]:
    """The connections without which a flow does not start."""
    actions = (properties.get("definition", {}) for properties in _of_kind(bundle, "ZIS::Action::Http"))
    return {str(action["connectionName"]) for action in actions if "connectionName" in action}


def difference(uploaded: dict[str, Any], local: dict[str, Any]) -> str:
    """Say line by line what an upload would change; empty if nothing."""
    before, after = (
        json.dumps(own(bundle), indent=2, sort_keys=True, ensure_ascii=False).splitlines()
        for bundle in (uploaded, local)
    )
    return "\n".join(difflib.unified_diff(before, after, "Zendesk", str(FILE), lineterm=""))


def own(bundle: dict[str, Any]) -> dict[str, Any]:
    """Leave out what Zendesk adds."""
    return {key: value for key, value in bundle.items() if key not in ADDED_BY_ZENDESK}


def _of_kind(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each["properties"] for each in bundle["resources"].values() if each.get("type") == kind]


def _renamed(value: Any, prefix: str) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(item, prefix) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, prefix) for item in value]
    return _REFERENCE.sub(prefix, value) if isinstance(value, str) else value
