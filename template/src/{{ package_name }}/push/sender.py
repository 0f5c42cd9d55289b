"""Sender: the job that drains the outbox in order, until Zendesk has every post (SVC-56 to SVC-58).

`do` may be called at any time, by any number of workers, and be cut off at any moment: whoever holds the account's lease
sends from the head of the queue, and Zendesk recognises what it already has by its external id.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from pydantic import ValidationError

from ..core.accounts import UnknownAccountError
from ..core.backoff import Backoff
from ..core.database import Database
from ..core.leases import Lease, LeaseLostError, Leases, Pause
from ..core.messages import ExternalResource
from ..core.metrics import Metrics
from ..core.request_ids import RequestIds
from ..core.security import UntrustedError
from .credentials import Access, CredentialStore, PushCredentials, PushToken
from .messages import RESOURCES_PER_PUSH, PushResult
from .queue import OutboxQueue, Parent, QueuedPost, Settlement
from .rate_limit import RateLimit
from .zendesk_api import (
    AccessRejectedError,
    BusyError,
    RequestRefusedError,
    UnavailableError,
    ZendeskApi,
    ZendeskError,
)

BYTES_PER_PUSH = 1024 * 1024
"""A larger post is sent alone."""

TRIES = 8
"""After so many refusals of its own a message is a dead letter: about a quarter of an hour after the first."""

BACKOFF = Backoff(first=timedelta(seconds=1), factor=4, longest=timedelta(minutes=10))
PARENT_POLL = timedelta(seconds=10)
"""Between two looks whether Zendesk knows a parent that did not come through this service."""

SETTLING = timedelta(seconds=5)
"""What the lease must outlast beside the request: writing down what became of it."""

DELIVERED = frozenset({"success", "already_imported"})
PARENT_UNKNOWN = "could_not_locate_parent_external_resource"
RESULTS = DELIVERED | {PARENT_UNKNOWN, "processing_error", "halted"}

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is sent in one request, and as whom."""

    credentials: PushCredentials
    token: PushToken
    messages: Sequence[QueuedPost]


class Sender:
    """Sends for one account at a time; the job runner finds out for which one it is due."""

    name = "sender"

    def __init__(
        self,
        database: Database,
        credential_store: CredentialStore,
        queue: OutboxQueue,
        leases: Leases,
        zendesk_api: ZendeskApi,
        request_ids: RequestIds,
        metrics: Metrics,
        *,
        requests_per_minute: int,
        parent_wait: timedelta,
    ) -> None:
        """A post whose parent is unknown waits for it as long as `parent_wait`."""
        self._database = database
        self._clock = database.clock
        self._credential_store = credential_store
        self._queue = queue
        self._leases = leases
        self._zendesk_api = zendesk_api
        self._request_ids = request_ids
        self._metrics = metrics
        self._rate_limit = RateLimit(requests_per_minute)
        self._parent_wait = parent_wait

    async def due(self) -> list[str]:
        """The accounts for which `do` may have something to do."""
        return await self._queue.accounts_due(self._leases)

    async def do(self, account_id: str, stopping: asyncio.Event) -> None:
        """Send everything that the account may send now; return at once if another worker is doing so.

        When the service stops, the batch under way is finished.
        """
        # What waits behind another message of its thread, or for a token, is found again and again; looking costs less
        # than a lease.
        if not await self._may_push(account_id) or not await self._queue.anything_due(account_id):
            return
        lease = await self._leases.take(account_id)
        if lease is None:
            return
        try:
            await self._send(lease, stopping)
        except LeaseLostError as error:
            logger.warning("lease lost", account=account_id, reason=str(error))
        except UntrustedError as error:
            await self._pause(lease, str(error))

    async def _may_push(self, account_id: str) -> bool:
        try:
            return (await self._credential_store.of(account_id)).usable_token is not None
        except UnknownAccountError:
            return False
        except UntrustedError:
            # It is to be seen as a pause, which takes a lease.
            return True

    async def _send(self, lease: Lease | None, stopping: asyncio.Event) -> None:
        size = RESOURCES_PER_PUSH
        while lease and not stopping.is_set() and (batch := await self._next_batch(lease.account_id, size)):
            resources, broken = _read(batch.messages)
            if broken:
                lease = await self._settle(lease, broken)
                continue
            now = self._clock.now()
            if (allowed_at := self._rate_limit.allowed_at(lease.spent_until, now)) > now:
                reason = f"at most {self._rate_limit.requests_per_minute} requests are sent in a minute"
                await self._leases.end(lease, Pause(lease.account_id, allowed_at, reason))
                return
            lease = await self._leases.outlast(lease, self._zendesk_api.deadline + SETTLING)
            lease = replace(lease, spent_until=self._rate_limit.spend(lease.spent_until, now))
            try:
                results = await self._push(batch, resources)
            except AccessRejectedError as error:
                await self._stop(batch.credentials, error)
                break
            except RequestRefusedError as error:
                if len(batch.messages) > 1:
                    # One of them is at fault: it is found by halving.
                    size = len(batch.messages) // 2
                    continue
                settlements = [self._refused(batch.messages[0], str(error))]
            except (BusyError, UnavailableError) as error:
                await self._pause(lease, str(error), error.retry_after)
                return
            else:
                settlements = await self._settlements(batch, results)
                size = min(size * 2, RESOURCES_PER_PUSH)
            lease = await self._settle(lease, settlements)
        if lease:
            await self._leases.end(lease)

    async def _next_batch(self, account_id: str, size: int) -> _Batch | None:
        messages = await self._queue.due(account_id, size, BYTES_PER_PUSH)
        if not messages:
            return None
        credentials = await self._credential_store.of(account_id)
        token = credentials.usable_token
        return _Batch(credentials, token, messages) if token else None

    async def _push(self, batch: _Batch, resources: Sequence[ExternalResource]) -> Sequence[PushResult]:
        credentials = batch.credentials
        try:
            results = await self._zendesk_api.push(
                credentials.subdomain,
                batch.token,
                self._request_ids.make(credentials.account_id),
                tuple(resources),
            )
        except ZendeskError as error:
            self._metrics.push_requests.labels(error.outcome).inc()
            raise
        self._metrics.push_requests.labels("accepted").inc()
        if credentials.access is Access.unchecked or not credentials.confirmed:
            await self._credential_store.set_access(credentials, Access.valid)
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
        parents = await self._queue.parents(batch.credentials.account_id, missing) if missing else {}
        settlements = []
        for message, code, what in answers:
            self._metrics.deliveries.labels(code if code in RESULTS else "other").inc()
            if code in DELIVERED:
                settlements.append(Settlement(message, "delivered"))
            elif code == PARENT_UNKNOWN and message.parent_id:
                settlements.append(self._without_parent(message, parents.get(message.parent_id)))
            elif code != "halted":
                settlements.append(self._failed(message, what))
        return settlements

    def _without_parent(self, message: QueuedPost, parent: Parent | None) -> Settlement:
        """Wait for the parent as long as it may still come, then send by the key of its thread."""
        now = self._clock.now()
        # A clock that was ahead may have missed it in the future.
        since = min(message.parent_missing_since or now, now)
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

    async def _settle(self, lease: Lease, settlements: Sequence[Settlement]) -> Lease | None:
        """Write down what became of a batch; with the last of what waits the lease ends, too."""
        for entry in settlements:
            if entry.fate == "dead":
                logger.error(
                    "dead letter",
                    account=lease.account_id,
                    external_id=entry.message.external_id,
                    reason=entry.what,
                )
        async with self._database.writing() as connection:
            renewed = await self._leases.renew(connection, replace(lease, failures=0))
            await self._queue.settle(connection, lease.account_id, settlements)
            if not await self._queue.is_empty(connection, lease.account_id):
                return renewed
            await self._leases.end_in(connection, renewed)
        return None

    async def _stop(self, credentials: PushCredentials, error: AccessRejectedError) -> None:
        logger.error(
            "pushing stopped: an admin must open and save the account in Zendesk",
            account=credentials.account_id,
            reason=str(error),
        )
        await self._credential_store.set_access(credentials, Access.rejected, str(error))

    async def _pause(self, lease: Lease, reason: str, retry_after: timedelta | None = None) -> None:
        failing = replace(lease, failures=lease.failures + 1)
        wait = retry_after or BACKOFF.wait(failing.failures)
        logger.warning(
            "pushing paused", account=lease.account_id, reason=reason, seconds=wait.total_seconds()
        )
        await self._leases.end(failing, Pause(lease.account_id, self._clock.now() + wait, reason))

    def _failed(self, message: QueuedPost, what: str) -> Settlement:
        tries = message.attempts + 1
        if tries >= TRIES:
            return Settlement(message, "dead", what)
        # The first repeat keeps its place before those that were halted behind it.
        due_at = self._clock.now() + BACKOFF.wait(tries - 1) if tries > 1 else None
        return Settlement(message, "waiting", what, due_at=due_at)

    def _refused(self, message: QueuedPost, what: str) -> Settlement:
        return replace(
            self._failed(message, what), due_at=self._clock.now() + BACKOFF.wait(message.attempts + 1)
        )


def _read(messages: Sequence[QueuedPost]) -> tuple[list[ExternalResource], list[Settlement]]:
    """Give the posts, and the end of those that are none: a deploy can tighten the limits while messages wait."""
    resources, broken = [], []
    for message in messages:
        try:
            resources.append(message.resource())
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"])) or "the whole of it"
            broken.append(Settlement(message, "dead", f"is no valid post any more: {where}: {fault['msg']}"))
    return resources, broken
