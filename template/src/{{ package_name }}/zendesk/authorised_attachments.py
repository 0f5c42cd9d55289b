"""Downloads the files of accounts that let nobody fetch one without a token (SVC-52)."""

import httpx2

from ..accounts import Account, UnknownAccountError
from ..connections import Connections
from ..trust import UntrustedError, ZendeskHosts
from .attachments import Attachments


class AuthorisedAttachments(Attachments):
    """Sends an account's push token to the account's own host, and to no other that a redirect leads to."""

    def __init__(
        self, http: httpx2.AsyncClient, hosts: ZendeskHosts, size_limit: int, connections: Connections
    ) -> None:
        super().__init__(http, hosts, size_limit)
        self._connections = connections

    async def _headers(self, account: Account, url: str) -> dict[str, str]:
        try:
            self._hosts.check(url, account.subdomain)
            credentials = (await self._connections.of(account.id)).usable_credentials
        except (UnknownAccountError, UntrustedError):
            return {}
        if credentials is None:
            return {}
        return {"Authorization": f"Bearer {credentials.zendesk_access_token.get_secret_value()}"}
