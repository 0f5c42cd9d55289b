"""Admin Center: what is installed, its accounts, and whose data there are."""

from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ...validate.app_package import LARGEST_PACKAGE
from ..model import NotDoneError, UnknownError
from .pages import Pages

FORM = "/admin/accounts/form"


class AdminPages(Pages):
    def routes(self) -> list[Route]:
        return [
            self.route("/admin", self.read),
            self.route("/admin/install", self.install, "POST"),
            self.route("/admin/refresh", self.refresh, "POST"),
            self.route("/admin/uninstall", self.uninstall, "POST"),
            self.route("/admin/apps/{app:number}/settings", self.configure, "POST"),
            self.route("/admin/apps/{app:number}/install", self.install_app, "POST"),
            self.route("/admin/apps/{app:number}/remove", self.remove_app, "POST"),
            self.route("/admin/apps/{app:number}/logo.png", self.read_logo),
            self.route("/admin/accounts/new", self.add_account, "POST"),
            self.route("/admin/accounts/{account:number}/{action}", self.act, "POST"),
            self.route(FORM, self.read_form),
            self.route(f"{FORM}/check", self.check_form, "POST"),
            self.route("/admin/users", self.read_users),
            self.route("/admin/users/{user:number}/erase", self.erase, "POST"),
        ]

    async def read(self, request: Request) -> Response:
        return self.show("admin.html", {"typed": "", "refusal": None})

    async def install(self, request: Request) -> Response:
        """Take a manifest's URL, the path of an installer app, or the app as a zip."""
        form = await request.form()
        typed, package = str(form.get("manifest", "")).strip(), form.get("package")
        try:
            if isinstance(package, UploadFile):
                await self.zendesk.install(await package.read(LARGEST_PACKAGE + 1))
            else:
                await self.zendesk.install(typed if "://" in typed else Path(typed))
        except NotDoneError as error:
            return self.show("admin.html", {"typed": typed, "refusal": error}, 422)
        return RedirectResponse("/admin", 303)

    async def configure(self, request: Request) -> None:
        app = self.zendesk.state.app(request.path_params["app"])
        typed: dict[str, Any] = {name: str(value) for name, value in (await request.form()).items()}
        # What nobody is shown stays as it is when nothing is typed.
        kept = {name: value for name, value in typed.items() if value or name not in app.secure}
        switches = {name: name in typed for name, kind in app.kinds.items() if kind == "checkbox"}
        self.zendesk.apps.configure(app, kept | switches)

    async def install_app(self, request: Request) -> None:
        await self.zendesk.apps.install(self.zendesk.state.app(request.path_params["app"]), {})

    async def remove_app(self, request: Request) -> None:
        await self.zendesk.apps.remove(self.zendesk.state.app(request.path_params["app"]))

    async def read_logo(self, request: Request) -> Response:
        app = self.zendesk.state.app(request.path_params["app"])
        return Response(app.logo, 200, {"x-content-type-options": "nosniff"}, "image/png")

    async def refresh(self, request: Request) -> None:
        await self.zendesk.refresh_manifest()

    async def uninstall(self, request: Request) -> None:
        await self.zendesk.uninstall()

    async def add_account(self, request: Request) -> Response:
        self.zendesk.admin.open()
        return RedirectResponse(FORM, 303)

    async def act(self, request: Request) -> Response | None:
        account = self.zendesk.state.account(request.path_params["account"])
        match request.path_params["action"]:
            case "edit":
                self.zendesk.admin.open(account)
                return RedirectResponse(FORM, 303)
            case "pull":
                await self.zendesk.pull(account)
            case "activate":
                await self.zendesk.activate(account)
            case "deactivate":
                await self.zendesk.deactivate(account)
            case "rotate":
                self.zendesk.tokens.rotate(account)
            case "delete":
                await self.zendesk.remove_account(account)
            case other:
                raise UnknownError(f"Nothing called {other} can be done to an account.")
        return None

    async def read_form(self, request: Request) -> Response:
        """Show the service's form in a frame. Only a POST opens it: that mints a token, and may void the last."""
        editor = self.zendesk.admin.editor
        is_open = editor is not None and not editor.returned
        return self.show("account.html", {"editor": editor if is_open else None}, embeds=True)

    async def check_form(self, request: Request) -> Response:
        """Find out why the frame stays empty, which a browser tells nobody."""
        if (editor := self.zendesk.admin.editor) is None:
            raise UnknownError("No form is open.")
        await self.zendesk.admin.check(editor)
        return RedirectResponse(f"/exchanges/{self.zendesk.log.of('admin_ui')[-1].number}", 303)

    async def read_users(self, request: Request) -> Response:
        return self.show("users.html", {})

    async def erase(self, request: Request) -> None:
        await self.zendesk.erase_user(self.zendesk.state.user(request.path_params["user"]))
