"""Delivers what the outbox holds, in order, until Zendesk has it (SVC-56 to SVC-58).

`do` may be called at any time, by any number of workers, and be cut off at any moment: whoever holds the account's turn
sends from the head of the queue, and Zendesk recognises what it already has by its external id.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog
from pydantic import ValidationError

from ..connections import Access, Connection, Connections, PushCredentials
from ..marks import Marks
from ..metrics import Metrics
from ..outbox_queue import Message, OutboxQueue, Parent, Settlement
from ..store import Store
from ..trust import UntrustedError
from ..turns import Pause, Turn, TurnLostError, Turns
from .client import (
    AccessRejectedError,
    BusyError,
    RequestRefusedError,
    UnavailableError,
    ZendeskClient,
    ZendeskError,
)
from .messages import RESOURCES_PER_PUSH, PushResult
from .pace import Pace

BYTES_PER_PUSH = 1024 * 1024
"""A larger post is sent alone."""

TRIES = 8
"""After so many refusals of its own a message is a dead letter: about a quarter of an hour after the first."""

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=10)
PARENT_POLL = timedelta(seconds=10)
"""Between two looks whether Zendesk knows a parent that did not come through this service."""

SETTLING = timedelta(seconds=5)
"""What the turn must outlast beside the request: writing down what became of it."""

DELIVERED = frozenset({"success", "already_imported"})
PARENT_UNKNOWN = "could_not_locate_parent_external_resource"
RESULTS = DELIVERED | {PARENT_UNKNOWN, "processing_error", "halted"}

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is sent in one request, and as whom."""

    connection: Connection
    credentials: PushCredentials
    messages: Sequence[Message]


class Delivery:
    """The work of pushing; engines find out for whom it is due and call `do`."""

    name = "delivery"

    def __init__(
        self,
        store: Store,
        connections: Connections,
        queue: OutboxQueue,
        turns: Turns,
        client: ZendeskClient,
        marks: Marks,
        metrics: Metrics,
        *,
        requests_per_minute: int,
        parent_wait: timedelta,
    ) -> None:
        """A post whose parent is unknown waits for it as long as `parent_wait`."""
        self._store = store
        self._connections = connections
        self._queue = queue
        self._turns = turns
        self._client = client
        self._marks = marks
        self._metrics = metrics
        self._pace = Pace(requests_per_minute)
        self._parent_wait = parent_wait

    async def due(self) -> list[str]:
        """The accounts for which `do` may have something to do."""
        return await self._queue.accounts_due(self._turns)

    async def do(self, account_id: str, stopping: asyncio.Event) -> None:
        """Send everything that the account may send now; return at once if another worker is doing so.

        When the service stops, the batch under way is finished.
        """
        # What waits behind another message of its thread is found again and again; looking costs less than a turn.
        if not await self._queue.anything_due(account_id):
            return
        turn = await self._turns.take(account_id)
        if turn is None:
            return
        try:
            await self._send(turn, stopping)
        except TurnLostError as error:
            logger.warning("turn lost", account=account_id, reason=str(error))
        except UntrustedError as error:
            await self._pause(turn, str(error))

    async def _send(self, turn: Turn, stopping: asyncio.Event) -> None:
        size = RESOURCES_PER_PUSH
        while not stopping.is_set() and (batch := await self._next_batch(turn.account_id, size)):
            if broken := _broken(batch.messages):
                turn = await self._settle(turn, broken)
                continue
            now = datetime.now(UTC)
            if (allowed_at := self._pace.allowed_at(turn.spent_until)) > now:
                reason = f"at most {self._pace.requests_per_minute} requests are sent in a minute"
                await self._turns.end(turn, Pause(turn.account_id, allowed_at, reason))
                return
            turn = await self._turns.outlast(turn, self._client.deadline + SETTLING)
            turn = replace(turn, spent_until=self._pace.spend(turn.spent_until, now))
            try:
                results = await self._push(batch)
            except AccessRejectedError as error:
                await self._stop(batch.connection, error)
                break
            except RequestRefusedError as error:
                if len(batch.messages) > 1:
                    # One of them is at fault: it is found by halving.
                    size = len(batch.messages) // 2
                    continue
                turn = await self._settle(turn, [_refused(batch.messages[0], str(error))])
            except (BusyError, UnavailableError) as error:
                await self._pause(turn, str(error), error.retry_after)
                return
            else:
                turn = await self._settle(turn, await self._settlements(batch, results))
                size = min(size * 2, RESOURCES_PER_PUSH)
        await self._turns.end(turn)

    async def _next_batch(self, account_id: str, size: int) -> _Batch | None:
        connection = await self._connections.of(account_id)
        credentials = connection.usable_credentials
        if credentials is None:
            return None
        messages = await self._queue.due(account_id, size, BYTES_PER_PUSH)
        return _Batch(connection, credentials, messages) if messages else None

    async def _push(self, batch: _Batch) -> Sequence[PushResult]:
        connection = batch.connection
        try:
            results = await self._client.push(
                connection.subdomain,
                batch.credentials,
                self._marks.make(connection.account_id),
                tuple(message.resource() for message in batch.messages),
            )
        except ZendeskError as error:
            self._metrics.push_requests.labels(error.outcome).inc()
            raise
        self._metrics.push_requests.labels("accepted").inc()
        if connection.access is Access.unchecked or not connection.confirmed:
            await self._connections.mark(connection, Access.valid)
        return results

    async def _settlements(self, batch: _Batch, results: Sequence[PushResult]) -> list[Settlement]:
        """What becomes of each message; those that were halted are due as before."""
        answers = [
            (message, result.status.code, f"{result.status.code}: {result.status.description or ''}")
            for message, result in zip(batch.messages, results, strict=True)
        ]
        missing = {
            message.parent_id for message, code, _ in answers if code == PARENT_UNKNOWN and message.parent_id
        }
        parents = await self._queue.parents(batch.connection.account_id, missing) if missing else {}
        settlements = []
        for message, code, what in answers:
            self._metrics.deliveries.labels(code if code in RESULTS else "other").inc()
            if code in DELIVERED:
                settlements.append(Settlement(message, "delivered"))
            elif code == PARENT_UNKNOWN and message.parent_id:
                settlements.append(self._without_parent(message, parents.get(message.parent_id)))
            elif code != "halted":
                settlements.append(_failed(message, what))
        return settlements

    def _without_parent(self, message: Message, parent: Parent | None) -> Settlement:
        """Wait for the parent as long as it may still come, then send by the key of its thread."""
        now = datetime.now(UTC)
        since = message.parent_missing_since or now
        until = since + self._parent_wait
        if now < until and not (parent and parent.will_not_come):
            what = "" if message.parent_missing_since else f"waits for {message.parent_id}, which it answers"
            due_at = min(now + PARENT_POLL, until)
            return Settlement(
                message, "waiting", what, due_at=due_at, counted=False, parent_missing_since=since
            )
        thread = parent.thread if parent else message.thread
        resource = message.resource().model_copy(update={"parent_id": None, "thread_id": thread})
        what = f"{message.parent_id}, which it answers, did not come: goes by the key of its thread"
        return Settlement(message, "waiting", what, counted=False, resource=resource)

    async def _settle(self, turn: Turn, settlements: Sequence[Settlement]) -> Turn:
        for entry in settlements:
            if entry.fate == "dead":
                logger.error(
                    "dead letter",
                    account=turn.account_id,
                    external_id=entry.message.external_id,
                    reason=entry.what,
                )
        async with self._store.writing() as connection:
            renewed = await self._turns.renew(connection, replace(turn, failures=0))
            await self._queue.settle(connection, turn.account_id, settlements)
        return renewed

    async def _stop(self, connection: Connection, error: AccessRejectedError) -> None:
        logger.error(
            "pushing stopped: an admin must open and save the account in Zendesk",
            account=connection.account_id,
            reason=str(error),
        )
        await self._connections.mark(connection, Access.rejected, str(error))

    async def _pause(self, turn: Turn, reason: str, retry_after: timedelta | None = None) -> None:
        failing = replace(turn, failures=turn.failures + 1)
        wait = retry_after or _backoff(failing.failures)
        logger.warning("pushing paused", account=turn.account_id, reason=reason, seconds=wait.total_seconds())
        await self._turns.end(failing, Pause(turn.account_id, datetime.now(UTC) + wait, reason))


def _broken(messages: Sequence[Message]) -> list[Settlement]:
    """A deploy can tighten the limits while messages wait."""
    broken = []
    for message in messages:
        try:
            message.resource()
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"])) or "the whole of it"
            broken.append(Settlement(message, "dead", f"is no valid post any more: {where}: {fault['msg']}"))
    return broken


def _failed(message: Message, what: str) -> Settlement:
    tries = message.attempts + 1
    if tries >= TRIES:
        return Settlement(message, "dead", what)
    # The first repeat keeps its place before those that were halted behind it.
    due_at = datetime.now(UTC) + _backoff(tries - 1) if tries > 1 else None
    return Settlement(message, "waiting", what, due_at=due_at)


def _refused(message: Message, what: str) -> Settlement:
    return replace(_failed(message, what), due_at=datetime.now(UTC) + _backoff(message.attempts + 1))


def _backoff(failures: int) -> timedelta:
    """Four times as long each time, and never at the same moment for all."""
    longest: timedelta = min(FIRST_WAIT * 4.0 ** min(failures - 1, 10), LONGEST_WAIT)
    return longest * random.uniform(0.5, 1)  # noqa: S311
