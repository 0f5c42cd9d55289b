"""The command line: serve, keys, and the tools that lie beside the project in its sandbox."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import click
import uvicorn

from . import logs
from .accounts import Accounts
from .app import create_app
from .identity import NAME, SLUG, VERSION
from .origin import Configuration
from .settings import (
    DEVELOPMENT_KEYS,
    Environment,
    Settings,
    SettingsError,
    new_operator_password,
    new_sealing_key,
    new_signing_key,
)
from .store import Store
from .trust import Sealer, Signer, UntrustedError

GRACE = 60
"""Seconds that requests under way are given when the service stops."""


@click.group(help=f"{NAME} in Zendesk Support.")
@click.version_option(VERSION, prog_name=SLUG)
def main() -> None:
    pass


@main.command()
@click.option("--host", help="Address to listen on; HOST by default.")
@click.option("--port", type=int, help="Port to listen on; PORT by default.")
def serve(host: str | None, port: int | None) -> None:
    """Bring the database up to date and serve Zendesk's requests."""
    settings = _settings()
    logs.configure(settings.log_level, readable=settings.environment is Environment.development)
    # Once it has stopped, uvicorn raises the signal again: the process would end as if it had been killed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    uvicorn.run(
        create_app(settings),
        host=host or settings.host,
        port=port or settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )


@main.group()
def keys() -> None:
    """Make and rotate the keys that sign references and seal configurations."""


@keys.command()
def create() -> None:
    """Print new secrets for production, ready for the environment."""
    click.echo(f"SIGNING_KEYS={new_signing_key()}")
    click.echo(f"SEALING_KEYS={new_sealing_key()}")
    click.echo(f"OPERATOR_PASSWORD={new_operator_password()}")


@keys.command()
def rotate() -> None:
    """Print the present keys with a new one before each; older keys keep working until they are removed.

    Set both, restart, run `keys reseal`, and remove the old keys once every account has been used again.
    """
    settings = _settings()
    signing = [new_signing_key(), *(key.get_secret_value() for key in settings.signing_keys)]
    sealing = [new_sealing_key(), *(key.get_secret_value() for key in settings.sealing_keys)]
    click.echo(f"SIGNING_KEYS={','.join(signing)}")
    click.echo(f"SEALING_KEYS={','.join(sealing)}")


@keys.command()
def reseal() -> None:
    """Seal every stored configuration with the newest key."""
    settings = _settings()
    try:
        count = asyncio.run(_reseal(settings))
    except UntrustedError as error:
        raise click.ClickException(f"Nothing was changed: a configuration is {error}.") from None
    click.echo(f"{count} configurations are sealed with the newest key.")


# These commands are the sandbox's own, with their options and their help; here they are only handed on.
_HANDED_ON = {"ignore_unknown_options": True, "help_option_names": []}


@main.command(context_settings=_HANDED_ON)
@click.argument("arguments", nargs=-1)
def sandbox(arguments: tuple[str, ...]) -> None:
    """Run the service beside the demonstration origin, on this machine alone."""
    _hand_on("sandbox", arguments)


@main.command(context_settings=_HANDED_ON)
@click.argument("arguments", nargs=-1)
def validate(arguments: tuple[str, ...]) -> None:
    """Check payloads against the wire contract, file by file."""
    _hand_on("sandbox.validate", arguments)


def _hand_on(module: str, arguments: tuple[str, ...]) -> None:
    if not Path(*module.split("."), "__main__.py").is_file():
        raise click.ClickException("There is no sandbox here. Run this command in the project's own folder.")
    # In place of this process, so that Ctrl-C and signals reach the sandbox itself.
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606


def _settings() -> Settings:
    made_before = DEVELOPMENT_KEYS.exists()
    try:
        settings = Settings.load()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    if DEVELOPMENT_KEYS.exists() and not made_before:
        click.echo(f"Made keys for development in {DEVELOPMENT_KEYS}.", err=True)
    return settings


async def _reseal(settings: Settings) -> int:
    store = Store(settings.database_url)
    try:
        await store.migrate()
        signer = Signer([key.get_secret_value() for key in settings.signing_keys])
        sealer = Sealer([key.get_secret_value() for key in settings.sealing_keys])
        return await Accounts(store, signer, sealer, Configuration).reseal()
    finally:
        await store.close()
