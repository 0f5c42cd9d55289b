"""Zendesk as one object: what admins, agents and time do to an integration."""

import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlencode

import httpx2
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from ..serving import serving
from . import pages
from . import state as states
from .addresses import names_host, origin, resolved
from .admin import Admin
from .attachments import Attachments
from .calls import Answer, Calls
from .changes import Changes
from .channelback import Channelback, Upload
from .clock import Clock, RealClock
from .context import Context
from .events import Events
from .exchanges import ExchangeLog
from .faults import DroppedError, Faults
from .front import Front
from .imports import Imports, via
from .installer import Apps, open_package
from .integration_services import IntegrationServices
from .manifest import Manifests
from .model import Account, Comment, Manifest, State, Status, Ticket, UnknownError, User
from .proxy import Proxy
from .pulls import FeatureOffError, Pull, Pulls
from .push import Push
from .scheduler import Scheduler
from .settings import Settings
from .tokens import Tokens
from .verdicts import Remark
from .zaf.hosting import Hosting
from .zaf.rest import Rest

CLICK_TIMEOUT = 30
MOST_REDIRECTS = 5


class Zendesk:
    """One Zendesk account in which one integration is installed.

    Enter it to install the integration. `manifest` is the URL of its manifest, or the path of its installer app;
    without it nothing is installed yet. `service` is the integration as an ASGI application; without it the integration is called over HTTP.
    """

    def __init__(
        self,
        manifest: str | Path | None = None,
        service: ASGIApp | None = None,
        *,
        settings: Settings | None = None,
        clock: Clock | None = None,
        file: Path | None = None,
    ) -> None:
        self.service = service
        self.settings = settings or Settings()
        self.clock = clock or RealClock()
        self.state = states.load(file) if file else State()
        self.faults = Faults()
        self.changes = Changes()
        self.log = ExchangeLog(self.changes, self.settings)
        self.log.hide(
            *(token.text for token in self.state.tokens), *(each.metadata for each in self.accounts)
        )
        self._source = manifest
        self._file = file
        self._running = contextlib.AsyncExitStack()
        context = Context(self.state, self.settings, self.clock, self.faults, self.log, self.changes)
        transport = httpx2.ASGITransport(service, raise_app_exceptions=False) if service else None
        self._http = httpx2.AsyncClient(transport=transport, timeout=None, trust_env=False)
        self._http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._own = httpx2.AsyncClient(transport=InProcess(self))
        self.calls = Calls(context, self._http)
        self.tokens = Tokens(context)
        self.events = Events(context, self.calls)
        self.imports = Imports(context, self.calls)
        self.admin = Admin(context, self.calls, self.events, self.tokens, self._own)
        self.pulls = Pulls(context, self.calls, self.imports, self.events)
        self.channelback = Channelback(context, self.calls, self.events)
        self.manifests = Manifests(context, self.calls)
        self.zis = IntegrationServices(context, self.calls, self._own)
        self.scheduler = Scheduler(context, self.manifests, self.pulls, self.zis)
        push = Push(context, self.imports, self.events, self.tokens)
        self.apps = Apps(context, self.install, self.uninstall)
        posts = [
            *self.admin.doors(),
            *push.doors(),
            *Proxy(context, self.calls).doors(),
            *self.apps.doors(),
        ]
        gets = Attachments(context, self.tokens).doors()
        front = Front(context)
        self.hosting = Hosting(context, self.calls)
        api = [*self.hosting.routes(front), *self.zis.routes(front), *self.apps.routes(front)]
        api += [*Rest(context, self.reply, self.note).routes(front), *front.routes(posts, gets)]
        self.links: dict[str, str] = {}
        """What else runs beside Zendesk, for the start page: addresses by name."""
        self.hints: list[str] = []
        """What an admin may type into the service's form."""
        self.app = Router([*api, *pages.routes(self)], redirect_slashes=False)

    async def __aenter__(self) -> Self:
        """Install the integration, unless a resumed session has it. Raises ManifestRefusedError, PackageRefusedError."""
        async with contextlib.AsyncExitStack() as starting:
            starting.push_async_callback(self._close)
            if self._file:
                await starting.enter_async_context(states.kept(self._file, self.state, self.changes))
            if self._source is not None and self.state.manifest is None:
                await self.install(self._source)
            self._running = starting.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    async def _close(self) -> None:
        await self.zis.close()
        await self._http.aclose()
        await self._own.aclose()

    @property
    def manifest(self) -> Manifest:
        return self.state.installed

    @property
    def accounts(self) -> list[Account]:
        return self.state.accounts

    @property
    def tickets(self) -> list[Ticket]:
        return self.state.tickets

    # --- As an admin ----------------------------------------------------------------------------------

    async def install(self, manifest: str | Path | bytes) -> Manifest | None:
        """Install a channel by its manifest's URL, or an app: a folder, a zip, or its bytes.

        Raises ManifestRefusedError and PackageRefusedError.
        """
        if not isinstance(manifest, str):
            app = open_package(manifest, self.settings)
            await self.apps.install(self.apps.add(app), {})
            return self.state.manifest
        self.state.manifest = await self.manifests.fetch(manifest)
        self.events.emit("create_integration", {"manifest_url": self.state.manifest.url})
        await self.events.settle()
        return self.state.manifest

    async def uninstall(self) -> None:
        """Remove the integration, its accounts first."""
        for account in list(self.accounts):
            await self.remove_account(account)
        self.events.emit("destroy_integration", {"manifest_url": self.manifest.url})
        await self.events.settle()
        for app in self.state.apps:
            app.installed = app.installed and app.manifest_url != self.manifest.url
        self.state.manifest = None

    async def refresh_manifest(self) -> bool:
        return await self.scheduler.refresh()

    async def add_account(self, name: str, **typed: str | Sequence[str]) -> Account:
        """Add an account through the service's own pages; `typed` goes into the fields of its forms by name.

        Raises HandshakeError.
        """
        return await self.admin.go_through(None, {"name": name, **typed})

    async def edit_account(self, account: Account, **typed: str | Sequence[str]) -> Account:
        return await self.admin.go_through(account, typed)

    async def remove_account(self, account: Account) -> None:
        """Remove an account; its tickets stay."""
        account.active = False
        self.tokens.revoke(account.push_id)
        self.state.accounts.remove(account)
        self.events.emit("destroy_integration_instance", {"metadata": account.metadata})
        await self.events.settle()

    async def activate(self, account: Account) -> None:
        self.pulls.activate(account)
        await self.events.settle()

    async def deactivate(self, account: Account) -> None:
        self.pulls.deactivate(account, "api")
        await self.events.settle()

    async def erase_user(self, user: User) -> None:
        """Delete a user's data, here and by an event at the service (ZEN-57)."""
        account = next((each for each in self.accounts if each.id == user.account_id), None)
        data: dict[str, Any] = {"author": {"external_id": user.external_id}}
        self.state.users.remove(user)
        for ticket in self.tickets:
            if ticket.requester_id == user.id:
                ticket.requester_id, ticket.subject = None, "(deleted)"
        for comment in self.state.comments():
            if comment.author_id == user.id:
                comment.author_id, comment.body, comment.html_body, comment.files = (
                    None,
                    "(deleted)",
                    None,
                    [],
                )
        self.events.emit("destroy_user_identity", data | ({"metadata": account.metadata} if account else {}))
        await self.events.settle()

    # --- As an agent ----------------------------------------------------------------------------------

    async def reply(self, ticket: Ticket, message: str, files: Sequence[Upload] = ()) -> Comment:
        return await self.channelback.reply(ticket, message, files)

    def note(self, ticket: Ticket, message: str) -> Comment:
        """Write an internal note, of which the service hears nothing."""
        comment = Comment(
            self.state.new_id(), ticket.id, message, self.clock.now(), public=False, by_agent=True
        )
        ticket.comments.append(comment)
        self.changes.note()
        return comment

    def set_status(self, ticket: Ticket, status: Status) -> None:
        """Change a ticket's status; flows hear of it with what is due next."""
        if ticket.status == "closed":
            raise UnknownError(f"A ticket that is closed cannot become {status}.")
        ticket.status = status
        self.changes.note()

    def via(self, ticket: Ticket) -> dict[str, Any]:
        account = next((each for each in self.accounts if each.id == ticket.account_id), None)
        return via(self.manifest, account)

    def clickthrough_url(self, comment: Comment) -> str | None:
        """Where a comment's link leads, if it has one (ZEN-59)."""
        url = self.manifest.urls.get("clickthrough_url")
        if url is None or comment.external_id is None:
            return None
        return f"{url}{'&' if '?' in url else '?'}{urlencode({'external_id': comment.external_id})}"

    async def click_through(self, comment: Comment) -> Answer:
        """Open a comment's link as an agent's browser does, as far as it stays with the service."""
        url = self.clickthrough_url(comment)
        if url is None:
            raise FeatureOffError("This comment has no link to the origin.")
        target = url
        for _ in range(MOST_REDIRECTS):
            answer = await self.calls.get("clickthrough", target, CLICK_TIMEOUT)
            before, target = target, resolved(target, answer.headers.get("location", ""))
            if not answer.is_redirect or origin(target) != origin(url) or target == before:
                break
        host, said = origin(target)[1], unquote(comment.external_id or "").lower()
        if answer.status >= 400:
            answer.remark(Remark("", f"the link was answered with {answer.status}", ("SVC-53",)))
        elif answer.is_redirect and host != origin(url)[1] and names_host(said, host):
            wrong = "the browser is led to wherever the id says, which anyone may write"
            answer.remark(Remark("", wrong, ("SVC-53",), "Redirect to known hosts only."))
        return answer

    # --- As time goes by ------------------------------------------------------------------------------

    async def pull(self, account: Account) -> Pull:
        return await self.pulls.pull(account)

    async def advance(self, seconds: float) -> list[Pull]:
        return await self.scheduler.advance(seconds)

    @contextlib.asynccontextmanager
    async def serving(self, listener: socket.socket | None = None) -> AsyncIterator[str]:
        """Answer over HTTP at Zendesk's address, which goes into the service's `ZENDESK_URL`.

        Without a listener there, that becomes a free port of this machine.
        """
        if listener is None:
            listener = socket.create_server(("127.0.0.1", 0))
            self.settings.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        # A dropped answer is no error of the server's, though it takes it for one.
        async with serving(over_http(self.app), listener, log_level="critical"):
            self.changes.ended = False
            try:
                yield self.settings.address
            finally:
                self.changes.end()


class InProcess(httpx2.AsyncBaseTransport):
    """Leads a service in this process to Zendesk, whatever the host is called."""

    def __init__(self, zendesk: Zendesk) -> None:
        self._zendesk = zendesk

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        transport = httpx2.ASGITransport(self._zendesk.app)
        try:
            return await transport.handle_async_request(request)
        except DroppedError:
            raise httpx2.RemoteProtocolError("the connection was dropped", request=request) from None


def over_http(app: ASGIApp) -> ASGIApp:
    """Close the connection where an answer is dropped: a server takes it for an answer that broke off."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except DroppedError:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})

    return serve
