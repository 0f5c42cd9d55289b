"""The way into Zendesk: every call is logged, limited, and may go wrong on purpose (ZEN-48, ZEN-49)."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .context import Part
from .exchanges import Exchange
from .faults import DroppedError, Endpoint, Fault
from .verdicts import Remark

Handler = Callable[[Request, bytes, list[Remark]], Awaitable[Response]]
"""Answers a request with this body; what is wrong with it is added to the remarks."""

Door = tuple[str, Endpoint, Handler]
"""A path, and who answers there."""

_LIMITED = ("push", "validate_token", "report_error", "proxy")


class RefusedError(Exception):
    """An API call that is answered with an error."""

    def __init__(
        self,
        status: int,
        error: str,
        description: str,
        *remarks: Remark,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(description)
        self.answer = JSONResponse({"error": error, "description": description}, status, headers)
        self.remarks = remarks


@dataclass
class Front(Part):
    _recent: list[datetime] = field(default_factory=list)
    _closed_until: datetime | None = None

    def routes(self, posts: list[Door], gets: list[Door]) -> list[Route]:
        """Lead each path to its handler, with and without `.json` where it is the API's."""
        routes = [
            Route(each, self._logged(endpoint, handler), methods=["POST"])
            for path, endpoint, handler in posts
            for each in ([path, f"{path}.json"] if path.startswith("/api/") else [path])
        ]
        routes += [Route(path, self._logged(endpoint, handler)) for path, endpoint, handler in gets]
        return [
            *routes,
            Route("/api/{path:path}", self._logged("unknown", _nobody), methods=["GET", "POST", "PUT"]),
        ]

    def route(self, path: str, endpoint: Endpoint, handler: Handler, method: str) -> Route:
        return Route(path, self._logged(endpoint, handler), methods=[method])

    def _logged(self, endpoint: Endpoint, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            content = await request.body()
            headers, url = list(request.headers.items()), str(request.url)
            now = self.clock.now()
            exchange = self.log.open(endpoint, "from service", now, request.method, url, headers, content)
            start = time.perf_counter()
            try:
                response = await self._faulty(endpoint, handler, request, exchange)
            except DroppedError:
                exchange.failure = "dropped on purpose"
                raise
            finally:
                self.log.close(exchange, time.perf_counter() - start)
            return response

        return handle

    async def _faulty(
        self, endpoint: Endpoint, handler: Handler, request: Request, exchange: Exchange
    ) -> Response:
        """Answer a request as its fault says, or as it deserves."""
        fault = self.faults.take(endpoint) or Fault()
        exchange.fault = str(fault) or None
        if fault.delay:
            await self.clock.sleep(fault.delay)
        if fault.dropped == "before":
            raise DroppedError
        if endpoint in _LIMITED and self._closed_until and self.clock.now() < self._closed_until:
            exchange.remarks.append(Remark("", "Retry-After was not waited for", ("SVC-58",), refused=False))
        if fault.status:
            response = Response(fault.body, fault.status, fault.headers, "application/json")
        else:
            try:
                self._limit(endpoint)
                response = await handler(request, exchange.request_body, exchange.remarks)
            except RefusedError as error:
                exchange.remarks += error.remarks
                response = error.answer
        if response.status_code == 429 and (wait := response.headers.get("retry-after", "")).isdecimal():
            self._closed_until = self.clock.now() + timedelta(seconds=int(wait))
        if fault.dropped == "after":
            raise DroppedError
        exchange.status = response.status_code
        exchange.response_headers = list(response.headers.items())
        exchange.response_body = bytes(response.body)
        return response

    def _limit(self, endpoint: Endpoint) -> None:
        if self.settings.requests_per_minute is None or endpoint not in _LIMITED:
            return
        now = self.clock.now()
        self._recent = [moment for moment in self._recent if now - moment < timedelta(minutes=1)]
        if len(self._recent) >= self.settings.requests_per_minute:
            wait = 60 - int((now - self._recent[0]).total_seconds())
            headers = {"retry-after": str(max(wait, 1))}
            raise RefusedError(429, "TooManyRequests", "The rate limit is used up.", headers=headers)
        self._recent.append(now)


async def _nobody(request: Request, content: bytes, remarks: list[Remark]) -> Response:
    raise RefusedError(404, "InvalidEndpoint", f"Nothing answers {request.method} at {request.url.path}.")
