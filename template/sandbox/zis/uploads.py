"""Uploads of bundles: Zendesk checks neither whether a flow exists that is referred to, nor types of events."""

from typing import Any

from ..validate.rules import as_array, as_object
from .calls import RefusedError
from .flows import OPERATORS

TEMPLATE_VERSION = "2019-10-14"
_NEEDED = {
    "ZIS::Action::Http": {"name", "definition"},
    "ZIS::Flow": {"name", "definition"},
    "ZIS::JobSpec": {"name", "event_source", "event_type", "flow_name"},
}
_KNOWN = OPERATORS | {"And", "Or", "Not"}


def check(bundle: dict[str, Any], remarks: list[str]) -> None:
    """Raise RefusedError for what Zendesk does not take."""
    version = bundle.get("zis_template_version")
    if version == "2019-02-28":
        remarks.append("a real export has this version of the template, the documentation 2019-10-14 only")
    elif version != TEMPLATE_VERSION:
        raise RefusedError(
            400, "BundleValidationError: zis_template_version is invalid", f"write {TEMPLATE_VERSION}"
        )
    resources = bundle.get("resources")
    if not isinstance(bundle.get("name"), str) or not isinstance(resources, dict):
        raise RefusedError(400, "BundleValidationError: name and resources are required")
    seen = set()
    for key, resource in resources.items():
        properties = as_object(as_object(resource).get("properties"))
        kind, name = as_object(resource).get("type"), properties.get("name")
        if kind not in _NEEDED or not _NEEDED[kind] <= properties.keys():
            raise RefusedError(
                400, f"BundleValidationError: {key} is invalid", "its type, or a key is missing"
            )
        if (kind, name) in seen:
            raise RefusedError(400, "Bundle contains duplicated resources", f"{kind} {name} stands twice")
        seen.add((kind, name))
        if kind == "ZIS::Flow":
            _check_choices(properties["definition"])


def _check_choices(machine: Any) -> None:
    for name, state in as_object(as_object(machine).get("States")).items():
        for rule in as_array(as_object(state).get("Choices")):
            if not _KNOWN & as_object(rule).keys():
                raise RefusedError(
                    400,
                    f"BundleValidationError: {name}: And is required",
                    "the rule of the Choice has no operator that ZIS knows",
                )
        _check_choices(as_object(state).get("Iterator"))
