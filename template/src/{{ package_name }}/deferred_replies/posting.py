"""Deferred posting: the job that posts deferred replies, and tells agents of those that fail (SVC-51, SVC-59)."""

import asyncio
from datetime import timedelta
from typing import Any

import structlog

from ..channelback.claims import Answered, Busy
from ..channelback.endpoint import as_origin_knows_it
from ..channelback.posting import NOTHING_POSTED, NotPostedError, OutcomeOpenError, Posting
from ..core.accounts import Accounts, ConfigurationOutdatedError, UnknownAccountError
from ..core.database import Database
from ..core.leases import LeaseLostError, Leases
from ..core.masking import mask
from ..core.origin_backoff import retry_after
from ..identity import NAME
from ..origin_protocol import CannotTellError, OriginError
from ..push.messages import DESCRIPTION_LIMIT
from .replies import DeferredReplies, DeferredReply
from .reply_ids import ReplyIds
from .reporting import BACKOFF, Reporting

BUSY_PAUSE = timedelta(seconds=2)
"""Until it is looked again whether a reply, which somebody is posting, was posted."""

Said = tuple[str, str]
"""How what an agent is told begins, and what it ends with."""

NOT_POSTED: Said = (f"This reply was not posted at {NAME}", "Once that is mended, write it again.")
MAYBE_POSTED: Said = (
    f"Nobody knows whether this reply was posted at {NAME}",
    "Look there before you write it again.",
)

logger = structlog.get_logger()


class DeferredPosting:
    """Posts and reports account by account; the reply's claim sees to it that it is posted once."""

    name = "deferred_replies"

    def __init__(
        self,
        database: Database,
        accounts: Accounts[Any],
        replies: DeferredReplies,
        reply_ids: ReplyIds,
        posting: Posting,
        reporting: Reporting,
        patience: timedelta,
    ) -> None:
        """Take for how long after its acceptance a reply is tried."""
        self._database = database
        self._clock = database.clock
        self._accounts = accounts
        self._replies = replies
        self._reply_ids = reply_ids
        self._posting = posting
        self._reporting = reporting
        self._patience = patience
        self.leases = Leases(database, self.name, posting.lease)

    async def due(self) -> list[str]:
        """The accounts for which `do` has something to do."""
        return await self._replies.accounts_due(self.leases)

    async def do(self, account_id: str, stopping: asyncio.Event) -> None:
        """Post and report what may be now, in the order of acceptance; return at once if another is doing so."""
        lease = await self.leases.take(account_id)
        if lease is None:
            return
        try:
            while not stopping.is_set() and (reply := await self._replies.next(account_id)):
                await (self._reporting.report(reply) if reply.state == "failed" else self._post(reply))
                async with self._database.writing() as connection:
                    lease = await self.leases.renew(connection, lease)
        except LeaseLostError:
            return
        finally:
            await self.leases.end(lease)

    async def _post(self, reply: DeferredReply) -> None:
        try:
            account = await self._accounts.by_id(reply.account_id)
            opened = self._accounts.opened(account)
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
                    reply, self._clock.now() + BUSY_PAUSE, "an earlier try may still be under way"
                )
            case claimed:
                request = await as_origin_knows_it(reply.request, [self._reply_ids.at_origin])
                try:
                    await self._posting.post(claimed, account, opened, request)
                except NotPostedError as error:
                    wait = timedelta(seconds=retry_after(error.cause, 0))
                    await self._missed(reply, NOT_POSTED, str(error), final=not error.temporary, wait=wait)
                except OutcomeOpenError as error:
                    nobody_can_tell = claimed.interrupted and isinstance(error.cause, CannotTellError)
                    wait = timedelta(seconds=retry_after(error.cause, 0))
                    await self._missed(reply, MAYBE_POSTED, _reason(error), final=nobody_can_tell, wait=wait)

    async def _missed(
        self,
        reply: DeferredReply,
        said: Said,
        reason: str,
        *,
        final: bool,
        wait: timedelta = timedelta(),
    ) -> None:
        """Try again later, after `wait` at the earliest, or give up and have the agent told what is `said` and why."""
        now = self._clock.now()
        last_try = reply.since + self._patience
        if final or now >= last_try:
            logger.warning("deferred reply given up", account=reply.account_id, reason=reason)
            await self._replies.fail(reply, _description(said, reason))
        else:
            wait = max(wait, BACKOFF.wait(reply.tries + 1))
            await self._replies.postpone(reply, min(now + wait, last_try), reason)


def _reason(error: OutcomeOpenError) -> str:
    explained = isinstance(error.cause, (OriginError, *NOTHING_POSTED))
    return str(error) if explained else "the origin did not answer as it should"


def _description(said: Said, reason: str) -> str:
    """Make what an agent reads, in at most 511 characters (SVC-59)."""
    opening, advice = said
    room = DESCRIPTION_LIMIT - len(opening) - len(advice) - len(": . ")
    return f"{opening}: {mask(reason)[:room].rstrip(' .')}. {advice}"
