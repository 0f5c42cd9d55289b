"""The push side of the admin handshake: credentials from Zendesk, a subscription at the origin (SVC-23).

What Zendesk gives when it opens the form travels through the admin's browser until the form is saved, sealed.
"""

from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import BaseModel, SecretStr

from ..connections import Access, Connections, PushCredentials
from ..engine import Engine
from ..marks import Marks
from ..messages import AdminUiRequest
from ..origin_protocol import OriginProtocol
from ..trust import Sealer
from ..turns import Turns
from ..zendesk.client import AccessRejectedError, ZendeskClient, ZendeskError
from ..zendesk.delivery import Delivery
from .configuration_form import ConfigurationErrors
from .pages.translations import translator

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
    locale: str
    webhook_secret: str
    instance_push_id: str
    zendesk_access_token: str

    @property
    def credentials(self) -> PushCredentials | None:
        if not (self.instance_push_id and self.zendesk_access_token):
            return None
        return PushCredentials(self.instance_push_id, SecretStr(self.zendesk_access_token))


@dataclass(frozen=True, slots=True)
class Agreed:
    """What Zendesk and the origin have agreed to."""

    account_id: str
    webhook_secret: SecretStr
    credentials: PushCredentials | None
    access: Access


class PushHandshake:
    def __init__(
        self,
        connections: Connections,
        origin: OriginProtocol[Any],
        client: ZendeskClient,
        sealer: Sealer,
        marks: Marks,
        turns: Turns,
        engine: Engine,
        public_url: str,
    ) -> None:
        self._connections = connections
        self._origin = origin
        self._client = client
        self._sealer = sealer
        self._marks = marks
        self._turns = turns
        self._engine = engine
        self._public_url = public_url

    async def carry(self, account_id: str, opened: AdminUiRequest) -> str:
        """Seal what Zendesk gave, and the secret of the account's webhook, for the way through the browser."""
        secret = await self._connections.webhook_secret(account_id)
        carried = Carried(
            account_id=account_id,
            is_new=not opened.metadata,
            subdomain=opened.subdomain.lower(),
            locale=opened.locale,
            webhook_secret=secret.get_secret_value(),
            instance_push_id=opened.instance_push_id,
            zendesk_access_token=opened.zendesk_access_token,
        )
        return self._sealer.seal(carried.model_dump_json())

    async def agree(self, sealed: str, configuration: Any) -> Agreed:
        """Have Zendesk check the token, then have the origin send its webhooks.

        Raises ConfigurationErrors if Zendesk refuses the token of an account that it knows, UntrustedError if no key opens what was carried any
        more, and whatever `OriginProtocol.subscribe` raises.
        """
        carried = Carried.model_validate_json(self._sealer.open(sealed))
        access = await self._check_token(carried)
        url = f"{self._public_url}/webhook/{carried.account_id}"
        await self._origin.subscribe(configuration, url, carried.webhook_secret)
        return Agreed(carried.account_id, SecretStr(carried.webhook_secret), carried.credentials, access)

    async def keep(self, agreed: Agreed) -> None:
        """Store what was agreed, and have what was waiting for it go on."""
        await self._connections.save(
            agreed.account_id, agreed.webhook_secret, agreed.credentials, agreed.access
        )
        await self._turns.resume(agreed.account_id)
        await self._engine.wake(Delivery.name, agreed.account_id)

    async def _check_token(self, carried: Carried) -> Access:
        if carried.credentials is None:
            return Access.absent
        request_id = self._marks.make(carried.account_id)
        try:
            await self._client.validate_token(carried.subdomain, carried.credentials, request_id)
        except AccessRejectedError as error:
            logger.warning("push token rejected", account=carried.account_id, reason=str(error))
            if carried.is_new:
                # Zendesk makes the account only when the form returns, and may not know the token before.
                return Access.unchecked
            raise ConfigurationErrors({}, translator(carried.locale)(ACCESS_REJECTED)) from None
        except ZendeskError as error:
            # This says nothing about the token: the first push will.
            logger.warning("push token not checked", account=carried.account_id, reason=str(error))
            return Access.unchecked
        return Access.valid
