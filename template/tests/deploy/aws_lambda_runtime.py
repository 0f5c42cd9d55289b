"""What stands around a function on AWS Lambda: the API from which its process gets events, and the gateway before it."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import anyio.to_thread
import httpx2

SECONDS_TO_ANSWER = 60


class FunctionError(Exception):
    """The function could not start, or raised an exception."""


class RuntimeApi(ThreadingHTTPServer):
    """Hands out one event after the other, and takes what the function says to it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _RuntimeRequest)
        self.events: Queue[Any] = Queue()
        self.outcomes: Queue[tuple[str, Any]] = Queue()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def invoke(self, event: Any) -> Any:
        """Give what the function returns; raises FunctionError."""
        self.events.put(event)
        kind, outcome = self.outcomes.get(timeout=SECONDS_TO_ANSWER)
        if kind != "response":
            raise FunctionError(f"{kind}: {outcome}")
        return outcome


class _RuntimeRequest(BaseHTTPRequestHandler):
    server: RuntimeApi
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        event = self.server.events.get()
        self._send(
            200,
            event,
            {
                "Lambda-Runtime-Aws-Request-Id": "request-1",
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:123456789012:function:service",
                "Lambda-Runtime-Deadline-Ms": str(round((time.time() + SECONDS_TO_ANSWER) * 1000)),
            },
        )

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])).decode(errors="replace"))
        self.server.outcomes.put((self.path.rpartition("/")[2], said))
        self._send(202, {"status": "OK"})

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def handle(self) -> None:
        # A process that was killed says no goodbye.
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the tests' output quiet."""


@contextmanager
def runtime_api() -> Iterator[RuntimeApi]:
    with RuntimeApi() as api:
        threading.Thread(target=api.serve_forever, daemon=True).start()
        yield api
        api.shutdown()


class Gateway(httpx2.AsyncBaseTransport):
    """An HTTP API: each request becomes an event in format 2.0, and what the function returns an answer."""

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api
        self.returned: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        event = request_event(request, await request.aread())
        returned = await anyio.to_thread.run_sync(self._api.invoke, event)
        self.returned.append(returned)
        body = returned["body"]
        return httpx2.Response(
            returned["statusCode"],
            headers=[
                *returned.get("headers", {}).items(),
                *(("set-cookie", cookie) for cookie in returned.get("cookies", [])),
            ],
            content=base64.b64decode(body) if returned["isBase64Encoded"] else body.encode(),
        )


def request_event(request: httpx2.Request, body: bytes) -> dict[str, Any]:
    """A request as the gateway passes it on: every form arrives in Base64."""
    cookies = [cookie for cookie in request.headers.get("cookie", "").split("; ") if cookie]
    headers = {
        name: request.headers[name] for name in request.headers if name not in {"cookie", "transfer-encoding"}
    }
    route = f"{'GET' if request.url.path == '/ready' else 'ANY'} {request.url.path}"
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": request.url.path,
        "rawQueryString": request.url.query.decode(),
        "headers": headers | {"x-forwarded-proto": "https", "x-forwarded-port": "443"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdefghij",
            "domainName": request.url.host,
            "http": {
                "method": request.method,
                "path": request.url.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": "request-1",
            "routeKey": route,
            "stage": "$default",
            "time": "20/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1795176000000,
        },
        "isBase64Encoded": bool(body),
    }
    if cookies:
        event["cookies"] = cookies
    if body:
        event["body"] = base64.b64encode(body).decode()
    return event
