"""The page around an app: it says where the app is shown, and answers what the app asks for."""

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Host, Route, Router

from ... import json_text
from ..calls import Calls
from ..context import Part
from ..front import Front, RefusedError
from ..model import App, Ticket, UnknownError
from ..strangers import StrangerError, refuse_strangers
from ..verdicts import Remark
from . import assets, fields
from .outside import Outside, filled
from .signing import TokenSigner

HERE = Path(__file__).parent
PAGES = ("nav_bar", "top_bar")
"""Places behind a link in the bar on every page."""
PLACES = ("ticket_sidebar", *PAGES, "background")
"""Places that this Zendesk has."""
MOST_PROBLEMS = 20

Answer = Callable[[App, Ticket | None, Any, list[Remark]], Awaitable[Response]]


@dataclass
class Frame:
    """An app in one of its places, as the script of the page around it needs to know it."""

    app: App
    place: str
    url: str
    origin: str
    guid: str
    registered: dict[str, Any]
    token: str = ""
    """With which the page is asked for, if its server wants one."""

    def as_text(self) -> str:
        return json.dumps({"id": self.app.id, "origin": self.origin, "guid": self.guid, **self.registered})


@dataclass
class Hosting(Part):
    calls: Calls
    pages: tuple[str, ...] = PAGES
    places: tuple[str, ...] = PLACES
    problems: dict[int, dict[str, None]] = field(default_factory=dict)
    """What agents see in place of an app that does not come up, by the app; in the order in which it happened."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.signer = TokenSigner(self.settings.subdomain)

    def routes(self, front: Front) -> list[BaseRoute]:
        """Answer apps' questions, and on each app's own host its files."""
        files = Router([Route(assets.CLIENT, self._client), Route("/{path:path}", self._file)])
        outside = Outside(self.context, self.calls)
        answers: dict[str, Answer] = {
            "get": self._get,
            "set": self._set,
            "invoke": self._invoke,
            "request": outside.request,
            "unknown": self._unknown,
        }
        asked = [
            front.route(f"/agent/apps/{{app:number}}/{name}", "app", self._asked(answer), "POST")
            for name, answer in answers.items()
        ]
        key = front.route("/api/v2/apps/{app:number}/public_key.pem", "apps", self._public_key, "GET")
        return [Host("{app:number}.apps.localhost", files), *asked, key]

    def frames(self, place: str, request: Request, ticket: Ticket | None = None) -> list[Frame]:
        """The installed apps that show something in this place."""
        return [
            self.frame(app, place, request, ticket)
            for app in self.state.apps
            if app.installed and place in app.places
        ]

    def frame(self, app: App, place: str, request: Request, ticket: Ticket | None = None) -> Frame:
        port = f":{request.url.port}" if request.url.port else ""
        origin = f"{request.url.scheme}://{app.id}.apps.localhost{port}"
        shown = {name: value for name, value in app.settings.items() if name not in app.secure}
        url, guid = filled(shown, app.places[place]), str(uuid.uuid4())
        token = ""
        if "://" in url:
            origin = "/".join(url.split("/")[:3])
            if app.signed:
                token = self.signer.token(app.id, fields.AGENT_ID, place, url, self.clock.now())
        else:
            url = f"{origin}/{url}"
        context: dict[str, Any] = {
            "product": "support",
            "location": place,
            "instanceGuid": guid,
            "account": {"subdomain": self.settings.subdomain},
        }
        metadata = {
            "appId": app.id,
            "installationId": app.id,
            "name": app.name,
            "version": app.version,
            "settings": {"title": app.name, **shown},
        }
        registered = {
            "metadata": metadata,
            "context": context | ({"ticketId": ticket.id} if ticket else {}),
        }
        return Frame(app, place, url, origin, guid, registered, token)

    def fields(self, ticket: Ticket | None) -> dict[str, Any]:
        return fields.fields(self.state, self.settings, ticket)

    async def _public_key(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        return Response(self.signer.public_key, media_type="application/x-pem-file")

    async def _client(self, request: Request) -> Response:
        return Response((HERE / "client.js").read_bytes(), media_type="text/javascript")

    async def _file(self, request: Request) -> Response:
        path, kind = request.path_params["path"], assets.media_type(request.path_params["path"])
        headers = {
            "cache-control": "no-store",
            "content-security-policy": "frame-ancestors http://localhost:* http://127.0.0.1:*",
            "x-content-type-options": "nosniff",
        }
        try:
            app = self.state.app(request.path_params["app"])
            found = assets.file_of(app, path)
        except (assets.NoFileError, UnknownError) as error:
            # Only the browser's own tools ask for maps of sources.
            if not path.endswith(".map"):
                self._tell(request, str(error))
            page = assets.in_words("This app has no such page", str(error))
            return Response(page, 404, headers, "text/html")
        if kind.startswith("text/html") and self.problems.pop(app.id, {}):
            self.context.changes.note()
        if (
            kind.startswith(("text/html", "text/javascript"))
            and not self.settings.framework_client_from_zendesk
        ):
            found = assets.with_own_client(found)
        return Response(found, 200, headers, kind)

    def _tell(self, request: Request, problem: str) -> None:
        """Show a missing file where the app is shown, and in the log, which files that are there would only fill."""
        told = self.problems.setdefault(request.path_params["app"], {})
        if len(told) < MOST_PROBLEMS:
            told[problem] = None
        now, headers = self.clock.now(), list(request.headers.items())
        exchange = self.log.open("app", "from service", now, request.method, str(request.url), headers, b"")
        exchange.status = 404
        exchange.remarks.append(Remark("", problem))
        self.log.close(exchange, 0)

    def _asked(self, answer: Answer) -> Callable[[Request, bytes, list[Remark]], Awaitable[Response]]:
        async def handle(request: Request, content: bytes, remarks: list[Remark]) -> Response:
            try:
                refuse_strangers(request, self.settings.address)
                asked = json_text.read(content)
                app = self.state.app(request.path_params["app"])
                number = request.query_params.get("ticket")
                ticket = self.state.ticket(int(number)) if number else None
            except StrangerError as error:
                raise RefusedError(403, "Forbidden", str(error)) from None
            except (ValueError, UnknownError) as error:
                raise RefusedError(404, "RecordNotFound", str(error)) from None
            return await answer(app, ticket, asked, remarks)

        return handle

    async def _get(self, app: App, ticket: Ticket | None, asked: Any, remarks: list[Remark]) -> Response:
        known = self.fields(ticket)
        return _each(dict.fromkeys(asked), lambda path, _: fields.value_at(known, path), remarks)

    async def _set(self, app: App, ticket: Ticket | None, asked: Any, remarks: list[Remark]) -> Response:
        def change(path: str, value: Any) -> Any:
            fields.change(ticket, path, value)
            return value

        return _each(asked, change, remarks)

    async def _invoke(self, app: App, ticket: Ticket | None, asked: Any, remarks: list[Remark]) -> Response:
        """The page itself does what can be done; what comes here nobody knows."""

        def nothing(path: str, _: Any) -> Any:
            raise fields.NotThereError(path)

        return _each(asked, nothing, remarks)

    async def _unknown(self, app: App, ticket: Ticket | None, asked: Any, remarks: list[Remark]) -> Response:
        remarks.append(Remark("", "this message is none of the framework's", (), refused=False))
        return JSONResponse({})


def _each(asked: Mapping[str, Any], answer: Callable[[str, Any], Any], remarks: list[Remark]) -> Response:
    """Answer path by path, as the framework does: what fails is told beside what does not."""
    found: dict[str, Any] = {}
    errors: dict[str, dict[str, str]] = {}
    for path, value in asked.items():
        try:
            found[path] = answer(path, value)
        except fields.NotThereError:
            errors[path] = {"name": "APINotFoundError", "message": "does not exist", "path": path}
            remarks.append(Remark("", f"{path}: APINotFoundError", (), _UNKNOWN, refused=False))
        except fields.NotTakenError as error:
            errors[path] = {"name": "APIArgumentError", "message": str(error), "path": path}
            remarks.append(Remark("", f"{path} {error}", (), refused=False))
    return JSONResponse(found | {"errors": errors})


_UNKNOWN = "Zendesk knows no such path in this place, or this sandbox does not."
