"""Configs: what an integration keeps for its flows, by scope."""

from typing import Any

from starlette.responses import JSONResponse, Response

from ..validate.rules import as_object
from .calls import Ask, RefusedError, page
from .model import Integration


def find(integration: Integration, ask: Ask) -> Response:
    found = integration.configs_of(ask.query.get("filter[scope]", "*"))
    if not found:
        raise RefusedError(404, "config not found")
    return page(ask, "configs", [{"scope": scope, "config": config} for scope, config in found.items()])


def add(integration: Integration, ask: Ask) -> Response:
    scope, config = ask.document.get("scope"), ask.document.get("config")
    if not isinstance(scope, str) or not scope or not isinstance(config, dict):
        raise RefusedError(400, "scope and config are required", "a text and an object")
    if scope in integration.configs:
        raise RefusedError(409, f"config {scope} already exists", "PUT replaces it")
    integration.configs[scope] = config
    return JSONResponse({"scope": scope, "config": config}, 201)


def replace(integration: Integration, ask: Ask) -> Response:
    integration.configs[_scope(integration, ask)] = _config(ask)
    return Response(status_code=204)


def patch(integration: Integration, ask: Ask) -> Response:
    integration.configs[_scope(integration, ask)] |= _config(ask)
    return Response(status_code=204)


def delete(integration: Integration, ask: Ask) -> Response:
    del integration.configs[_scope(integration, ask)]
    return Response(status_code=204)


def _config(ask: Ask) -> dict[str, Any]:
    return as_object(ask.document.get("config"))


def _scope(integration: Integration, ask: Ask) -> str:
    scope = str(ask.path["scope"])
    if scope not in integration.configs:
        raise RefusedError(404, "config not found")
    return scope
