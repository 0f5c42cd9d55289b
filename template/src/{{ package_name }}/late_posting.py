"""Posts the replies that Zendesk was answered already, and tells agents of those that fail (SVC-51, SVC-59)."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from .accounts import Accounts, ConfigurationOutdatedError, UnknownAccountError
from .connections import Access, Connections
from .identity import NAME
from .late_replies import LateReplies, LateReply
from .ledger import Answered, Busy
from .marks import Marks
from .metrics import Metrics
from .origin_protocol import CannotTellError, OriginError
from .posting import NotPostedError, OutcomeOpenError, Posting
from .reply_ids import ReplyIds
from .store import Store
from .trust import UntrustedError
from .turns import TurnLostError, Turns
from .zendesk.client import (
    AccessRejectedError,
    BusyError,
    RequestRefusedError,
    UnavailableError,
)
from .zendesk.reporting import DESCRIPTION_LIMIT, ReportingClient

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=5)

BUSY_PAUSE = timedelta(seconds=2)
"""Until it is looked again whether a reply, which somebody is posting, was posted."""

REPORT_PATIENCE = timedelta(days=1)
"""How long after a failure Zendesk is still asked to take the report."""

Said = tuple[str, str]
"""How what an agent is told begins, and what it ends with."""

NOT_POSTED: Said = (f"This reply was not posted at {NAME}", "Once that is mended, write it again.")
MAYBE_POSTED: Said = (
    f"Nobody knows whether this reply was posted at {NAME}",
    "Look there before you write it again.",
)

logger = structlog.get_logger()


class LatePosting:
    """The work of posting late; the ledger's claim sees to it that each reply is posted once."""

    name = "replies"

    def __init__(
        self,
        store: Store,
        accounts: Accounts[Any],
        connections: Connections,
        replies: LateReplies,
        posting: Posting,
        client: ReportingClient,
        marks: Marks,
        metrics: Metrics,
        patience: timedelta,
    ) -> None:
        """Take for how long after its acceptance a reply is tried."""
        self._store = store
        self._accounts = accounts
        self._connections = connections
        self._replies = replies
        self._reply_ids = ReplyIds(store)
        self._posting = posting
        self._client = client
        self._marks = marks
        self._metrics = metrics
        self._patience = patience
        self._turns = Turns(store, self.name, posting.lease)

    async def due(self) -> list[str]:
        """The accounts for which `do` has something to do."""
        return await self._replies.accounts_due(self._turns)

    async def do(self, account_id: str, stopping: asyncio.Event) -> None:
        """Post and report what may be now, in the order of acceptance; return at once if another is doing so."""
        turn = await self._turns.take(account_id)
        if turn is None:
            return
        try:
            while not stopping.is_set() and (reply := await self._replies.next(account_id)):
                await (self._report(reply) if reply.state == "failed" else self._post(reply))
                async with self._store.writing() as connection:
                    turn = await self._turns.renew(connection, turn)
        except TurnLostError:
            return
        finally:
            await self._turns.end(turn)

    async def _post(self, reply: LateReply) -> None:
        try:
            account = await self._accounts.by_id(reply.account_id)
            configuration = self._accounts.configuration_of(account)
        except UnknownAccountError:
            return
        except ConfigurationOutdatedError as error:
            await self._missed(reply, NOT_POSTED, f"an admin must edit the account: {error}", final=True)
            return
        match await self._posting.claim(account.id, reply.request_unique_identifier):
            case Answered(origin_id):
                await self._replies.posted(account.id, reply.request_unique_identifier, origin_id)
            case Busy():
                await self._replies.postpone(
                    reply, datetime.now(UTC) + BUSY_PAUSE, "an earlier try may still be under way"
                )
            case claimed:
                request = await self._reply_ids.to_origin(reply.request)
                try:
                    await self._posting.post(claimed, account, configuration, request)
                except NotPostedError as error:
                    await self._missed(reply, NOT_POSTED, str(error), final=not error.temporary)
                except OutcomeOpenError as error:
                    nobody_can_tell = claimed.interrupted and isinstance(error.cause, CannotTellError)
                    await self._missed(reply, MAYBE_POSTED, _reason(error), final=nobody_can_tell)

    async def _missed(self, reply: LateReply, said: Said, reason: str, *, final: bool) -> None:
        """Try again later, or give up and have the agent told what is `said` and why."""
        now = datetime.now(UTC)
        last_try = reply.since + self._patience
        if final or now >= last_try:
            logger.warning("late reply given up", account=reply.account_id, reason=reason)
            await self._replies.fail(reply, _description(said, reason))
        else:
            await self._replies.postpone(reply, min(now + _backoff(reply.tries), last_try), reason)

    async def _report(self, reply: LateReply) -> None:
        now = datetime.now(UTC)
        if now >= reply.since + REPORT_PATIENCE:
            await self._replies.close(reply, "unreported", reply.detail)
            return
        wait = _backoff(reply.tries)
        try:
            connection = await self._connections.of(reply.account_id)
            if credentials := connection.usable_credentials:
                mark = self._marks.make(reply.account_id)
                await self._client.report_error(
                    connection.subdomain, credentials, mark, reply.external_id, reply.detail
                )
                self._metrics.replies.labels("reported").inc()
                await self._replies.close(reply, "reported", reply.detail)
                return
        except AccessRejectedError as error:
            await self._connections.mark(connection, Access.rejected, str(error))
        except RequestRefusedError as error:
            logger.warning("Zendesk refused a report", account=reply.account_id, reason=str(error))
            await self._replies.close(reply, "unreported", reply.detail)
            return
        except BusyError as error:
            wait = error.retry_after or wait
        except (UnavailableError, UnknownAccountError, UntrustedError) as error:
            logger.warning("a report was not made", account=reply.account_id, reason=str(error))
        await self._replies.postpone(reply, now + wait, reply.detail)


def _backoff(tries: int) -> timedelta:
    """Twice as long each time, and never at the same moment for all."""
    longest: timedelta = min(FIRST_PAUSE * 2.0 ** min(tries, 20), LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1)  # noqa: S311


def _reason(error: OutcomeOpenError) -> str:
    return str(error) if isinstance(error.cause, OriginError) else "the origin did not answer as it should"


def _description(said: Said, reason: str) -> str:
    """Make what an agent reads, in at most 511 characters (SVC-59)."""
    opening, advice = said
    room = DESCRIPTION_LIMIT - len(opening) - len(advice) - len(": . ")
    return f"{opening}: {reason[:room].rstrip(' .')}. {advice}"
