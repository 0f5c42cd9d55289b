"""The dashboard's section on pushing: each account's access and load, and the posts that need people."""

from collections.abc import Mapping

from ..core.leases import Leases
from ..core.tables import Cell, Status, Table
from .credentials import Access, CredentialStore
from .outbox import Kept, Outbox
from .subscriptions import Subscriptions

ROWS = 50

ACCESS: dict[Access, Status] = {
    Access.absent: Status("no token yet", "warn"),
    Access.unchecked: Status("not checked yet", "warn"),
    Access.valid: Status("valid", "good"),
    Access.rejected: Status("needs re-authorisation", "bad"),
}
WHAT_TO_DO: dict[Access, str] = {
    Access.absent: "With PUSH_CLIENT_ID set, an admin must open and save the account in Zendesk.",
    Access.unchecked: "Zendesk could not be asked about the token. The next push will show.",
    Access.valid: "",
    Access.rejected: "An admin must open and save the account in Zendesk.",
}
STATES = ("waiting", "delivered", "dead", "quarantined")


class PushSection:
    def __init__(
        self,
        credential_store: CredentialStore,
        outbox: Outbox,
        leases: Leases,
        subscriptions: Subscriptions,
    ) -> None:
        self._credential_store = credential_store
        self._outbox = outbox
        self._leases = leases
        self._subscriptions = subscriptions

    async def tables(self, names: Mapping[str, str], account_id: str | None = None) -> list[Table]:
        return [
            await self._access_table(names),
            await self._webhook_table(names),
            await self._outbox_table(names, account_id),
            Table(
                title="Dead letters",
                columns=KEPT_COLUMNS,
                rows=await self._kept("dead", names, account_id),
                empty="None: Zendesk has every post, or may still take it.",
            ),
            Table(
                title="Quarantined webhook posts",
                columns=KEPT_COLUMNS,
                rows=await self._kept("quarantined", names, account_id),
                empty="None: every post could be turned into a comment.",
            ),
        ]

    async def _kept(self, state: str, names: Mapping[str, str], account_id: str | None) -> list[list[Cell]]:
        kept = await self._outbox.kept(state, account_id=account_id, limit=ROWS)
        return [_kept(names, message) for message in kept]

    async def _access_table(self, names: Mapping[str, str]) -> Table:
        credentials = await self._credential_store.all()
        known = {account_id: (access, detail, since) for account_id, access, detail, since in credentials}
        # An account that was saved before this service pushed.
        unknown = (Access.absent, "", "")
        rows: list[list[Cell]] = []
        for account_id, name in names.items():
            access, detail, since = known.get(account_id, unknown)
            rows.append([name, ACCESS[access], since, f"{WHAT_TO_DO[access]} {detail}".strip()])
        return Table(
            title="Push access",
            columns=("Account", "Access", "Since", "Detail"),
            rows=rows,
            empty="No account yet.",
        )

    async def _webhook_table(self, names: Mapping[str, str]) -> Table:
        delivered = await self._outbox.last_deliveries()
        subscriptions = await self._subscriptions.all()
        rows: list[list[Cell]] = []
        for account_id, name in names.items():
            renew_at, detail = subscriptions.get(account_id, ("", ""))
            address = self._subscriptions.url(account_id)
            rows.append([name, address, delivered.get(account_id, ""), renew_at, detail])
        return Table(
            title="Webhooks",
            columns=("Account", "Address", "Last delivery", "Renewed at", "Detail"),
            rows=rows,
            empty="No account yet.",
        )

    async def _outbox_table(self, names: Mapping[str, str], account_id: str | None) -> Table:
        pauses = {pause.account_id: pause for pause in await self._leases.pauses()}
        loads = {load.account_id: load for load in await self._outbox.loads(account_id)}
        rows: list[list[Cell]] = []
        for account_id, name in names.items():
            load = loads.get(account_id)
            if load is None:
                continue
            counts = [str(load.counts.get(state, 0)) for state in STATES]
            pause = pauses.get(account_id)
            until = pause.until if pause else ""
            reason = pause.reason if pause else ""
            rows.append([name, *counts, load.oldest_waiting or "", until, reason])
        return Table(
            title="Outbox",
            columns=(
                "Account",
                *(state.capitalize() for state in STATES),
                "Oldest waiting",
                "Paused until",
                "Reason",
            ),
            rows=rows,
            empty="The origin has not told of a post yet.",
        )


KEPT_COLUMNS = ("Number", "Account", "Post", "Accepted", "Tries", "History")


def _kept(names: Mapping[str, str], message: Kept) -> list[Cell]:
    history = "; ".join(f"{at:%Y-%m-%d %H:%M:%S} {what}" for at, what in message.history)
    return [
        str(message.id),
        names.get(message.account_id, ""),
        message.external_id,
        message.accepted_at,
        str(message.attempts),
        history,
    ]
