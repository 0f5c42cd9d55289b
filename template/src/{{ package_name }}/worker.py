"""`worker`: does the work that is due without serving requests, beside `serve` or in its place."""

import asyncio
import signal
import sys
from collections.abc import Callable

import click
import structlog
from sqlalchemy import make_url

from . import logs
from .app import create_app
from .settings import Environment, Settings

CANNOT_START = 3
"""Exit code, the same as that of `serve`."""

logger = structlog.get_logger()


@click.command()
@click.pass_obj
def worker(load_settings: Callable[[], Settings]) -> None:
    """Deliver what is owed to Zendesk; with PostgreSQL, any number of workers share the work.

    Workers that are to do it alone need WORKER_INSIDE=false in the environment of `serve`.
    """
    settings = load_settings()
    if make_url(settings.database_url).get_backend_name() == "sqlite":
        raise click.ClickException(
            "DATABASE_URL is a SQLite file, which one process uses: `serve` delivers by itself. "
            "Workers beside it need PostgreSQL."
        )
    logs.configure(settings.log_level, readable=settings.environment is Environment.development)
    try:
        asyncio.run(_work(settings))
    except Exception:
        logger.exception("the worker cannot start")
        sys.exit(CANNOT_START)


async def _work(settings: Settings) -> None:
    # The whole service but its port: what the work needs is built and ended in the same way.
    app = create_app(settings.model_copy(update={"worker_inside": True}))
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopping.set))
    async with app.router.lifespan_context(app):
        logger.info("worker started")
        await stopping.wait()
    logger.info("worker stopped")
