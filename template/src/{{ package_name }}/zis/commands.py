"""`zis`: the bundle in Zendesk Integration Services, from nothing to a running flow and back."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..core.printing import escaped_lines

if TYPE_CHECKING:
    from ..settings import Settings
    from .deploying import Deployment

SECONDS = 30
"""How long Zendesk may take to answer one call."""

in_environment = click.option(
    "--env", "environment", required=True, metavar="NAME", help="One of those in environments.toml."
)
may_be_dry = click.option(
    "--dry-run",
    is_flag=True,
    help="Print the calls that would change something, and make only those that read.",
)
may_prune = click.option("--prune", is_flag=True, help="Uninstall job specs that the bundle has no more.")


@click.group()
def zis() -> None:
    """Bring the bundle in zis/ to Zendesk Integration Services, and take its flows out of service.

    An environment of environments.toml names the Zendesk account. ZENDESK_EMAIL and ZENDESK_API_TOKEN, or
    ZENDESK_OAUTH_TOKEN, prove an admin; `token` makes what the integration's own calls need.
    """


@zis.command()
@in_environment
@may_be_dry
def register(environment: str, *, dry_run: bool) -> None:
    """Register the integration's name, which is unique over all of Zendesk; one's own may be registered again."""
    _do(environment, lambda deployment: deployment.register(), dry_run=dry_run)


@zis.command()
@in_environment
@may_be_dry
@click.option("--renew", is_flag=True, help="Make another one although the present one works.")
def token(environment: str, *, dry_run: bool, renew: bool) -> None:
    """Make the integration's own token, into var/zis-NAME.env, which nobody else can read."""
    _do(environment, lambda deployment: deployment.make_token(renew=renew), dry_run=dry_run)


@zis.command("connection-token")
@in_environment
@click.option("--output", type=click.Path(path_type=Path), help="A file that nobody else can read.")
@click.pass_obj
def connection_token(load_settings: "Callable[[], Settings]", environment: str, output: Path | None) -> None:
    """Show the token with which flows prove themselves to the service, where its SIGNING_KEYS are set.

    For `connect` on another machine, in ZIS_CONNECTION_TOKEN, and for the app's page in Zendesk.
    """
    from .deploying import write_secret

    text = _connection_token(load_settings, environment)
    if output:
        write_secret(output, f"{text}\n")
        click.echo(f"The token is in {output}, which nobody else can read.")
    else:
        click.echo(text)


@zis.command()
@in_environment
@may_be_dry
@click.option("--replace", is_flag=True, help="Make the connection again if it exists.")
@click.pass_obj
def connect(
    load_settings: "Callable[[], Settings]", environment: str, *, dry_run: bool, replace: bool
) -> None:
    """Give the flows the token with which the service knows them, by a connection to its host alone.

    The token is ZIS_CONNECTION_TOKEN, or made from the SIGNING_KEYS that are set here.
    """
    text = os.environ.get("ZIS_CONNECTION_TOKEN") or _connection_token(load_settings, environment)
    _do(environment, lambda deployment: deployment.connect(text, replace=replace), dry_run=dry_run)


@zis.command()
@in_environment
@may_be_dry
@may_prune
def upload(environment: str, *, dry_run: bool, prune: bool) -> None:
    """Upload the bundle if it differs, install its job specs again, and check that they are."""
    _do(environment, lambda deployment: deployment.upload(prune=prune), dry_run=dry_run)


@zis.command()
@in_environment
@may_be_dry
@may_prune
def install(environment: str, *, dry_run: bool, prune: bool) -> None:
    """Install the job specs of what was uploaded: from now on events start the flows."""
    _do(environment, lambda deployment: deployment.install(prune=prune), dry_run=dry_run)


@zis.command()
@in_environment
@may_be_dry
def uninstall(environment: str, *, dry_run: bool) -> None:
    """Uninstall every job spec of the integration: no event starts a flow any more."""
    _do(environment, lambda deployment: deployment.uninstall(), dry_run=dry_run)


@zis.command()
@in_environment
def status(environment: str) -> None:
    """Say what Zendesk has, and what keeps the flows from running."""
    _do(environment, lambda deployment: click.echo(escaped_lines("\n".join(deployment.status()))))


@zis.command()
@in_environment
def diff(environment: str) -> None:
    """Show what an upload would change; exit code 1 if anything."""

    def show(deployment: "Deployment") -> None:
        from .bundles import bundle_for, difference
        from .environments import environment_of

        text = difference(deployment.uploaded() or {}, bundle_for(environment_of(environment)))
        click.echo(escaped_lines(text) or "Zendesk has this bundle.")
        sys.exit(1 if text else 0)

    _do(environment, show)


@zis.command()
def validate() -> None:
    """Check zis/bundle.json by what Zendesk takes and its runtime can run."""
    if not Path("sandbox", "validate", "__main__.py").is_file():
        raise click.ClickException("There is no sandbox here. Run this command in the project's own folder.")
    command = [sys.executable, "-m", "sandbox.validate", "zis/bundle.json"]
    os.execv(command[0], command)  # noqa: S606


def _do(environment: str, step: Callable[["Deployment"], object], *, dry_run: bool = False) -> None:
    import httpx2

    from ..core.proxies import Proxies
    from .api import Api, credentials_of
    from .deploying import Deployment
    from .environments import DeploymentError, environment_of

    try:
        found = environment_of(environment)
        zendesk = httpx2.URL(found.zendesk_url)
        proxy = Proxies().leading_to(zendesk.scheme, zendesk.host)
        with httpx2.Client(timeout=SECONDS, trust_env=False, proxy=proxy) as http:
            api = Api(http, found, credentials_of(found), _say, dry_run)
            step(Deployment(api))
    except (DeploymentError, ValueError) as error:
        # What Zendesk answers may hold what somebody else has written.
        raise click.ClickException(escaped_lines(str(error))) from None


def _say(text: str) -> None:
    click.echo(escaped_lines(text), err=True)


def _connection_token(load_settings: "Callable[[], Settings]", environment: str) -> str:
    from ..core.security import Signer
    from .connection_tokens import connection_token as made
    from .environments import DeploymentError, environment_of

    try:
        subdomain = environment_of(environment).subdomain
    except DeploymentError as error:
        raise click.ClickException(str(error)) from None
    return made(Signer([key.get_secret_value() for key in load_settings().signing_keys]), subdomain)
