"""Worker: a process that does jobs and serves no requests."""

import asyncio
import signal
from collections.abc import Callable

import structlog
from starlette.applications import Starlette

CANNOT_START = 3
"""Exit code, the same as that of `serve`."""

logger = structlog.get_logger()


def work(make_app: Callable[[], Starlette]) -> bool:
    """Run the service without its port until SIGINT or SIGTERM. False, with the reason logged, if it cannot start."""
    try:
        asyncio.run(_work(make_app))
    except Exception:
        logger.exception("the worker cannot start")
        return False
    return True


async def _work(make_app: Callable[[], Starlette]) -> None:
    app = make_app()
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopping.set))
    async with app.router.lifespan_context(app):
        logger.info("worker started")
        await stopping.wait()
    logger.info("worker stopped")
