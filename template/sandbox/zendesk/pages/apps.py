"""Apps in front of agents: on pages of their own, and what the page around them asks the server for."""

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ...zis.credentials import SESSION
from ..model import UnknownError
from ..zaf.hosting import Frame
from .pages import Pages


class AppPages(Pages):
    def routes(self) -> list[Route]:
        return [
            self.route("/agent/apps/{app:number}", self.read),
            self.route("/agent/tickets/{ticket:number}/fields", self.read_fields),
        ]

    async def read(self, request: Request) -> Response:
        app, hosting = self.zendesk.state.app(request.path_params["app"]), self.zendesk.hosting
        place = request.query_params.get("place", "nav_bar")
        if not app.installed or place not in app.places or place not in hosting.pages:
            raise UnknownError(f"{app.name} has no such page of its own.")
        return with_apps(self, request, "app.html", {}, [hosting.frame(app, place, request)])

    async def read_fields(self, request: Request) -> Response:
        """Say what apps could read, by which the page around them finds what has changed."""
        ticket = self.zendesk.state.ticket(request.path_params["ticket"])
        return JSONResponse(self.zendesk.hosting.fields(ticket)["ticket"])


def with_apps(
    pages: Pages,
    request: Request,
    page: str,
    context: dict[str, object],
    frames: Iterable[Frame],
    status: int = 200,
) -> Response:
    """Show a page with apps in it, which call Zendesk's API by the session of whoever reads it."""
    shown = [*frames, *pages.zendesk.hosting.frames("background", request)]
    session = pages.zendesk.state.zis.session
    context |= {"frames": shown, "csrf": session}
    response = pages.show(page, context, status, frames={frame.origin for frame in shown})
    if shown:
        response.set_cookie(SESSION, session, httponly=True, samesite="strict")
    return response
