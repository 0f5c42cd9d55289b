"""Job runner on PostgreSQL: Procrastinate's workers, in any number of processes.

A job is a wake-up call and nothing else: it says which account to look at, and is deleted when that has been done.
Procrastinate's own `lock` is not used: a killed worker would hold it until its death is noticed.
"""

import asyncio
from contextlib import suppress

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status
from procrastinate.worker import Worker
from sqlalchemy import make_url

from .procrastinate_schema import UNPREPARED, is_pooled, upgrade
from .runner import AT_ONCE, GRACE, SWEEP, Job, done_without_failing, sweep

CONNECTIONS = 4
"""Of each process, for jobs alone; one more listens for them."""

PATIENCE = 5.0
"""Seconds that a wake-up may wait for a connection: the sweep wakes, too."""

HEARTBEAT = 10.0
DEAD_AFTER = 30.0
"""Seconds after its last heartbeat that a worker is given up."""

logger = structlog.get_logger()


class ProcrastinateRunner:
    def __init__(self, database_url: str) -> None:
        self._address = make_url(database_url).set(drivername="postgresql").render_as_string(False)
        self._jobs: dict[str, Job] = {}
        self._stopping = asyncio.Event()
        self._listens = True
        connector = PsycopgConnector(
            conninfo=self._address,
            min_size=1,
            max_size=CONNECTIONS,
            timeout=PATIENCE,
            kwargs=UNPREPARED,
        )
        self._app = App(connector=connector)
        self._task = self._app.task(name="do")(self._do)

    def register(self, job: Job) -> None:
        self._jobs[job.name] = job

    async def open(self) -> None:
        await upgrade(self._address)
        self._listens = not await is_pooled(self._address)
        if not self._listens:
            logger.info("workers look for jobs every second: a pooler hides calls", setting="DATABASE_URL")
        await self._app.open_async()

    async def wake(self, job: str, account_id: str) -> None:
        # Each job has a queue of its own: a worker of older code leaves alone what it does not know.
        call = self._task.configure(queue=job, queueing_lock=f"{job} {account_id}")
        try:
            await call.defer_async(job=job, account_id=account_id)
        except AlreadyEnqueued:
            pass
        except ConnectorException as error:
            reason = repr(error.__cause__)
            logger.warning("no worker could be woken", job=job, account=account_id, reason=reason)

    async def run(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        await asyncio.gather(
            sweep(self._jobs.values(), self, stopping), self._work(stopping), self._clear_away(stopping)
        )

    async def close(self) -> None:
        await self._app.close_async()

    async def _do(self, job: str, account_id: str) -> None:
        await done_without_failing(self._jobs[job], account_id, self._stopping)

    async def _work(self, stopping: asyncio.Event) -> None:
        """Run a worker until told to stop; one that lost its database is followed by another."""
        while not stopping.is_set():
            worker = Worker(
                self._app,
                queues=list(self._jobs),
                concurrency=AT_ONCE,
                fetch_job_polling_interval=SWEEP,
                # PostgreSQL calls whoever listens by a connection, which a pooler has given to others meanwhile.
                listen_notify=self._listens,
                delete_jobs="always",
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=DEAD_AFTER,
                shutdown_graceful_timeout=GRACE,
                install_signal_handlers=False,
            )
            stop = asyncio.create_task(stopping.wait())
            working = asyncio.create_task(worker.run())  # type: ignore[no-untyped-call]
            await asyncio.wait((stop, working), return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()
            # It is asked, not cancelled: a worker that is just starting can lose a cancellation on the way.
            worker.stop()  # type: ignore[no-untyped-call]
            outcome = (await asyncio.gather(working, return_exceptions=True))[0]
            if not stopping.is_set():
                logger.warning("the worker ended and begins again", reason=repr(outcome))
                await _pause(stopping, SWEEP)

    async def _clear_away(self, stopping: asyncio.Event) -> None:
        """Delete the jobs that dead workers have left; what they were about is swept up."""
        jobs = self._app.job_manager
        while not stopping.is_set():
            try:
                await jobs.prune_stalled_workers(DEAD_AFTER)
                for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER):
                    if job.id is not None:
                        await jobs.finish_job_by_id_async(job.id, Status.ABORTED, delete_job=True)
            except ConnectorException as error:
                logger.warning("jobs of dead workers could not be deleted", reason=repr(error.__cause__))
            await _pause(stopping, DEAD_AFTER)


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
