"""The start page, which leads a newcomer to the first reply; and what every page loads."""

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from .pages import HERE, Pages


class StartPage(Pages):
    def routes(self) -> list[Route]:
        return [
            self.route("/", self.read),
            self.route("/changes", self.listen),
            *(self.route(path, self.read_asset) for path in ("/style.css", "/live.js", "/host.js")),
        ]

    async def read(self, request: Request) -> Response:
        return self.show("start.html", {})

    async def listen(self, request: Request) -> Response:
        """Tell of changes as server-sent events; a page that hears of one reads itself again."""
        return StreamingResponse(self._numbers(), headers={"content-type": "text/event-stream"})

    async def _numbers(self) -> AsyncIterator[str]:
        changes = self.zendesk.changes
        number = changes.number
        yield f"retry: 1000\ndata: {number}\n\n"
        while not changes.ended:
            number = await changes.after(number)
            yield f"data: {number}\n\n"

    async def read_asset(self, request: Request) -> Response:
        return FileResponse(HERE / request.url.path[1:], headers={"cache-control": "no-cache"})
