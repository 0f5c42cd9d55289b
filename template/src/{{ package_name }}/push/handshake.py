"""Handshake: an admin's form brings credentials from Zendesk and a subscription at the origin (SVC-23).

What Zendesk gives when it opens the form travels through the admin's browser until the form is saved, sealed.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog
from pydantic import BaseModel, SecretStr

from ..core.handshake import HandshakeStep
from ..core.jobs.runner import JobRunner
from ..core.leases import Leases
from ..core.masking import remember
from ..core.messages import AdminUiRequest
from ..core.request_ids import RequestIds
from ..core.security import Sealer
from ..origin_protocol import ConfigurationRejectedError, OriginAccount, OriginProtocol
from .credentials import Access, CredentialStore, PushToken, new_secret
from .sender import Sender
from .subscriptions import Subscriptions
from .zendesk_api import AccessRejectedError, ZendeskApi, ZendeskError

ACCESS_REJECTED = (
    "Zendesk does not accept the access that it has just given this account. Close this page and open it again "
    "from Zendesk, which brings a new one. If that does not help, check the OAuth client of this integration."
)

logger = structlog.get_logger()


class Carried(BaseModel):
    """What has to be known again when the form is saved; without a token the account keeps the one it has."""

    account_id: str
    is_new: bool
    subdomain: str
    webhook_secret: str
    instance_push_id: str
    zendesk_access_token: str

    @property
    def token(self) -> PushToken | None:
        if not (self.instance_push_id and self.zendesk_access_token):
            return None
        return PushToken(self.instance_push_id, SecretStr(self.zendesk_access_token))


class PushHandshake:
    def __init__(
        self,
        credential_store: CredentialStore,
        origin: OriginProtocol[Any],
        zendesk_api: ZendeskApi,
        sealer: Sealer,
        request_ids: RequestIds,
        leases: Leases,
        runner: JobRunner,
        subscriptions: Subscriptions,
    ) -> None:
        self._credential_store = credential_store
        self._origin = origin
        self._zendesk_api = zendesk_api
        self._sealer = sealer
        self._request_ids = request_ids
        self._leases = leases
        self._runner = runner
        self._subscriptions = subscriptions

    @property
    def step(self) -> HandshakeStep:
        return HandshakeStep(self.open, self.save)

    async def open(self, account_id: str, opened: AdminUiRequest) -> str:
        """Seal what Zendesk gave, and the secret of the account's webhook, for the way through the browser."""
        is_new = not opened.metadata
        secret = new_secret() if is_new else await self._credential_store.webhook_secret(account_id)
        carried = Carried(
            account_id=account_id,
            is_new=is_new,
            subdomain=opened.subdomain.lower(),
            webhook_secret=secret.get_secret_value(),
            instance_push_id=opened.instance_push_id,
            zendesk_access_token=opened.zendesk_access_token,
        )
        return self._sealer.seal(carried.model_dump_json())

    async def save(self, sealed: str, account: OriginAccount[Any]) -> Callable[[], Awaitable[None]]:
        """Have Zendesk check the token and the origin send its webhooks; give what stores the outcome.

        Raises ConfigurationRejectedError if Zendesk refuses the token of an account that it knows, UntrustedError if
        no key opens `sealed` any more, and whatever `OriginProtocol.subscribe` raises.
        """
        carried = Carried.model_validate_json(self._sealer.open(sealed))
        remember(SecretStr(carried.webhook_secret), SecretStr(carried.zendesk_access_token))
        access = await self._check_token(carried)
        # The origin may check the address before it answers, and its code then needs the secret.
        await self._credential_store.keep_secret(carried.account_id, SecretStr(carried.webhook_secret))
        renew_at = await self._subscriptions.subscribe(account, carried.webhook_secret)
        key = self._origin.account_key(account.configuration)
        return lambda: self._store(carried, access, key, renew_at)

    async def _store(self, carried: Carried, access: Access, key: str, renew_at: datetime | None) -> None:
        """Store the credentials, and have what was waiting for them go on."""
        await self._credential_store.save(
            carried.account_id, SecretStr(carried.webhook_secret), carried.token, access, key
        )
        await self._subscriptions.renewed(carried.account_id, renew_at)
        await self._leases.resume(carried.account_id)
        await self._runner.wake(Sender.name, carried.account_id)

    async def _check_token(self, carried: Carried) -> Access:
        if carried.token is None:
            return Access.absent
        request_id = self._request_ids.make(carried.account_id)
        try:
            await self._zendesk_api.validate_token(carried.subdomain, carried.token, request_id)
        except AccessRejectedError as error:
            logger.warning("push token rejected", account=carried.account_id, reason=str(error))
            if carried.is_new:
                # Zendesk makes the account only when the form returns, and may not know the token before.
                return Access.unchecked
            raise ConfigurationRejectedError({"": ACCESS_REJECTED}) from None
        except ZendeskError as error:
            # This says nothing about the token: the first push will.
            logger.warning("push token not checked", account=carried.account_id, reason=str(error))
            return Access.unchecked
        return Access.valid
