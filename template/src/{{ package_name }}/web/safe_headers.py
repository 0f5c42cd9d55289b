"""Safe headers: what an endpoint does not say of its answer is said here, so that no answer is cached or guessed at."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

OTHERWISE = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""Nothing here forbids frames: Zendesk shows the service's errors in one."""


class SafeHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name for name, _ in message["headers"]}
                message["headers"] += [header for header in OTHERWISE if header[0] not in said]
            await send(message)

        await self._app(scope, receive, complete if scope["type"] == "http" else send)
