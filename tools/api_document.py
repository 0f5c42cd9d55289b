"""The wire contract as an OpenAPI document, for tools that make requests from one: of the service, and of Zendesk.

    PYTHONPATH=template:tools python -m api_document service

Each message is a schema of `template/schemas`; what a request has to prove may also be a name in braces, in whose place
whoever sends it puts what is true.
"""

from __future__ import annotations

import json
import sys
from typing import Any, NamedTuple

from sandbox import wire

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
URN = "urn:zendesk-channel:schema:"
PROOFS = ("metadata", "instance_metadata", "instance_push_id")


class Operation(NamedTuple):
    """What is posted where, and in which form."""

    path: str
    message: str
    content_type: str = FORM
    method: str = "post"


SERVICE = (
    Operation("/channel/admin_ui", "admin-ui-request"),
    Operation("/channel/pull", "pull-request"),
    Operation("/channel/channelback", "channelback-request"),
    Operation("/channel/clickthrough", "clickthrough-request", method="get"),
    Operation("/channel/event_callback", "event-callback", JSON),
    Operation("/channel/proxy/set_helpful", "proxy-request"),
)
ZENDESK = (
    Operation("/api/v2/any_channel/push", "push-request", JSON),
    Operation("/api/v2/any_channel/push.json", "push-request", JSON),
    Operation("/api/v2/any_channel/validate_token", "validate-token-request", JSON),
    Operation("/api/v2/any_channel/report_error", "report-error-request", JSON),
    Operation("/zendesk/channels/integration_service_instances/editor_finalizer", "admin-ui-return"),
)
SIDES = {"service": SERVICE, "zendesk": ZENDESK}


def api_document(side: str) -> dict[str, Any]:
    """Describe one side's endpoints."""
    paths: dict[str, Any] = {}
    for operation in SIDES[side]:
        described: dict[str, Any] = {"responses": {"default": {"description": "Any answer"}}}
        if operation.method == "get":
            described["parameters"] = _parameters(operation.message)
        else:
            schema = {"$ref": f"#/components/schemas/{operation.message}"}
            described["requestBody"] = {
                "required": True,
                "content": {operation.content_type: {"schema": schema}},
            }
        paths[operation.path] = {operation.method: described}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Channel framework: {side}", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": {
                name: _whole(name, wire.schema(name))
                for name in sorted({operation.message for operation in SIDES[side]})
            }
        },
    }


def _parameters(message: str) -> list[dict[str, Any]]:
    schema = wire.schema(message)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": _whole(message, rule),
        }
        for name, rule in schema["properties"].items()
    ]


def _whole(name: str, part: Any) -> Any:
    """Put what is referred to in the place of the reference: generators take few references, and none below `if`."""
    if isinstance(part, list):
        return [_whole(name, item) for item in part]
    if not isinstance(part, dict):
        return part
    if isinstance(target := part.get("$ref"), str):
        others, _, pointer = target.partition("#")
        other = others.removeprefix(URN) or name
        return _whole(other, wire.part_of(wire.schema(other), pointer))
    left_out = ("$id", "$schema", "$defs")
    whole = {key: _whole(name, item) for key, item in part.items() if key not in left_out}
    return whole | {"properties": _provable(whole["properties"])} if "properties" in whole else whole


def _provable(properties: dict[str, Any]) -> dict[str, Any]:
    """Let what proves a caller be true as well."""
    proven = {
        name: {"anyOf": [{"const": f"{{{name}}}"}, properties[name]]} for name in PROOFS if name in properties
    }
    return properties | proven


if __name__ == "__main__":
    print(json.dumps(api_document(sys.argv[1]), indent=2))  # noqa: T201
