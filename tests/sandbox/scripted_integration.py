"""An integration that knows nothing of this project, and does what a test tells it to."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

MANIFEST_URL = "https://integration.test/channel/manifest"

Form = dict[str, list[str]]


def resource(external_id: str, **more: Any) -> dict[str, Any]:
    """A post as Zendesk takes it."""
    return {
        "external_id": external_id,
        "message": f"post {external_id}",
        "created_at": "2026-01-01T00:00:00Z",
        "author": {"external_id": "ada"},
    } | more


@dataclass
class ScriptedIntegration:
    """Enters any account, hands over `posts` and takes every reply, until a test sets an answer of its own."""

    urls: dict[str, str] = field(
        default_factory=lambda: {
            "admin_ui": "./admin_ui",
            "pull_url": "./pull",
            "channelback_url": "./channelback",
            "clickthrough_url": "./clickthrough",
            "event_callback_url": "./events",
        }
    )
    manifest: dict[str, Any] = field(
        default_factory=lambda: {
            "name": "Scripted",
            "id": "scripted",
            "version": "1",
            "channelback_files": True,
        }
    )
    posts: list[dict[str, Any]] = field(default_factory=list)
    pull_answer: dict[str, Any] = field(default_factory=dict)
    """Beside the posts."""
    answers: dict[str, Callable[[], Response]] = field(default_factory=dict)
    """By the last part of the path."""
    returned: dict[str, str] = field(default_factory=lambda: {"metadata": "secret-1"})
    """What the admin form returns beside the name."""
    admin_headers: dict[str, str] = field(default_factory=dict)
    opened: list[dict[str, str]] = field(default_factory=list)
    pulled: list[Form] = field(default_factory=list)
    replies: list[Form] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    requests: list[tuple[str, str, bytes, str]] = field(default_factory=list)
    """Method, path with query, body and content type."""

    def __post_init__(self) -> None:
        names = [
            "manifest",
            "admin_ui",
            "admin_ui_2",
            "pull",
            "channelback",
            "clickthrough",
            "events",
            "like",
        ]
        routes = [Route(f"/channel/{name}", self._answer, methods=["GET", "POST"]) for name in names]
        self.app = Starlette(
            routes=[*routes, Route("/channel/files/{name}", self._answer, methods=["GET", "POST"])]
        )

    async def _answer(self, request: Request) -> Response:  # noqa: C901, PLR0911 - one line a path
        body = await request.body()
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        self.requests.append((request.method, path, body, request.headers.get("content-type", "")))
        name = request.url.path.removeprefix("/channel/")
        form = parse_qs(body.decode(), keep_blank_values=True) if request.method == "POST" else {}
        if name in ("pull", "channelback"):
            (self.pulled if name == "pull" else self.replies).append(form)
        if name == "events":
            events = json.loads(body)["events"]
            self.events += events
            self.batches.append(len(events))
        if name in self.answers:
            return self.answers[name]()
        match name:
            case "manifest":
                return JSONResponse(self.manifest | {"urls": self.urls})
            case "admin_ui":
                self.opened.append({key: values[0] for key, values in form.items()})
                return self._first_page(form)
            case "admin_ui_2":
                returned = {"name": form["name"][0]} | self.returned
                return self._page(
                    form["return_url"][0], {key: ("hidden", value) for key, value in returned.items()}
                )
            case "pull":
                return JSONResponse({"external_resources": self.posts} | self.pull_answer)
            case "channelback":
                return JSONResponse({"external_id": f"reply-{len(self.replies)}"})
            case "clickthrough":
                return RedirectResponse("https://origin.test/post", 302)
            case "like":
                return JSONResponse({"liked": True})
            case _:
                return Response(f"file {name}", media_type="text/plain")

    def _first_page(self, form: Form) -> Response:
        hidden = {"return_url": ("hidden", form["return_url"][0])}
        return self._page(
            "./admin_ui_2", {"name": ("text", form["name"][0]), "key": ("password", "")} | hidden
        )

    def _page(self, action: str, fields: dict[str, tuple[str, str]]) -> Response:
        inputs = "".join(
            f'<input type="{kind}" name="{name}" value="{escape(value)}">'
            for name, (kind, value) in fields.items()
        )
        html = f'<h1>Account</h1><form method="post" action="{escape(action)}">{inputs}<button>Save</button></form>'
        return HTMLResponse(html, headers=self.admin_headers)

    def types(self) -> list[str]:
        return [event["type_id"] for event in self.events]
