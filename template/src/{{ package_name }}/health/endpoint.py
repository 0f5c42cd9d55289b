"""Health for Zendesk, readiness for what runs the service, and metrics for what watches it."""

import asyncio

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ..core.database import Database
from ..core.metrics import Metrics
from ..web.operator_auth import OperatorAuth

PATIENCE = 5.0
"""Seconds that the database may take to answer."""

logger = structlog.get_logger()


class HealthEndpoint:
    def __init__(self, database: Database, metrics: Metrics, operator_auth: OperatorAuth) -> None:
        self._database = database
        self._metrics = metrics
        self._operator_auth = operator_auth
        self._look: asyncio.Task[None] | None = None

    def routes(self) -> list[Route]:
        return [
            Route("/channel/healthcheck", self.healthy, methods=["GET"]),
            Route("/ready", self.ready, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]

    async def healthy(self, _request: Request) -> Response:
        """The process answers: no login, no database."""
        return PlainTextResponse("OK")

    async def ready(self, _request: Request) -> Response:
        """Requests can be served: the database answers, has the tables and can be written."""
        # Anybody may ask, as often as they like: who asks meanwhile gets the same answer.
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._database.ping())
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.shield(self._look)
        except Exception as error:  # noqa: BLE001
            logger.warning("not ready", reason=repr(error))
            return PlainTextResponse("not ready", status_code=503)
        return PlainTextResponse("ready")

    async def metrics(self, request: Request) -> Response:
        return self._operator_auth.challenge(request) or Response(
            self._metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8"
        )
