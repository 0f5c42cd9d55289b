"""`python -m sandbox.validate`: checks files, as a linter does."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from .. import wire
from .documents import UnreadableError, read
from .findings import Finding, finding_of, findings
from .recognition import recognised
from .report import report

STANDARD_INPUT = "-"


@click.command(
    epilog="Exit codes: 0 nothing is wrong but what is warned of, 1 something is, 2 the command cannot be carried out."
)
@click.argument("files", metavar="FILE...", nargs=-1, type=click.Path(exists=True, allow_dash=True))
@click.option(
    "--schema", type=click.Choice(wire.names()), metavar="NAME", help="What the files hold; see --list."
)
@click.option("--form", is_flag=True, help="The files are urlencoded forms, whatever they look like.")
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or programs.",
)
@click.option("--list", "list_schemas", is_flag=True, help="List the names of the schemas.")
def main(files: Sequence[str], schema: str | None, form: bool, output: str, list_schemas: bool) -> None:
    """Check payloads against the schemas of the wire contract, and what no schema can express.

    A FILE holds one message as JSON or as a urlencoded form; - is standard input, a folder its .json files. Which message it is, is told by
    its name (manifest.json, requirements.json, translations/en.json, pull-response.json) or by its keys; --schema
    says it. A file that is no JSON is a finding like any other.

    With --output json the findings are one array of objects with the keys file, line, column, pointer, schema,
    keyword, rules, message, remedy, sources and severity.
    """
    if list_schemas:
        width = max(map(len, wire.names()))
        for name in wire.names():
            click.echo(f"{name:{width}}  {wire.schema(name)['title']}")
        return
    if not files:
        raise click.UsageError("Name at least one file, or - for standard input.")
    named = [file for name in files for file in _files(name)]
    found = {file: _checked(file, schema, form=form) for file in dict.fromkeys(named)}
    every = [finding for of_file in found.values() for finding in of_file]
    click.echo(report(every, len(found), "file", output))
    sys.exit(1 if any(finding.severity == "error" for finding in every) else 0)


def _files(name: str) -> list[str]:
    """Return the JSON files of a folder, in any depth, or the one file."""
    if not Path(name).is_dir():
        return [name]
    if inside := sorted(map(str, Path(name).rglob("*.json"))):
        return inside
    raise click.UsageError(f"{name}: there is no file whose name ends in .json in this folder.")


def _checked(file: str, schema: str | None, *, form: bool) -> list[Finding]:
    shown = "<stdin>" if file == STANDARD_INPUT else file
    try:
        document = read(_content(file), form=form or file.endswith(".form"))
    except UnreadableError as error:
        return [finding_of(shown, schema, error.problem)]
    name = schema or recognised(file, document.value, is_form=document.is_form)
    if name is None:
        raise click.UsageError(
            f"{shown}: neither its name nor its keys tell which message it holds. Say it with --schema; "
            f"the names are {', '.join(wire.names())}."
        )
    return findings(shown, name, document)


def _content(file: str) -> bytes:
    if file == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    return Path(file).read_bytes()


if __name__ == "__main__":
    main(prog_name="python -m sandbox.validate")
