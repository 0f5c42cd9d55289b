"""`outbox`: what people do about posts that Zendesk does not have. `webhook`: what they register by hand."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import click

from ..core.printing import escaped

if TYPE_CHECKING:
    from ..core.accounts import Account
    from ..settings import Settings
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
    load_settings: "Callable[[], Settings]",
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
        from pydantic import TypeAdapter

        from .outbox import Kept

        click.echo(TypeAdapter(list[Kept]).dump_json(kept, indent=2, ensure_ascii=True))
    elif kept:
        click.echo("\n".join(escaped(line) for message in kept for line in _described(message)))
    else:
        click.echo(f"No message is {' or '.join(states)}.")


@outbox.command()
@click.argument("message_ids", metavar="[ID]...", nargs=-1, type=int)
@click.option("--all", "every", is_flag=True, help="Every dead message.")
@click.pass_obj
def retry(load_settings: "Callable[[], Settings]", message_ids: tuple[int, ...], every: bool) -> None:
    """Put dead messages back where they stood; the running service sends them within seconds."""
    if bool(message_ids) is every:
        raise click.UsageError("Give the ids of dead messages, as `outbox list` shows them, or --all.")
    retried = _run(load_settings, lambda outbox: outbox.retry(message_ids))
    _tell("retried", len(retried), message_ids, "dead")


@outbox.command()
@click.argument("message_ids", metavar="ID...", nargs=-1, type=int, required=True)
@click.pass_obj
def drop(load_settings: "Callable[[], Settings]", message_ids: tuple[int, ...]) -> None:
    """Delete dead and quarantined messages for good."""
    dropped = _run(load_settings, lambda outbox: outbox.drop(message_ids))
    _tell("dropped", dropped, message_ids, "dead or quarantined")


@click.command()
@click.argument("account_id", metavar="[ACCOUNT]", required=False)
@click.option("--secret", "with_secret", is_flag=True, help="Print the account's secret as well.")
@click.pass_obj
def webhook(load_settings: "Callable[[], Settings]", account_id: str | None, with_secret: bool) -> None:
    """Show the address of an account's webhook, to register it by hand; without ACCOUNT, that of each.

    ACCOUNT is the id of an account, as this command lists it.
    """
    if with_secret and account_id is None:
        raise click.UsageError("Name the ACCOUNT whose secret is to be printed.")
    from .subscriptions import webhook_address

    settings = load_settings()
    found, secret = asyncio.run(_accounts(settings, account_id, with_secret=with_secret))
    if not found and account_id:
        raise click.ClickException(f"No account has the id {account_id}. Without an id all are listed.")
    for account in found:
        click.echo(escaped(f"{account.id}  {account.name} ({account.subdomain})"))
        click.echo(f"    {webhook_address(settings.public_url, account.id)}")
    if secret:
        click.echo(f"    {secret}")
    if not found:
        click.echo("There is no account yet. An admin adds one in Zendesk's Admin Center.")


async def _accounts(
    settings: "Settings", account_id: str | None, *, with_secret: bool
) -> "tuple[list[Account], str]":
    from ..core.accounts import Accounts, UnknownAccountError
    from ..core.database import Database
    from ..core.security import Sealer, Signer, UntrustedError
    from ..origin import Configuration
    from .credentials import CredentialStore

    database = Database(settings.database_url)
    sealer = Sealer([key.get_secret_value() for key in settings.sealing_keys])
    signer = Signer([key.get_secret_value() for key in settings.signing_keys])
    try:
        await database.migrate()
        every = await Accounts(database, signer, sealer, Configuration).all()
        found = [account for account in every if account_id in (None, account.id)]
        secret = ""
        if with_secret and found:
            credentials = await CredentialStore(database, sealer).of(found[0].id)
            secret = credentials.webhook_secret.get_secret_value()
    except (UnknownAccountError, UntrustedError) as error:
        raise click.ClickException(f"There is no secret to print: {error}.") from None
    finally:
        await database.close()
    return found, secret


def _run(load_settings: "Callable[[], Settings]", act: "Callable[[Outbox], Awaitable[ResultT]]") -> ResultT:
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
