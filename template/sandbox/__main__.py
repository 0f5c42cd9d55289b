"""`python -m sandbox`: Zendesk on this machine, beside this project's service or any other one."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from pydantic import ValidationError

from . import command
from .origins import HAS_DEMONSTRATION, demonstration, wants_demonstration
from .service_process import HOST
from .zendesk import Settings, Zendesk
from .zendesk.options import OptionError, add_fault, add_push_result, change

_PORT = click.IntRange(1, 65535)


@click.command()
@click.option("--port", type=_PORT, default=8000, show_default=True, help="Port of the service.")
@click.option(
    "--origin-port",
    type=_PORT,
    default=8001,
    show_default=True,
    help="Port of the demonstration origin.",
    hidden=not HAS_DEMONSTRATION,
)
@click.option("--zendesk-port", type=_PORT, default=8002, show_default=True, help="Port of Zendesk.")
@click.option(
    "--host",
    type=click.Choice([HOST, "0.0.0.0"]),  # noqa: S104
    default=HOST,
    show_default=True,
    help="Listen on this machine alone, or let every other one in.",
)
@click.option("--no-reload", is_flag=True, help="Leave the service alone when its code changes.")
@click.option(
    "--demonstration-origin/--no-demonstration-origin",
    "wanted",
    default=None,
    help="Start the demonstration origin, or leave the service's own one alone; by default, as origin.py asks.",
    hidden=not HAS_DEMONSTRATION,
)
@click.option(
    "--origin-only",
    is_flag=True,
    help="Start the demonstration origin and nothing else.",
    hidden=not HAS_DEMONSTRATION,
)
@click.option(
    "--manifest",
    metavar="URL|PATH",
    help="Start Zendesk alone, for the service with this manifest, or with this installer app.",
)
@click.option(
    "--app",
    "apps",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Install this app as well, from its folder or zip, and show its pages to agents.",
)
@click.option("--allow-http", is_flag=True, help="Take that service on this machine without https.")
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep Zendesk's state here, and go on from it.",
)
@click.option(
    "--pull-interval",
    type=click.FloatRange(min=0, max=86400),
    default=120,
    show_default=True,
    help="Seconds between pulls.",
)
@click.option(
    "--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change one of Zendesk's settings."
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="ENDPOINT=WHAT[,WHAT]",
    help="Let something go wrong: a status, delay:SECONDS, drop-before, drop-after; times:NUMBER or always.",
)
@click.option(
    "--push-result",
    "results",
    multiple=True,
    metavar="ID=CODE",
    help="Answer a pushed post with this code once.",
)
@click.option("--stale-manifest", is_flag=True, help="Never read a changed manifest.")
@click.option("--duplicate-events", is_flag=True, help="Send each batch of events twice.")
@click.option("--reorder-events", is_flag=True, help="Send the events of a batch last first.")
def main(
    port: int,
    origin_port: int,
    zendesk_port: int,
    host: str,
    no_reload: bool,
    wanted: bool | None,
    origin_only: bool,
    manifest: str | None,
    apps: tuple[Path, ...],
    allow_http: bool,
    file: Path | None,
    pull_interval: float,
    changes: tuple[str, ...],
    faults: tuple[str, ...],
    results: tuple[str, ...],
    **switches: bool,
) -> None:
    """Run the service with a Zendesk to try it in, and with the origin that it reads."""
    if origin_only and manifest:
        raise click.UsageError("--origin-only starts no Zendesk that could read a --manifest.")
    if (origin_only or wanted) and not HAS_DEMONSTRATION:
        raise click.UsageError("This project began with an origin of its own and has no demonstration.")
    if origin_only and wanted is False:
        raise click.UsageError("With --origin-only there is nothing but the demonstration origin.")
    if host != HOST:
        click.echo(
            f"\n  Warning: whoever reaches this machine can use the sandbox, which asks for no password (--host {host}).",
            err=True,
        )
    if origin_only:
        sys.exit(asyncio.run(command.run_origin(demonstration(), host, origin_port)))
    settings = Settings(
        # In a browser that is another site than the service's 127.0.0.1, as zendesk.com is.
        address=os.environ.get("ZENDESK_URL") or f"http://localhost:{zendesk_port}",
        allow_loopback_http=allow_http or not manifest,
        pull_interval=pull_interval,
    )
    _each("--set", changes, change, settings)
    zendesk = _zendesk(settings, file)
    _each("--fault", faults, add_fault, zendesk.faults)
    _each("--push-result", results, add_push_result, zendesk.faults)
    for name, on in switches.items():
        setattr(zendesk.faults, name, on)
    wanted = wants_demonstration() if wanted is None else wanted
    ports = command.Ports(host, port, origin_port, zendesk_port)
    if manifest:
        sys.exit(asyncio.run(command.run_zendesk(zendesk, ports, apps, _source(manifest))))
    origin = demonstration() if wanted else None
    run = command.run_all(zendesk, ports, apps, reload=not no_reload, demonstration=origin)
    sys.exit(asyncio.run(run))


def _zendesk(settings: Settings, file: Path | None) -> Zendesk:
    try:
        return Zendesk(settings=settings, file=file)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
    except OSError as error:
        reason = error.strerror or str(error)
    raise click.ClickException(
        f"{file} cannot be read as a session of the sandbox: {reason}. "
        "It was left as it is. Give another file with --file, or move this one away."
    )


def _each(option: str, texts: tuple[str, ...], take: Callable[[Any, str], None], target: Any) -> None:
    for text in texts:
        try:
            take(target, text)
        except OptionError as error:
            raise click.BadParameter(str(error), param_hint=option) from None


def _source(manifest: str) -> str | Path:
    if urlsplit(manifest).scheme in ("http", "https"):
        return manifest
    if not Path(manifest).exists():
        raise click.BadParameter(
            f"{manifest} is neither the URL of a manifest nor the folder or zip of an installer app.",
            param_hint="--manifest",
        )
    return Path(manifest)


if __name__ == "__main__":
    main(prog_name="python -m sandbox")
