"""`client.request` to other hosts: Zendesk's proxy sends it, and puts in the settings that no browser may see."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from ..addresses import is_secure
from ..calls import Calls, NoAnswerError
from ..context import Part
from ..front import RefusedError
from ..model import App, Ticket
from ..verdicts import Remark

TIMEOUT = 30
_SETTING = re.compile(r"\{\{\s*setting\.([\w.-]+)\s*\}\}")
_LEFT_OUT = ("host", "content-length", "connection", "cookie", "origin", "referer")


@dataclass
class Outside(Part):
    calls: Calls

    async def request(self, app: App, ticket: Ticket | None, asked: Any, remarks: list[Remark]) -> Response:
        """Send what the page around the app has made of the app's options."""
        if asked.get("jwt"):
            raise RefusedError(501, "NotImplemented", "This sandbox signs no jwt for requests of apps.")
        text = {name: str(asked.get(name) or "") for name in ("url", "method", "body")}
        headers = {str(name): str(value) for name, value in dict(asked.get("headers") or {}).items()}
        is_filled = bool(asked.get("secure"))
        if is_filled:
            _allowed(app, text["url"])
            text["url"] = _filled(app, text["url"], "url")
            text["body"] = _filled(app, text["body"], "body")
            headers = {name: _filled(app, value, "header") for name, value in headers.items()}
        if not is_secure(text["url"], self.settings):
            raise RefusedError(403, "Forbidden", f"{text['url']} is not a proxyable URI: it must be https.")
        sent = {name: value for name, value in headers.items() if name.lower() not in _LEFT_OUT}
        try:
            answer = await self.calls.request(
                "app_request", text["method"] or "GET", text["url"], sent, text["body"].encode(), TIMEOUT
            )
        except NoAnswerError as error:
            raise RefusedError(504, "GatewayTimeout", str(error)) from None
        kept = {name: value for name, value in answer.headers.items() if name != "set-cookie"}
        return JSONResponse({"status": answer.status, "headers": kept, "body": answer.text})


def _allowed(app: App, url: str) -> None:
    """Secrets go to the hosts of `domainWhitelist` alone."""
    try:
        host = urlsplit(_SETTING.sub("x", url)).hostname or ""
    except ValueError:
        host = ""
    if not any(host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in app.domains):
        raise RefusedError(
            403,
            "Forbidden",
            f"A secure request to {host or url} is refused: add the host to domainWhitelist in manifest.json.",
        )


def filled(settings: Mapping[str, Any], text: str) -> str:
    """Put in the settings where a text has their placeholders."""
    return _SETTING.sub(lambda match: str(settings.get(match[1], match[0]) or ""), text)


def _filled(app: App, text: str, scope: str) -> str:
    for match in _SETTING.finditer(text):
        name = match[1]
        if name in app.secure and scope not in (app.scopes.get(name) or [scope]):
            raise RefusedError(
                403, "Forbidden", f"The scopes of the parameter {name} do not let it stand in the {scope}."
            )
    return filled(app.settings, text)
