"""Which engine does the work: the database decides."""

from collections.abc import Sequence

from sqlalchemy import make_url

from .engine import Engine, InProcessEngine, Work
from .engine_postgresql import PostgresqlEngine


def engine_for(database_url: str, works: Sequence[Work]) -> Engine:
    if make_url(database_url).get_backend_name() == "postgresql":
        return PostgresqlEngine(database_url, works)
    return InProcessEngine(works)
