"""Renewal: access tokens are renewed before they expire, once, by whichever process comes first."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog
from pydantic import SecretStr

from ..core.clock import Clock
from ..core.masking import remember
from ..identity import NAME
from ..origin_protocol import AccessToken, CredentialsRejectedError, OriginError, OriginUnavailableError
from .grants import Grant, Grants
from .provider import GrantRefusedError, Provider

PATIENCE = 20.0
"""Seconds to wait for another process that renews the token."""

POLL = 0.1
"""Seconds between two looks."""

NOBODY = f"nobody has signed in at {NAME}: an admin must edit the account and connect it"
SIGN_IN_AGAIN = (
    f"{NAME} does not accept the sign-in any more: an admin must edit the account and connect it again"
)

logger = structlog.get_logger()

FindGrant = Callable[[], Awaitable[Grant | None]]


class Renewal:
    def __init__(self, grants: Grants, provider: Provider, clock: Clock) -> None:
        self._grants = grants
        self._provider = provider
        self._clock = clock
        self._running: set[asyncio.Task[bool]] = set()

    def of_account(self, account_id: str) -> AccessToken:
        return self.of(lambda: self._grants.for_calls(account_id))

    def of(self, find: FindGrant) -> AccessToken:
        """Make what gives the access token of the grant that `find` finds."""

        async def access_token(refused: str = "") -> str:
            return await self._valid_token(find, refused)

        return access_token

    async def renew_due(self) -> None:
        """Renew the tokens of accounts for which nobody has asked for a while: a grant may end with its disuse."""
        for grant in await self._grants.renewals_due():
            try:
                await self._renew(grant)
            except OriginError as error:
                logger.warning("token not renewed", account=grant.account_id, reason=str(error))

    async def finish(self) -> None:
        """Wait for the renewals under way: what the provider gives must not be lost."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _valid_token(self, find: FindGrant, refused: str) -> str:
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while True:
            grant = await find()
            if grant is None or not grant.access_token:
                raise CredentialsRejectedError(NOBODY)
            if grant.refused_at:
                raise CredentialsRejectedError(SIGN_IN_AGAIN)
            remember(SecretStr(grant.access_token))
            now = self._clock.now()
            is_usable = grant.access_token != refused and not _is_past(grant.expires_at, now)
            if is_usable and not _is_past(grant.renew_at, now):
                return grant.access_token
            try:
                is_settled = await self._renew(grant)
            except OriginUnavailableError:
                if is_usable:
                    return grant.access_token
                raise
            if is_settled:
                continue
            if is_usable:
                return grant.access_token
            if loop.time() > end:
                raise OriginUnavailableError("the access token is being renewed by another process")
            await asyncio.sleep(POLL)

    async def _renew(self, grant: Grant) -> bool:
        """Renew a grant's tokens; False if another process is doing that.

        Whoever waits may give up, but the renewal goes on: from the provider's answer on the old refresh token may be
        worth nothing, and the new one is in this process alone until it is stored.
        """
        task = asyncio.ensure_future(self._renew_claimed(grant))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def _renew_claimed(self, grant: Grant) -> bool:
        holder = await self._grants.claim(grant.id)
        if holder is None:
            return False
        current = await self._grants.by_id(grant.id)
        if current is None or current.sealed != grant.sealed:
            # Somebody has renewed it between the look and the claim.
            await self._grants.release(grant.id, holder)
            return True
        if not grant.refresh_token:
            return await self._refuse(grant, holder, "The token is over, and there is no refresh token.")
        try:
            tokens = await self._provider.refresh(grant.refresh_token)
        except GrantRefusedError as error:
            return await self._refuse(grant, holder, str(error))
        except BaseException as error:
            await self._grants.release(grant.id, holder, str(error))
            raise
        await self._grants.renew(grant, tokens)
        logger.info("token renewed", account=grant.account_id)
        return True

    async def _refuse(self, grant: Grant, holder: str, reason: str) -> bool:
        await self._grants.refuse(grant, holder, reason)
        logger.error("grant needs re-authorisation", account=grant.account_id, reason=reason)
        return True


def _is_past(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now
