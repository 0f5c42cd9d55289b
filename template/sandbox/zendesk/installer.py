"""Apps are judged when they are uploaded, and install the channel that they ask for (ZEN-05)."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .. import json_text
from ..validate import app_package
from ..validate.findings import Finding
from .addresses import is_loopback_http
from .context import Part
from .front import Door, Front, RefusedError
from .model import App, NotDoneError
from .settings import Settings
from .verdicts import Remark

MOST_REMEMBERED = 20
"""Uploads, of at most 2 MB each, and jobs."""

_PRODUCTS = ("support", "v2")


class PackageRefusedError(NotDoneError):
    """Zendesk does not take an app's package; `remarks` are the reasons."""

    def __init__(self, package: str, remarks: list[Remark]) -> None:
        super().__init__(f"{package} was refused: " + "; ".join(map(str, remarks)))
        self.remarks = remarks


def open_package(source: Path | bytes, settings: Settings) -> App:
    """Check a folder or a zip as Zendesk does when it is uploaded. Raises PackageRefusedError."""
    shown = str(source) if isinstance(source, Path) else "The package"
    try:
        files = app_package.read_package(source)
    except app_package.NoPackageError as error:
        raise PackageRefusedError(shown, [Remark("", str(error), ("SVC-12",))]) from None
    found = [finding for finding in app_package.judge(files) if not _is_allowed(finding, files, settings)]
    if refusals := [_remark(finding) for finding in found if finding.severity == "error"]:
        raise PackageRefusedError(shown, refusals)
    manifest, texts = app_package.manifest_of(files), app_package.english_texts(files)
    source = source.resolve() if isinstance(source, Path) else source
    parameters: list[dict[str, Any]] = manifest.get("parameters") or []
    return App(
        id=0,
        name=str(manifest.get("name") or texts.get("name") or "An app without a name"),
        version=str(manifest.get("version") or ""),
        description=str(texts.get("short_description") or texts.get("description") or ""),
        manifest_url=app_package.manifest_url(files),
        logo=files.get("assets/logo-small.png") or files.get("assets/logo.png") or b"",
        settings={str(each.get("name")): each.get("default") for each in parameters},
        secure=[str(each.get("name")) for each in parameters if each.get("secure")],
        kinds={str(each.get("name")): str(each.get("type") or "text") for each in parameters},
        required=[str(each.get("name")) for each in parameters if each.get("required")],
        remarks=[f"{finding.file}: {finding.message}. {finding.remedy}" for finding in found],
        places=_places(manifest.get("location")),
        signed=manifest.get("signedUrls") is True,
        files={} if _is_folder(source) else files,
        folder=str(source) if _is_folder(source) else "",
        domains=[str(each) for each in manifest.get("domainWhitelist") or []],
        scopes={str(each.get("name")): list(each.get("scopes") or []) for each in parameters},
    )


def _is_folder(source: Path | bytes) -> bool:
    return isinstance(source, Path) and source.is_dir()


def _places(location: Any) -> dict[str, str]:
    """Read where Zendesk Support shows which page; what has no page of its own is not shown."""
    support = location.get("support", location.get("zendesk")) if isinstance(location, dict) else None
    pages = support if isinstance(support, dict) else {}
    urls = {name: page.get("url") if isinstance(page, dict) else page for name, page in pages.items()}
    return {name: url for name, url in urls.items() if isinstance(url, str) and url}


def _is_allowed(finding: Finding, files: dict[str, bytes], settings: Settings) -> bool:
    url = app_package.manifest_url(files) if finding.keyword == "insecure_manifest_url" else None
    return url is not None and settings.allow_loopback_http and is_loopback_http(url)


def _remark(finding: Finding) -> Remark:
    return Remark(finding.pointer, f"{finding.file}: {finding.message}", finding.rules, finding.remedy)


@dataclass
class Apps(Part):
    """The account's apps, and the API by which tools such as zcli upload and install them."""

    install_channel: Callable[[str], Awaitable[object]]
    uninstall_channel: Callable[[], Awaitable[None]]
    _uploads: dict[int, bytes] = field(default_factory=dict)
    _jobs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def doors(self) -> list[Door]:
        return [
            ("/api/v2/apps/uploads", "apps", self._upload),
            ("/api/v2/apps/validate", "apps", self._validate),
            *((f"/api/{version}apps", "apps", self._create) for version in ("", "v2/")),
            *((f"/api/{product}/apps/installations", "apps", self._install) for product in _PRODUCTS),
        ]

    def routes(self, front: Front) -> list[Route]:
        """What zcli and other tools do to apps that are there already."""
        app, installation = "/api/v2/apps/{app:number}", "/api/{product}/apps/installations/{app:number}"
        methods = [
            ("GET", "/api/v2/apps/job_statuses/{job}", self._job),
            ("GET", "/api/v2/apps/owned", self._list_apps),
            ("GET", app, self._read_app),
            ("PUT", app, self._update),
            ("DELETE", app, self._delete),
            *(("GET", f"/api/{product}/apps/installations", self._list) for product in _PRODUCTS),
            ("GET", installation, self._read),
            ("PUT", installation, self._configure),
            ("DELETE", installation, self._uninstall),
        ]
        return [
            front.route(each, "apps", handler, method)
            for method, path, handler in methods
            for each in (path, f"{path}.json")
        ]

    def add(self, app: App, earlier: App | None = None) -> App:
        """Keep an app in place of an earlier one, by default of the one of this name."""
        earlier = earlier or next((each for each in self.state.apps if each.name == app.name), None)
        app.id = earlier.id if earlier else self.state.new_id()
        if earlier:
            app.settings |= {name: value for name, value in earlier.settings.items() if name in app.settings}
            self.state.apps[:] = [app if each is earlier else each for each in self.state.apps]
        else:
            self.state.apps.append(app)
        return app

    async def install(self, app: App, settings: dict[str, Any]) -> None:
        """Install an app, and the channel that it asks for. Raises ManifestRefusedError."""
        self.configure(app, settings)
        if app.manifest_url is not None:
            await self.install_channel(app.manifest_url)
        app.installed = True

    async def remove(self, app: App) -> None:
        """Remove an app; its channel goes with it."""
        await self.remove_channel(app)
        self.state.apps[:] = [each for each in self.state.apps if each is not app]
        self.context.changes.note()

    async def remove_channel(self, app: App) -> None:
        manifest = self.state.manifest
        if app.installed and manifest and manifest.url == app.manifest_url:
            await self.uninstall_channel()

    def configure(self, app: App, settings: dict[str, Any]) -> None:
        app.settings |= {name: value for name, value in settings.items() if name in app.settings}
        self.log.hide(*(str(app.settings[name]) for name in app.secure if app.settings[name]))
        self.context.changes.note()

    async def _upload(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        _authorised(request)
        number = self.state.new_id()
        _remember(self._uploads, number, await _package(request))
        return JSONResponse({"id": number}, 201)

    async def _validate(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        _authorised(request)
        try:
            open_package(await _package(request), self.settings)
        except PackageRefusedError as error:
            raise RefusedError(400, "InvalidPackage", str(error), *error.remarks) from None
        return JSONResponse({})

    async def _create(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        """Make an app of an upload; whether it passes is told by a job."""
        _authorised(request)
        return await self._deploy(_document(content), None, remarks)

    async def _update(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        """Put an upload in place of an app, which stays installed, with its settings."""
        return await self._deploy(_document(content), self._app(request), remarks)

    async def _deploy(self, document: dict[str, Any], earlier: App | None, remarks: list[Remark]) -> Response:
        package = self._uploads.pop(_number(document.get("upload_id")), None)
        if package is None:
            raise RefusedError(422, "RecordInvalid", "There is no such upload.")
        number = secrets.token_hex(8)
        try:
            app = open_package(package, self.settings)
            app.name = str(document.get("name") or (earlier.name if earlier else app.name))
            if earlier and earlier.installed and app.manifest_url is not None:
                await self.install_channel(app.manifest_url)
            app.installed = earlier is not None and earlier.installed
            self.add(app, earlier)
            job: dict[str, Any] = {"status": "completed", "message": "", "app_id": app.id}
        except NotDoneError as error:
            remarks += getattr(error, "remarks", [])
            job = {"status": "failed", "message": str(error), "app_id": None}
        self.context.changes.note()
        _remember(self._jobs, number, job)
        return JSONResponse({"job_id": number}, 202)

    async def _job(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        _authorised(request)
        job = self._jobs.get(str(request.path_params["job"]).removesuffix(".json"))
        if job is None:
            raise RefusedError(404, "RecordNotFound", "There is no such job.")
        return JSONResponse(job)

    async def _install(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        _authorised(request)
        document = _document(content)
        settings = document.get("settings")
        try:
            app = self.state.app(_number(document.get("app_id")))
            await self.install(app, settings if isinstance(settings, dict) else {})
        except NotDoneError as error:
            raise RefusedError(422, "RecordInvalid", str(error)) from None
        return JSONResponse(_installation(app), 201)

    async def _list(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        _authorised(request)
        return JSONResponse(
            {"installations": [_installation(app) for app in self.state.apps if app.installed]}
        )

    async def _read(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        return JSONResponse(_installation(self._app(request, installed=True)))

    async def _configure(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        app, settings = self._app(request, installed=True), _document(content).get("settings")
        self.configure(app, settings if isinstance(settings, dict) else {})
        return JSONResponse(_installation(app))

    async def _uninstall(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        """Take an app from agents; it can be installed again."""
        app = self._app(request, installed=True)
        await self.remove_channel(app)
        app.installed = False
        self.context.changes.note()
        return Response(status_code=204)

    async def _list_apps(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        _authorised(request)
        return JSONResponse({"apps": [_shown(app) for app in self.state.apps]})

    async def _read_app(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        return JSONResponse(_shown(self._app(request)))

    async def _delete(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        await self.remove(self._app(request))
        return Response(status_code=204)

    def _app(self, request: Request, *, installed: bool = False) -> App:
        _authorised(request)
        for app in self.state.apps:
            if app.id == request.path_params["app"] and (app.installed or not installed):
                return app
        what = "installation" if installed else "app"
        raise RefusedError(404, "RecordNotFound", f"There is no such {what}.")


def _installation(app: App) -> dict[str, Any]:
    """An installation has its app's number, for nothing is installed twice here."""
    shown = {name: value for name, value in app.settings.items() if name not in app.secure}
    return {
        "id": app.id,
        "app_id": app.id,
        "product": "support",
        "enabled": True,
        "settings": {"name": app.name} | shown,
    }


def _shown(app: App) -> dict[str, Any]:
    return {"id": app.id, "name": app.name, "version": app.version, "state": "published", "owned": True}


def _authorised(request: Request) -> None:
    """Refuse whoever shows nothing: a page in the same browser could send as much."""
    if not request.headers.get("authorization"):
        raise RefusedError(401, "Couldn't authenticate you", "Send an admin's credentials; any will do here.")


async def _package(request: Request) -> bytes:
    try:
        async with request.form(max_files=1, max_fields=4) as form:
            for sent in form.values():
                if isinstance(sent, UploadFile):
                    return await sent.read(app_package.LARGEST_PACKAGE + 1)
    except MultiPartException:
        pass
    raise RefusedError(422, "RecordInvalid", "Send the zip as a file of a multipart form.")


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json_text.read(content)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise RefusedError(422, "RecordInvalid", "Send a JSON object.")
    return document


def _number(value: Any) -> int:
    text = str(value)
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 19 else 0


def _remember(kept: dict[Any, Any], key: Any, value: Any) -> None:
    kept[key] = value
    while len(kept) > MOST_REMEMBERED:
        del kept[next(iter(kept))]
