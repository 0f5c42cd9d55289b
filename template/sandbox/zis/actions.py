"""What Action states do: an HTTP request of the bundle, or an action that Zendesk brings."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from .. import json_text
from . import jq, links
from .calls import RefusedError
from .data import filled, resolved, with_values
from .flows import Call, FlowError, Result
from .model import Connection, Integration

BUILT_IN = "zis:common:"
ZENDESK = "zendesk"
"""The connection by which flows call Zendesk's own API."""


@dataclass(frozen=True)
class Answer:
    status: int
    retry_after: str | None
    content: bytes


class NoAnswerError(Exception):
    """Nobody answered in time."""


Send = Callable[[str, str, dict[str, str], bytes, float], Awaitable[Answer]]
"""Sends method, URL, headers and body, and waits so many seconds. Raises NoAnswerError."""


@dataclass
class Actions:
    """The actions of one run, with what only Zendesk knows."""

    integration: Integration
    constants: dict[str, Any]
    """What every request may use in its templates beside its parameters."""
    zendesk: str
    """Where requests go that name only a path."""
    is_allowed: Callable[[str], bool]
    """Whether an address may be called that is not https."""
    send: Send
    remarks: list[str]

    async def perform(self, call: Call) -> Result:
        if not call.action.startswith(BUILT_IN):
            return Result(await self._request(call))
        parameters = call.parameters or {}
        match call.action.removeprefix(BUILT_IN):
            case "action:LoadConfig":
                return Result(self._config(_needed(parameters, "scope")))
            case "action:PatchConfig":
                config = self._config(_needed(parameters, "scope"))
                config.update(_needed(parameters, "config"))
                return Result(None, is_nothing=True)
            case "transform:Jq":
                return Result(await self._filtered(_needed(parameters, "expr"), _needed(parameters, "data")))
            case name:
                return self._linked(name, parameters)

    def _config(self, scope: str) -> dict[str, Any]:
        """Return the first config of a scope, in which * stands for anything."""
        for config in self.integration.configs_of(scope).values():
            return config
        raise FlowError("States.Runtime", f"there is no config of the scope {scope}")

    def _linked(self, name: str, parameters: dict[str, Any]) -> Result:
        try:
            match name:
                case "action:CreateLink":
                    return Result(links.create(self.integration, parameters))
                case "action:LoadLinks":
                    return Result({"links": links.load(self.integration, parameters)})
                case "action:PatchLink":
                    return Result(links.patch(self.integration, parameters))
                case "action:DeleteLink":
                    links.delete(self.integration, parameters)
                    return Result(None, is_nothing=True)
        except RefusedError as error:
            raise FlowError("States.Runtime", str(error)) from None
        raise FlowError("States.Runtime", f"the sandbox has no action {BUILT_IN}{name}")

    async def _filtered(self, filter_: str, data: Any) -> Any:
        try:
            return await jq.first_result(filter_, json_text.read(data) if isinstance(data, str) else data)
        except (jq.FilterError, ValueError) as error:
            raise FlowError("States.Runtime", f"jq: {error}") from None

    async def _request(self, call: Call) -> Any:
        definition = self.integration.definition("ZIS::Action::Http", call.action.rpartition(":")[2])
        if definition is None:
            raise FlowError("States.Runtime", f"no bundle has the action {call.action}")
        given = call.data if call.parameters is None else call.parameters
        data = {**self.constants, **given} if isinstance(given, dict) else given
        url = self._url(definition, data)
        if not url.startswith(("https://", f"{self.zendesk}/")) and not self.is_allowed(url):
            raise FlowError("States.Runtime", f"{url} is not secure: write https")
        headers = dict(_pairs(definition.get("headers", []), data))
        is_own = "path" in definition or "path.$" in definition
        if connection := self._connection(definition.get("connectionName", ZENDESK if is_own else "")):
            if not is_own:
                _refuse_elsewhere(connection, url)
            headers[connection.header] = connection.value
        content, kind = self._body(definition, data)
        if kind and "content-type" not in {name.lower() for name in headers}:
            headers["content-type"] = kind
        try:
            answer = await self.send(definition["method"], url, headers, content, call.seconds)
        except NoAnswerError as error:
            # Zendesk's requests leave through a proxy, which answers for a service that does not.
            raise FlowError("States.Runtime", f"external action failed: {error}", status=502) from None
        if not 200 <= answer.status < 300:
            raise FlowError(
                "States.Runtime",
                f"external action failed due to status code: {answer.status}",
                status=answer.status,
                retry_after=answer.retry_after,
            )
        return _json(answer.content)

    def _url(self, definition: dict[str, Any], data: Any) -> str:
        match {key: definition[key] for key in ("url", "url.$", "path", "path.$") if key in definition}:
            case {"url": text} | {"url.$": text}:
                address = str(resolved(text, data))
            case {"path": text} | {"path.$": text}:
                address = self.zendesk + str(resolved(text, data))
            case _:
                raise FlowError("States.Runtime", "the action has neither url nor path")
        query = urlencode(_pairs(definition.get("queryParams", []), data))
        return f"{address}{'&' if '?' in address else '?'}{query}" if query else address

    def _connection(self, name: str) -> Connection | None:
        return next((each for each in self.integration.connections if each.name == name), None)

    def _body(self, definition: dict[str, Any], data: Any) -> tuple[bytes, str | None]:
        if "requestBody.$" in definition:
            body = resolved(definition["requestBody.$"], data)
        elif "requestBody" in definition:
            if _has_path_keys(definition["requestBody"]):
                self.remarks.append(
                    "a key that ends in .$ inside of requestBody: one integration saw it fail; use {{ }}"
                )
            body = with_values(definition["requestBody"], data)
        else:
            return b"", None
        if isinstance(body, str):
            return body.encode(), None
        return json.dumps(body, ensure_ascii=False).encode(), "application/json"


def _refuse_elsewhere(connection: Connection, url: str) -> None:
    host, allowed = urlsplit(url).hostname or "", connection.allowed_domain.lower()
    if host != allowed and not host.endswith(f".{allowed}"):
        raise FlowError(
            "States.Runtime",
            f"the connection {connection.name} is for {connection.allowed_domain}, not for {host}",
        )


def missing_connection(integration: Integration, flow: dict[str, Any]) -> str | None:
    """Return the first connection that the flow's actions name and nobody made."""
    there = {connection.name for connection in integration.connections}
    for action in _actions(flow):
        definition = integration.definition("ZIS::Action::Http", action.rpartition(":")[2]) or {}
        if (name := definition.get("connectionName")) and name not in there:
            return str(name)
    return None


def _actions(flow: dict[str, Any]) -> list[str]:
    found = []
    for state in flow["States"].values():
        found += [state["ActionName"]] if "ActionName" in state else []
        found += _actions(state["Iterator"]) if "Iterator" in state else []
    return found


def _pairs(pairs: Any, data: Any) -> list[tuple[str, str]]:
    if isinstance(pairs, dict):
        return [(key, filled(str(value), data)) for key, value in pairs.items()]
    return [
        (
            pair["key"],
            str(resolved(pair["value.$"], data) if "value.$" in pair else filled(pair["value"], data)),
        )
        for pair in pairs
    ]


def _has_path_keys(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_has_path_keys, value))
    return isinstance(value, dict) and any(
        key.endswith(".$") or _has_path_keys(inner) for key, inner in value.items()
    )


def _json(content: bytes) -> Any:
    try:
        return json_text.read(content) if content else {}
    except ValueError:
        return content.decode(errors="replace")


def _needed(parameters: dict[str, Any], name: str) -> Any:
    if name not in parameters:
        raise FlowError("States.Runtime", f"the parameter {name} is missing")
    return parameters[name]
