"""`POST /channel/pull`: Zendesk asks every two minutes for each account's new posts (SVC-26 to SVC-34)."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..accounts import Account, Accounts, ConfigurationOutdatedError, UnknownAccountError
from ..cursor import Cursor
from ..journal import Journal, Outcome, PullRecord, Quarantined
from ..messages import ExternalResource, PullRequest, PullResponse, parents_first
from ..metrics import Metrics
from ..origin_protocol import CredentialsRejectedError, Item, OriginError, OriginProtocol
from .files import FileLinks
from .forms import BODY_LIMIT, read_form, read_message
from .refusals import Refusal

RESOURCES_PER_PULL = 200
BYTES_PER_PULL = 3 * 1024 * 1024
"""A pull that has gathered as much ends there: what stands before the service may not pass on a longer answer."""

logger = structlog.get_logger()


@dataclass
class Batch:
    """What one pull has gathered so far; `cursor` is the last post that was looked at."""

    cursor: Cursor
    resources: list[ExternalResource] = field(default_factory=list)
    size: int = 0
    quarantined: list[Quarantined] = field(default_factory=list)
    outcome: Outcome = "complete"
    trouble: Exception | None = None

    @property
    def full(self) -> bool:
        return len(self.resources) == RESOURCES_PER_PULL or self.size >= BYTES_PER_PULL


class PullEndpoint:
    def __init__(
        self,
        accounts: Accounts[Any],
        origin: OriginProtocol[Any],
        journal: Journal,
        links: FileLinks,
        metrics: Metrics,
        deadline: timedelta,
    ) -> None:
        self._accounts = accounts
        self._origin = origin
        self._journal = journal
        self._links = links
        self._metrics = metrics
        self._deadline = deadline

    def routes(self) -> list[Route]:
        return [Route("/channel/pull", self.respond, methods=["POST"], max_body_size=BODY_LIMIT)]

    async def respond(self, request: Request) -> Response:
        form = await read_form(request)
        pull = read_message(PullRequest, form.fields())
        try:
            account = await self._accounts.by_metadata(pull.metadata)
        except UnknownAccountError as error:
            raise Refusal(403, "unknown_account", str(error)) from None
        started, at = time.perf_counter(), datetime.now(UTC)
        batch = Batch(_cursor(pull.state))
        start = batch.cursor
        response = PullResponse(external_resources=())
        try:
            configuration = self._accounts.configuration_of(account)
        except ConfigurationOutdatedError as error:
            batch.outcome, detail = "outdated", str(error)
            response = PullResponse(external_resources=(), metadata_needs_update=True)
        else:
            await self._collect(account, configuration, batch)
            detail = repr(batch.trouble) if batch.trouble else ""
            response = PullResponse(
                external_resources=tuple(parents_first(batch.resources)),
                state=batch.cursor.encode(),
                metadata=self._renewed_metadata(account, pull.metadata),
            )
        record = PullRecord(
            account_id=account.id,
            at=at,
            seconds=time.perf_counter() - started,
            outcome=batch.outcome,
            returned=len(batch.resources),
            quarantined=len(batch.quarantined),
            detail=detail,
        )
        await self._journal.record(record, batch.quarantined)
        self._observe(record)
        if batch.trouble and batch.cursor == start:
            raise _refusal(batch.trouble)
        return Response(response.model_dump_json(exclude_none=True), media_type="application/json")

    async def _collect(self, account: Account, configuration: Any, batch: Batch) -> None:
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                while await self._collect_page(account, configuration, batch):
                    pass
        except CredentialsRejectedError as error:
            batch.outcome, batch.trouble = "credentials rejected", error
        except OriginError as error:
            batch.outcome, batch.trouble = "origin unavailable", error
        except TimeoutError as error:
            batch.outcome, batch.trouble = "cut short", error
        except Exception as error:
            logger.exception("pull failed", account=account.id)
            batch.outcome, batch.trouble = "failed", error

    async def _collect_page(self, account: Account, configuration: Any, batch: Batch) -> bool:
        """Add one page to the batch and say whether it is worth asking for another."""
        room = RESOURCES_PER_PULL - len(batch.resources)
        page = await self._origin.fetch(configuration, batch.cursor, room)
        ahead = self._ahead(account, page.items, batch)
        for place, item in ahead:
            if batch.full:
                break
            batch.cursor = place
            self._convert(account, configuration, item, batch)
        more = page.more or any(place > batch.cursor for place, _ in ahead)
        if more and batch.full:
            batch.outcome = "more waiting"
        return bool(more and ahead and not batch.full)

    def _ahead(self, account: Account, items: Iterable[Item], batch: Batch) -> list[tuple[Cursor, Item]]:
        """Give the items behind the cursor in order; one that has no place in it is quarantined."""
        ahead = []
        for item in items:
            try:
                place = Cursor(item.time, item.id)
            except (TypeError, ValueError) as error:
                self._quarantine(account, item, error, batch)
            else:
                if place > batch.cursor:
                    ahead.append((place, item))
        return sorted(ahead, key=lambda placed: placed[0])

    def _convert(self, account: Account, configuration: Any, item: Item, batch: Batch) -> None:
        # Whatever is wrong with one post must not hold up the others, and the conversion is people's own code.
        try:
            resource = self._origin.to_resource(configuration, item, self._links.maker(account))
            if resource is not None:
                # Fields hold anything; what is no JSON has to show here, not when the whole answer is written.
                size = len(resource.model_dump_json(exclude_none=True).encode())
                batch.resources.append(resource)
                batch.size += size
        except Exception as error:  # noqa: BLE001
            self._quarantine(account, item, error, batch)

    def _quarantine(self, account: Account, item: Item, error: Exception, batch: Batch) -> None:
        reason = _reason(error)
        logger.warning("post quarantined", account=account.id, item=item.id, reason=reason)
        batch.quarantined.append(Quarantined(account.id, str(item.id)[:255], reason, datetime.now(UTC)))

    def _renewed_metadata(self, account: Account, held: str) -> str | None:
        # Once every account has been pulled with a new key, the old key can go.
        current = self._accounts.metadata(account)
        return None if held == current else current

    def _observe(self, record: PullRecord) -> None:
        self._metrics.pulls.labels(record.outcome).inc()
        self._metrics.resources.labels("returned").inc(record.returned)
        self._metrics.resources.labels("quarantined").inc(record.quarantined)
        logger.info(
            "pull",
            account=record.account_id,
            outcome=record.outcome,
            returned=record.returned,
            quarantined=record.quarantined,
            detail=record.detail,
        )


def _cursor(state: str) -> Cursor:
    try:
        return Cursor.decode(state)
    except ValueError as error:
        # Zendesk recognises what it already has, so starting over loses nothing; refusing for ever would.
        logger.warning("unreadable state: pulling from the start", reason=str(error))
        return Cursor.start()


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
    return f"{type(error).__name__}: {error}"


def _refusal(trouble: Exception) -> Refusal:
    if isinstance(trouble, CredentialsRejectedError):
        return Refusal(401, "origin_credentials", str(trouble))
    if isinstance(trouble, OriginError):
        return Refusal(503, "origin_unavailable", str(trouble), retry_after=60)
    if isinstance(trouble, TimeoutError):
        return Refusal(503, "origin_too_slow", "The origin did not answer in time", retry_after=60)
    return Refusal(500, "internal_error", "The service failed while it read the origin")
