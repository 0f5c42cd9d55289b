"""Schema: brought up to date by Alembic's revisions, branch by branch."""

from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from .database import VERSIONS


def upgrade(connection: Connection, migrations: Path) -> None:
    configuration = Config()
    configuration.set_main_option("script_location", str(migrations).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    # Each capability brings tables of its own, on a branch of its own. A database may know more than this code: a
    # capability was taken out, or a newer release was rolled back. What they brought stays as it is.
    scripts = ScriptDirectory.from_config(configuration)
    heads = {_branch(revision): revision for revision in scripts.get_heads()}
    unknown = _unknown_revisions(connection, scripts)
    for revision in unknown:
        _replace_version(connection, revision, heads.get(_branch(revision)))
    command.upgrade(configuration, "heads")
    for revision in unknown:
        _replace_version(connection, heads.get(_branch(revision)), revision)


def _unknown_revisions(connection: Connection, scripts: ScriptDirectory) -> Sequence[str]:
    if not inspect(connection).has_table(VERSIONS.name):
        return ()
    known = {script.revision for script in scripts.walk_revisions()}
    return [row.version_num for row in connection.execute(VERSIONS.select()) if row.version_num not in known]


def _branch(revision: str) -> str:
    return revision.rpartition("_")[0]


def _replace_version(connection: Connection, old: str | None, new: str | None) -> None:
    connection.execute(VERSIONS.delete().where(VERSIONS.c.version_num == old))
    if new:
        connection.execute(VERSIONS.insert().values(version_num=new))
