"""Jobs: background work account by account, done by a runner that suits the database."""

from sqlalchemy import make_url

from .runner import InProcessRunner, Job, JobRunner

__all__ = ["Job", "JobRunner", "runner_for"]


def runner_for(database_url: str) -> JobRunner:
    """Tasks inside this process on SQLite, Procrastinate's workers on PostgreSQL."""
    if make_url(database_url).get_backend_name() == "postgresql":
        # Its import takes a quarter of a second, which SQLite need not wait for.
        from .procrastinate_runner import ProcrastinateRunner  # noqa: PLC0415

        return ProcrastinateRunner(database_url)
    return InProcessRunner()
