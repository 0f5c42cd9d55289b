"""`python -m sandbox.app`: packs and checks the app that installs the channel."""

import sys
from pathlib import Path

import click

from ..validate.app_package import NoPackageError, judge, read_package
from ..validate.report import report
from .packaging import (
    ENVIRONMENTS,
    FOLDER,
    NotPackedError,
    integration_of,
    manifest_url_of,
    packed_files,
    zipped,
)


@click.group()
def main() -> None:
    """Pack and check the app with which an admin installs the channel."""


@main.command(
    epilog="Exit codes: 0 nothing is wrong but what is warned of, 1 something is, 2 the command cannot be carried out."
)
@click.argument("package", metavar="[FOLDER|ZIP]", default=FOLDER, type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or programs.",
)
def validate(package: Path, output: str) -> None:
    """Check an app as Zendesk does when it is uploaded, by default the one in installer_app/.

    What Zendesk refuses is an error. What it takes, and what is hardly meant, is a warning.
    """
    try:
        found = judge(read_package(package), f"{package}/")
    except NoPackageError as error:
        raise click.UsageError(str(error)) from None
    click.echo(report(found, 1, "package", output))
    sys.exit(1 if any(finding.severity == "error" for finding in found) else 0)


@main.command()
@click.option("--env", "environment", required=True, metavar="NAME", help=f"One of those in {ENVIRONMENTS}.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The zip to write; dist/installer_app-NAME.zip by default.",
)
@click.option("--unpacked", is_flag=True, help="Write a folder instead, for zcli.")
def package(environment: str, output: Path | None, *, unpacked: bool) -> None:
    """Pack installer_app/ for one environment, with its manifest's address and a logo.

    The same files give the same bytes, so that a package can be told by its hash.
    """
    target = output or Path("dist", f"installer_app-{environment}{'' if unpacked else '.zip'}")
    try:
        _must_lie_outside(target)
        manifest_url = manifest_url_of(environment)
        files = packed_files(FOLDER, manifest_url, environment, integration_of(environment))
        found = judge(files, f"{FOLDER}/")
    except (NotPackedError, NoPackageError) as error:
        raise click.ClickException(str(error)) from None
    if found:
        click.echo(report(found, 1, "package", "text"), err=True)
    if any(finding.severity == "error" for finding in found):
        raise click.ClickException("Nothing was packed.")
    try:
        _write(target, files, unpacked=unpacked)
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}.") from None
    click.echo(f"{target} is ready to be uploaded.")


def _must_lie_outside(target: Path) -> None:
    inside = FOLDER.resolve()
    if target.resolve().is_relative_to(inside) and not target.resolve().is_relative_to(inside / "tmp"):
        raise NotPackedError(
            f"{target} lies inside of {FOLDER}, and Zendesk refuses a package with a package in it. "
            f"Write it elsewhere, or below {FOLDER / 'tmp'}."
        )


def _write(target: Path, files: dict[str, bytes], *, unpacked: bool) -> None:
    if not unpacked:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(zipped(files))
        return
    for name, content in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)


if __name__ == "__main__":
    main(prog_name="python -m sandbox.app")
