"""`outbox`: what people do about posts that Zendesk does not have."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import click
from pydantic import TypeAdapter

from ..settings import Settings

if TYPE_CHECKING:
    from .outbox import Kept, Outbox

ResultT = TypeVar("ResultT")


@click.group()
def outbox() -> None:
    """Look at posts that Zendesk does not have, retry or drop them."""


@outbox.command("list")
@click.option("--account", "account_id", help="Only messages of the account with this id.")
@click.option(
    "--state",
    "states",
    type=click.Choice(("dead", "quarantined", "waiting")),
    multiple=True,
    default=("dead", "quarantined"),
    show_default=True,
    help="May be given several times.",
)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="The newest so many.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.pass_obj
def list_messages(
    load_settings: Callable[[], Settings],
    account_id: str | None,
    states: tuple[str, ...],
    limit: int,
    as_json: bool,
) -> None:
    """Show messages with what happened to them, the newest first.

    Dead messages were refused by Zendesk too often; quarantined posts could not become a valid message.
    """
    kept = _run(load_settings, lambda outbox: outbox.kept(*states, account_id=account_id, limit=limit))
    if as_json:
        from .outbox import Kept

        click.echo(TypeAdapter(list[Kept]).dump_json(kept, indent=2, ensure_ascii=True))
    elif kept:
        from ..core.logs import escaped

        click.echo("\n".join(escaped(line) for message in kept for line in _described(message)))
    else:
        click.echo(f"No message is {' or '.join(states)}.")


@outbox.command()
@click.argument("message_ids", metavar="[ID]...", nargs=-1, type=int)
@click.option("--all", "every", is_flag=True, help="Every dead message.")
@click.pass_obj
def retry(load_settings: Callable[[], Settings], message_ids: tuple[int, ...], every: bool) -> None:
    """Put dead messages back where they stood; the running service sends them within seconds."""
    if bool(message_ids) is every:
        raise click.UsageError("Give the ids of dead messages, as `outbox list` shows them, or --all.")
    retried = _run(load_settings, lambda outbox: outbox.retry(message_ids))
    _tell("retried", len(retried), message_ids, "dead")


@outbox.command()
@click.argument("message_ids", metavar="ID...", nargs=-1, type=int, required=True)
@click.pass_obj
def drop(load_settings: Callable[[], Settings], message_ids: tuple[int, ...]) -> None:
    """Delete dead and quarantined messages for good."""
    dropped = _run(load_settings, lambda outbox: outbox.drop(message_ids))
    _tell("dropped", dropped, message_ids, "dead or quarantined")


def _run(load_settings: Callable[[], Settings], act: "Callable[[Outbox], Awaitable[ResultT]]") -> ResultT:
    from ..core.database import Database
    from .outbox import Outbox

    async def run() -> ResultT:
        database = Database(load_settings().database_url)
        try:
            await database.migrate()
            return await act(Outbox(database))
        finally:
            await database.close()

    return asyncio.run(run())


def _tell(done: str, count: int, asked: Sequence[int], state: str) -> None:
    click.echo(f"{count} {'message' if count == 1 else 'messages'} {done}.")
    if missed := len(set(asked)) - count if asked else 0:
        raise click.ClickException(
            f"{missed} of the ids {'is' if missed == 1 else 'are'} not of a {state} message: see `outbox list`."
        )


def _described(message: "Kept") -> list[str]:
    tries = f"{message.attempts} {'try' if message.attempts == 1 else 'tries'}"
    lines = [
        f"{message.id}  {message.state}  {message.external_id}  {tries}",
        f"    account {message.account_id}, thread {message.thread}, accepted {_moment(message.accepted_at)}",
    ]
    if message.state == "waiting":
        lines.append(f"    due {_moment(message.due_at)}")
    return lines + [f"    {_moment(at)}  {what}" for at, what in message.history]


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
