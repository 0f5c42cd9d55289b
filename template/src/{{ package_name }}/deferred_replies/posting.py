"""Deferred posting: the job that posts deferred replies, and tells agents of those that fail (SVC-51, SVC-59)."""

import asyncio
from datetime import timedelta
from typing import Any

import structlog

from ..channelback.claims import Answered, Busy
from ..channelback.endpoint import as_origin_knows_it
from ..channelback.posting import NotPostedError, OutcomeOpenError, Posting
from ..core.accounts import Accounts, ConfigurationOutdatedError, UnknownAccountError
from ..core.backoff import Backoff
from ..core.database import Database
from ..core.leases import LeaseLostError, Leases
from ..core.masking import mask
from ..core.metrics import Metrics
from ..core.origin_backoff import retry_after
from ..core.request_ids import RequestIds
from ..core.security import UntrustedError
from ..identity import NAME
from ..origin_protocol import CannotTellError, OriginError
from ..push.credentials import Access, CredentialStore
from ..push.messages import DESCRIPTION_LIMIT
from ..push.zendesk_api import (
    AccessRejectedError,
    BusyError,
    RequestRefusedError,
    UnavailableError,
    ZendeskApi,
)
from .replies import DeferredReplies, DeferredReply
from .reply_ids import ReplyIds

BACKOFF = Backoff(first=timedelta(seconds=1), factor=2, longest=timedelta(minutes=5))

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


class DeferredPosting:
    """Posts and reports account by account; the reply's claim sees to it that it is posted once."""

    name = "deferred_replies"

    def __init__(
        self,
        database: Database,
        accounts: Accounts[Any],
        credential_store: CredentialStore,
        replies: DeferredReplies,
        reply_ids: ReplyIds,
        posting: Posting,
        zendesk_api: ZendeskApi,
        request_ids: RequestIds,
        metrics: Metrics,
        patience: timedelta,
    ) -> None:
        """Take for how long after its acceptance a reply is tried."""
        self._database = database
        self._clock = database.clock
        self._accounts = accounts
        self._credential_store = credential_store
        self._replies = replies
        self._reply_ids = reply_ids
        self._posting = posting
        self._zendesk_api = zendesk_api
        self._request_ids = request_ids
        self._metrics = metrics
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
                await (self._report(reply) if reply.state == "failed" else self._post(reply))
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
                    await self._missed(reply, MAYBE_POSTED, _reason(error), final=nobody_can_tell)

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

    async def _report(self, reply: DeferredReply) -> None:
        now = self._clock.now()
        if now >= reply.since + REPORT_PATIENCE:
            await self._replies.close(reply, "unreported", reply.detail)
            return
        wait = BACKOFF.wait(reply.tries + 1)
        try:
            credentials = await self._credential_store.of(reply.account_id)
            if token := credentials.usable_token:
                request_id = self._request_ids.make(reply.account_id)
                await self._zendesk_api.report_error(
                    credentials.subdomain, token, request_id, reply.external_id, reply.detail
                )
                self._metrics.replies.labels("reported").inc()
                await self._replies.close(reply, "reported", reply.detail)
                return
        except AccessRejectedError as error:
            await self._credential_store.set_access(credentials, Access.rejected, str(error))
        except RequestRefusedError as error:
            logger.warning("Zendesk refused a report", account=reply.account_id, reason=str(error))
            await self._replies.close(reply, "unreported", reply.detail)
            return
        except BusyError as error:
            wait = error.retry_after or wait
        except (UnavailableError, UnknownAccountError, UntrustedError) as error:
            logger.warning("a report was not made", account=reply.account_id, reason=str(error))
        await self._replies.postpone(reply, now + wait, reply.detail)


def _reason(error: OutcomeOpenError) -> str:
    return str(error) if isinstance(error.cause, OriginError) else "the origin did not answer as it should"


def _description(said: Said, reason: str) -> str:
    """Make what an agent reads, in at most 511 characters (SVC-59)."""
    opening, advice = said
    room = DESCRIPTION_LIMIT - len(opening) - len(advice) - len(": . ")
    return f"{opening}: {mask(reason)[:room].rstrip(' .')}. {advice}"
