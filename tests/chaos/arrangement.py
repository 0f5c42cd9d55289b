"""What several storms arrange alike: the service's processes, and two accounts of the demonstration origin's kind."""

import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from acme_reviews.core.accounts import Accounts
from acme_reviews.core.database import Database
from acme_reviews.core.security import Sealer, Signer
from acme_reviews.origin import Configuration
from acme_reviews.push.credentials import Access, CredentialStore, PushToken
from acme_reviews.settings import new_sealing_key, new_signing_key
from course import Processes
from pydantic import SecretStr

AT_ONCE, LATER = "at-once", "later"
"""An account whose replies are posted before they are answered, and one with a push token, where it is afterwards."""

API_KEY, TOKEN, SECRET = "canary-api-key", "canary-token", "canary-secret"
"""They are typed or sent in many places, and may stand in no log."""


@dataclass(frozen=True)
class Keys:
    signing: str = field(default_factory=new_signing_key)
    sealing: str = field(default_factory=new_sealing_key)


@dataclass(frozen=True)
class Added:
    """An account, as Zendesk and the origin know it."""

    business: str
    id: str
    metadata: str


def service_environment(keys: Keys, database_url: str, zendesk_url: str, origin_url: str) -> dict[str, str]:
    return {
        "SIGNING_KEYS": keys.signing,
        "SEALING_KEYS": keys.sealing,
        "DATABASE_URL": database_url,
        "ZENDESK_URL": zendesk_url,
        "ORIGIN_URL": origin_url,
        "ORIGIN_TIMEOUT": "2",
        "INNER_HOSTS": "127.0.0.1",
        "PUSH_REQUESTS_PER_MINUTE": "1000000",
        "PULL_DEADLINE": "PT5S",
        "CHANNELBACK_DEADLINE": "PT3S",
    }


async def add_accounts(database_url: str, keys: Keys) -> list[Added]:
    database = Database(database_url)
    await database.migrate()
    sealer = Sealer([keys.sealing])
    accounts = Accounts(database, Signer([keys.signing]), sealer, Configuration)
    added = []
    for business in (AT_ONCE, LATER):
        configuration = Configuration(business=business, api_key=SecretStr(API_KEY))
        account = await accounts.create("acme", business, configuration)
        if business == LATER:
            token = PushToken(business, SecretStr(TOKEN))
            store = CredentialStore(database, sealer)
            await store.save(account.id, SecretStr(SECRET), token, Access.valid)
        added.append(Added(business, account.id, accounts.metadata(account)))
    await database.close()
    return added


class Host(Protocol):
    def serving(self) -> AbstractAsyncContextManager[str]:
        """Serve, and give the address."""
        ...


@asynccontextmanager
async def service_between(
    zendesk: Host, site: Host, keys: Keys, database_url: str, folder: Path
) -> AsyncIterator[tuple[Processes, str]]:
    """Serve both hosts; give what starts the service's processes, and their address."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listener:
        async with (
            zendesk.serving() as zendesk_url,
            site.serving() as origin_url,
            Processes.run(
                service_environment(keys, database_url, zendesk_url, origin_url),
                listener,
                folder,
                *("--hurry", "--replies"),
            ) as processes,
        ):
            yield processes, f"http://127.0.0.1:{listener.getsockname()[1]}"
