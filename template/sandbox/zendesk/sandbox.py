"""Zendesk for code without `await`: a front of the same object, which lives on a loop of its own."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.types import ASGIApp

from .channelback import Upload
from .model import Account, Comment, Ticket
from .pulls import Pull
from .zendesk import Zendesk

T = TypeVar("T")


class Sandbox:
    """Enter it to install the integration. Zendesk's API answers on loopback for as long, at `address`."""

    def __init__(
        self, manifest: str | Path | None = None, service: ASGIApp | None = None, **options: Any
    ) -> None:
        """Take what `Zendesk` takes."""
        self.zendesk = Zendesk(manifest, service, **options)
        self._portal: BlockingPortal
        self._running = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            self._portal = starting.enter_context(start_blocking_portal())
            starting.enter_context(self._portal.wrap_async_context_manager(self.zendesk.serving()))
            starting.enter_context(self._portal.wrap_async_context_manager(self.zendesk))
            self._running = starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    @property
    def address(self) -> str:
        return self.zendesk.settings.address

    @property
    def tickets(self) -> list["AgentTicket"]:
        return [AgentTicket(self, ticket) for ticket in self.zendesk.tickets]

    def add_account(self, name: str, **typed: str | Sequence[str]) -> Account:
        return self.run(self.zendesk.add_account, name, **typed)

    def pull(self, account: Account) -> Pull:
        return self.run(self.zendesk.pull, account)

    def run(self, call: Callable[..., Awaitable[T]], *arguments: Any, **named: Any) -> T:
        """Await anything that `zendesk` can do: `sandbox.run(sandbox.zendesk.deactivate, account)`."""

        async def awaited() -> T:
            return await call(*arguments, **named)

        return self._portal.call(awaited)


class AgentTicket:
    """A ticket on an agent's screen."""

    def __init__(self, sandbox: Sandbox, ticket: Ticket) -> None:
        self.ticket = ticket
        self._sandbox = sandbox

    @property
    def comments(self) -> list[Comment]:
        return self.ticket.comments

    def reply(self, message: str, files: Sequence[Upload] = ()) -> Comment:
        return self._sandbox.run(self._sandbox.zendesk.reply, self.ticket, message, files)
