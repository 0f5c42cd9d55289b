"""Revocation: a grant that is not used any more is ended at the provider, and then forgotten."""

import asyncio
from datetime import timedelta

import structlog

from ..core.accounts import Account
from ..core.clock import Clock
from ..origin_protocol import OAuth
from .grants import Grant, Grants
from .provider import Provider

FORM_LIFETIME = timedelta(hours=4)
"""As long as a form can be saved."""

PATIENCE = timedelta(days=1)
"""For how long a revocation that fails is tried again, every hour."""

TIME_LIMIT = 10.0
"""Seconds that whoever removes an account waits for the provider."""

logger = structlog.get_logger()


class Revocation:
    def __init__(self, grants: Grants, provider: Provider, oauth: OAuth, clock: Clock) -> None:
        self._grants = grants
        self._provider = provider
        self._oauth = oauth
        self._clock = clock

    async def before_removal(self, account: Account) -> None:
        """End what an account was granted, before it goes. Whatever fails is tried again later."""
        await self._grants.end(account.id)
        await self.soon()

    async def soon(self) -> None:
        """Revoke what has ended, within a time that somebody can wait."""
        try:
            async with asyncio.timeout(TIME_LIMIT):
                await self.revoke_ended()
        except TimeoutError:
            logger.warning("revocations take too long, and are tried again")

    async def tidy(self) -> None:
        """End what no form can save any more, and revoke what has ended."""
        await self._grants.end_forgotten(FORM_LIFETIME)
        await self.revoke_ended()

    async def revoke_ended(self) -> None:
        for grant in await self._grants.ended():
            if not self._has_tokens(grant) or await self._is_shared(grant) or await self._revoked(grant):
                await self._grants.forget(grant.id)

    def _has_tokens(self, grant: Grant) -> bool:
        return bool(self._oauth.revocation_url and grant.access_token)

    async def _is_shared(self, grant: Grant) -> bool:
        """Whether the same person has connected another account: many providers would end that grant, too."""
        return bool(grant.connected_as) and await self._grants.connects(grant.connected_as)

    async def _revoked(self, grant: Grant) -> bool:
        """Say whether the grant is over at the provider, or will never be."""
        try:
            await self._provider.revoke(grant.refresh_token or grant.access_token)
        except Exception as error:  # noqa: BLE001
            logger.warning("grant not revoked", account=grant.account_id, reason=repr(error))
            return self._clock.now() - grant.since > PATIENCE
        logger.info("grant revoked", account=grant.account_id)
        return True
