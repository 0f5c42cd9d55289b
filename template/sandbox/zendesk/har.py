"""Exchanges for other tools: a command line, and an HTTP archive."""

import shlex
from typing import Any

from .clock import text_of
from .exchanges import Exchange, ExchangeLog, Headers

_NOT_TYPED = ("host", "content-length", "connection", "accept-encoding")


def curl(log: ExchangeLog, exchange: Exchange) -> str:
    """The request as a command; put the secrets in again where it says that they are masked."""
    words = ["curl", "-X", exchange.method, log.masked(exchange.url)]
    for name, value in log.headers(exchange.request_headers):
        if name.lower() not in _NOT_TYPED:
            words += ["-H", f"{name}: {value}"]
    if exchange.request_body:
        words += ["--data-raw", log.body(exchange.request_body)]
    return shlex.join(words)


def har(log: ExchangeLog) -> dict[str, Any]:
    """Everything as an HTTP archive, version 1.2, which browsers open."""
    creator = {"name": "Channel framework sandbox", "version": "1"}
    entries = [_entry(log, exchange) for exchange in log.entries]
    return {"log": {"version": "1.2", "creator": creator, "entries": entries}}


def _entry(log: ExchangeLog, exchange: Exchange) -> dict[str, Any]:
    milliseconds = round(exchange.seconds * 1000, 3)
    sent = _message(log, exchange.request_headers, exchange.request_body)
    received = _message(log, exchange.response_headers, exchange.response_body)
    return {
        "startedDateTime": text_of(exchange.started_at),
        "time": milliseconds,
        "request": sent
        | {"method": exchange.method, "url": log.masked(exchange.url), "queryString": []}
        | (
            {"postData": _content(log, exchange.request_headers, exchange.request_body)}
            if exchange.request_body
            else {}
        ),
        "response": received
        | {
            "status": exchange.status or 0,
            "statusText": log.masked(exchange.failure or ""),
            "content": _content(log, exchange.response_headers, exchange.response_body)
            | {"size": len(exchange.response_body)},
            "redirectURL": "",
        },
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": log.masked("; ".join(map(str, exchange.remarks))),
    }


def _message(log: ExchangeLog, headers: Headers, body: bytes) -> dict[str, Any]:
    return {
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [{"name": name, "value": value} for name, value in log.headers(headers)],
        "headersSize": -1,
        "bodySize": len(body),
    }


def _content(log: ExchangeLog, headers: Headers, body: bytes) -> dict[str, Any]:
    types = (value for name, value in headers if name.lower() == "content-type")
    return {"mimeType": next(types, ""), "text": log.body(body)}
