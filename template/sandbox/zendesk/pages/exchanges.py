"""The exchange log: every request with its answer, and what is wrong with them."""

import json
from contextlib import suppress
from typing import get_args
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ... import json_text
from ..calls import FORM
from ..exchanges import Exchange, Headers
from ..faults import Endpoint
from ..har import curl, har
from ..model import UnknownError
from .pages import Pages

MOST_ROWS = 300
_FILTERS = ("q", "endpoint", "direction", "wrong")


class ExchangePages(Pages):
    def routes(self) -> list[Route]:
        return [
            self.route("/exchanges", self.read_all),
            self.route("/exchanges.har", self.export),
            self.route("/exchanges/{number:number}", self.read),
        ]

    async def read_all(self, request: Request) -> Response:
        asked = {name: request.query_params.get(name, "") for name in _FILTERS}
        entries = self.zendesk.log.containing(asked["q"]) if asked["q"] else self.zendesk.log.entries
        found = [
            exchange
            for exchange in reversed(entries)
            if asked["endpoint"] in ("", exchange.endpoint) and asked["direction"] in ("", exchange.direction)
            if not (asked["wrong"] and _is_right(exchange))
        ]
        context = {"asked": asked, "count": len(found), "endpoints": get_args(Endpoint)}
        return self.show("exchanges.html", context | {"exchanges": found[:MOST_ROWS]})

    async def read(self, request: Request) -> Response:
        number = request.path_params["number"]
        for exchange in self.zendesk.log.entries:
            if exchange.number == number:
                context = {"exchange": exchange, "command": curl(self.zendesk.log, exchange)}
                return self.show("exchange.html", context | {"decoded": self._decoded})
        raise UnknownError(f"There is no exchange {number}. The log forgets the oldest.")

    async def export(self, request: Request) -> Response:
        headers = {"content-disposition": 'attachment; filename="exchanges.har"', "cache-control": "no-store"}
        return JSONResponse(har(self.zendesk.log), headers=headers)

    def _decoded(self, headers: Headers, content: bytes) -> dict[str, object]:
        """A request or an answer as people read it: its headers, and the fields of its form or its text."""
        log = self.zendesk.log
        fields, text = [], log.body(content)
        if any(name.lower() == "content-type" and value.startswith(FORM) for name, value in headers):
            fields = parse_qsl(content.decode(errors="replace"), keep_blank_values=True)
        elif content[:1] in (b"{", b"["):
            with suppress(ValueError):
                text = json.dumps(json_text.read(content), indent=2, ensure_ascii=False)
        return {"headers": log.headers(headers), "fields": fields, "text": text}


def _is_right(exchange: Exchange) -> bool:
    return not exchange.remarks and exchange.status is not None and exchange.status < 400
