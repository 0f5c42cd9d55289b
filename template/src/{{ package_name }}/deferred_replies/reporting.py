"""Reports: agents are told of deferred replies that failed, by Zendesk's `report_error` (SVC-59)."""

from datetime import timedelta

import structlog

from ..core.accounts import UnknownAccountError
from ..core.backoff import Backoff
from ..core.clock import Clock
from ..core.metrics import Metrics
from ..core.request_ids import RequestIds
from ..core.security import UntrustedError
from ..push.credentials import Access, CredentialStore
from ..push.zendesk_api import (
    AccessRejectedError,
    BusyError,
    RequestRefusedError,
    UnavailableError,
    ZendeskApi,
)
from .replies import DeferredReplies, DeferredReply

BACKOFF = Backoff(first=timedelta(seconds=1), factor=2, longest=timedelta(minutes=5))

REPORT_PATIENCE = timedelta(days=1)
"""How long after a failure Zendesk is still asked to take the report."""

logger = structlog.get_logger()


class Reporting:
    def __init__(
        self,
        replies: DeferredReplies,
        credential_store: CredentialStore,
        zendesk_api: ZendeskApi,
        request_ids: RequestIds,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._replies = replies
        self._credential_store = credential_store
        self._zendesk_api = zendesk_api
        self._request_ids = request_ids
        self._metrics = metrics
        self._clock = clock

    async def report(self, reply: DeferredReply) -> None:
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
