"""How Zendesk calls a service: one request, with its fault, its place in the log and its verdict."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx2

from .context import Part
from .exchanges import Exchange
from .faults import Endpoint, Fault
from .settings import Settings
from .verdicts import Remark, Verdict, verdict

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
USER_AGENT = "Zendesk sandbox"


def media_type(headers: Mapping[str, str]) -> str:
    """What a message says that it is, without its parameters."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


class NoAnswerError(Exception):
    """The service could not be reached, or did not answer in time."""

    def __init__(self, reason: str, exchange: Exchange) -> None:
        super().__init__(reason)
        self.exchange = exchange


@dataclass
class Answer:
    status: int
    headers: httpx2.Headers
    content: bytes
    exchange: Exchange
    settings: Settings

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_redirect(self) -> bool:
        return self.status in (301, 302, 303, 307, 308) and "location" in self.headers

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")

    @property
    def media_type(self) -> str:
        return media_type(self.headers)

    def must_be_json(self, rule: str) -> None:
        if self.media_type != JSON:
            self.remark(
                Remark("", f"not declared as {JSON}", (rule,), f"Send Content-Type: {JSON}.", refused=False)
            )

    def check(self, schema: str) -> Verdict:
        """Hold the answer to its schema, and write what is wrong into the log."""
        found = verdict(schema, self.content, self.settings)
        self.exchange.remarks += found.remarks
        return found

    def remark(self, remark: Remark) -> None:
        self.exchange.remarks.append(remark)


@dataclass
class Calls(Part):
    http: httpx2.AsyncClient
    """Follows no redirects and keeps no cookies."""

    async def get(self, endpoint: Endpoint, url: str, timeout: float) -> Answer:  # noqa: ASYNC109
        return await self._send(endpoint, "GET", url, timeout)

    async def fetch(self, method: str, url: str, timeout: float) -> Answer:  # noqa: ASYNC109
        """Ask for a file; with POST the body is empty, as nothing tells what Zendesk sends."""
        return await self._send("file", method, url, timeout)

    async def post_form(
        self,
        endpoint: Endpoint,
        url: str,
        fields: Mapping[str, str | Sequence[str]],
        timeout: float,  # noqa: ASYNC109
    ) -> Answer:
        """Post `application/x-www-form-urlencoded`, as nearly everything that Zendesk sends."""
        content = urlencode(fields, doseq=True).encode()
        return await self._send(endpoint, "POST", url, timeout, content, f"{FORM}; charset=utf-8")

    async def post_json(self, endpoint: Endpoint, url: str, document: Any, timeout: float) -> Answer:  # noqa: ASYNC109
        content = json.dumps(document, ensure_ascii=False).encode()
        return await self._send(endpoint, "POST", url, timeout, content, JSON)

    async def request(
        self,
        endpoint: Endpoint,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes,
        timeout: float,  # noqa: ASYNC109
    ) -> Answer:
        """Send what somebody else made up, as a flow's action does."""
        return await self._send(endpoint, method, url, timeout, content, more=headers)

    async def _send(
        self,
        endpoint: Endpoint,
        method: str,
        url: str,
        seconds: float,
        content: bytes = b"",
        kind: str | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Answer:
        headers = {"user-agent": USER_AGENT} | ({"content-type": kind} if kind else {}) | dict(more or {})
        exchange = self.log.open(
            endpoint, "to service", self.clock.now(), method, url, list(headers.items()), content
        )
        fault = self.faults.take(endpoint)
        exchange.fault = str(fault) if fault else None
        start = time.perf_counter()
        try:
            request = self.http.build_request(method, url, content=content, headers=headers)
            exchange.request_headers = list(request.headers.items())
            async with asyncio.timeout(seconds):
                response = await self._answer(request, fault, seconds, exchange)
        except (TimeoutError, httpx2.TimeoutException):
            exchange.failure = f"no answer within {seconds:g} seconds"
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            exchange.failure = f"no answer: {error}"
        if exchange.failure:
            self.log.close(exchange, time.perf_counter() - start)
            raise NoAnswerError(exchange.failure, exchange)
        exchange.status = response.status_code
        self._keep(response, exchange)
        self.log.close(exchange, time.perf_counter() - start)
        return Answer(response.status_code, response.headers, response.content, exchange, self.settings)

    @staticmethod
    def _keep(response: httpx2.Response, exchange: Exchange) -> None:
        exchange.response_headers = list(response.headers.multi_items())
        exchange.response_body = response.content

    async def _answer(
        self, request: httpx2.Request, fault: Fault | None, seconds: float, exchange: Exchange
    ) -> httpx2.Response:
        if fault and fault.delay:
            await self.clock.sleep(min(fault.delay, seconds))
            if fault.delay >= seconds:
                raise TimeoutError
        if fault and fault.dropped == "before":
            raise httpx2.ConnectError("the connection was dropped on purpose")
        if fault and fault.status:
            return httpx2.Response(fault.status, headers=fault.headers, content=fault.body)
        response = await self.http.send(request)
        if fault and fault.dropped == "after":
            self._keep(response, exchange)
            raise httpx2.ReadError("the answer was dropped on purpose")
        return response
