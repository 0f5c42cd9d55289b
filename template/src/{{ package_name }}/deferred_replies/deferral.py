"""Deferral: whether an agent's reply is answered at once, and by which id Zendesk will know it (SVC-51)."""

from ..channelback.claims import Claims
from ..channelback.messages import ChannelbackRequest
from ..channelback.posting import idempotency_key
from ..core.accounts import Account
from ..core.jobs import JobRunner
from ..core.metrics import Metrics
from ..push.credentials import CredentialStore
from .posting import DeferredPosting
from .replies import PREFIX, DeferredReplies


class Deferral:
    """Defers the replies of accounts that can be told of a failure later; the others are posted before the answer."""

    def __init__(
        self,
        replies: DeferredReplies,
        claims: Claims,
        credential_store: CredentialStore,
        runner: JobRunner,
        metrics: Metrics,
    ) -> None:
        self._replies = replies
        self._claims = claims
        self._credential_store = credential_store
        self._runner = runner
        self._outcomes = metrics.replies

    async def defer(self, account: Account, identifier: str, request: ChannelbackRequest) -> str | None:
        """Keep the reply and give its external_id, the same for each repeat; None if it is to be posted now."""
        if promised := await self._replies.promised(account.id, identifier):
            self._outcomes.labels("repeat answered").inc()
            return promised
        # What was begun before the answer is ended that way, also if the account has got a token since.
        if await self._claims.knows(account.id, identifier):
            return None
        if await self._credential_store.usable_token(account.id) is None:
            return None
        external_id = f"{PREFIX}{idempotency_key(account.id, identifier)}"
        await self._replies.accept(account.id, identifier, external_id, request)
        self._outcomes.labels("deferred").inc()
        await self._runner.wake(DeferredPosting.name, account.id)
        return external_id
