"""The dashboard's section on pushing: each account's access and load, and the posts that need people."""

from ..core.leases import Leases
from ..core.tables import ACCOUNTS, ROWS, AccountName, Cell, Status, Table, View, page_of
from .credentials import Access, CredentialStore
from .outbox import COUNTED, MESSAGES, Kept, Outbox
from .refusals import NOBODY, Refusals
from .subscriptions import Subscriptions

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
WHY_REFUSED = {
    401: "the origin's signature was wrong, or too old",
    404: "there is no such address",
    405: "webhooks are not sent by this method",
    410: "the account is gone",
    413: "it was larger than WEBHOOK_SIZE_LIMIT, or held too many posts",
    500: "origin.py failed while it read it; the log says how",
    503: "nothing could be stored, or the account needs an admin; the log says what",
}
STATES = ("waiting", "delivered", "dead", "quarantined")


class PushSection:
    def __init__(
        self,
        credential_store: CredentialStore,
        outbox: Outbox,
        leases: Leases,
        subscriptions: Subscriptions,
        refusals: Refusals,
    ) -> None:
        self._credential_store = credential_store
        self._outbox = outbox
        self._leases = leases
        self._subscriptions = subscriptions
        self._refusals = refusals

    async def tables(self, view: View) -> list[Table]:
        return [
            await self._access_table(view),
            await self._webhook_table(view),
            await self._refusal_table(view),
            await self._outbox_table(view),
            await self._kept_table(
                view, "dead", "Dead letters", "None: Zendesk has every post, or may still take it."
            ),
            await self._kept_table(
                view,
                "quarantined",
                "Quarantined webhook posts",
                "None: every post could be turned into a comment.",
            ),
        ]

    async def _kept_table(self, view: View, state: str, title: str, empty: str) -> Table:
        found = await self._outbox.kept(
            state, account_id=view.account_id, limit=ROWS + 1, behind=view.behind.get(state, "")
        )
        rows, goes_on = page_of(found, _kept, MESSAGES.place_of)
        return Table(title, KEPT_COLUMNS, rows, empty, state, goes_on)

    async def _access_table(self, view: View) -> Table:
        credentials = await self._credential_store.among(view.shown)
        known = {account_id: (access, detail, since) for account_id, access, detail, since in credentials}
        # An account that was saved before this service pushed.
        unknown = (Access.absent, "", "")
        rows: list[list[Cell]] = []
        for account_id, name in view.shown.items():
            access, detail, since = known.get(account_id, unknown)
            rows.append([name, ACCESS[access], since, f"{WHAT_TO_DO[access]} {detail}".strip()])
        return Table(
            title="Push access",
            columns=("Account", "Access", "Since", "Detail"),
            rows=rows,
            empty="No account yet.",
            key=ACCOUNTS,
            goes_on=view.accounts_go_on,
        )

    async def _webhook_table(self, view: View) -> Table:
        delivered = await self._outbox.last_deliveries(view.shown)
        subscriptions = await self._subscriptions.among(view.shown)
        rows: list[list[Cell]] = []
        for account_id, name in view.shown.items():
            renew_at, detail = subscriptions.get(account_id, ("", ""))
            address = self._subscriptions.url(account_id)
            rows.append([name, address, delivered.get(account_id, ""), renew_at, detail])
        return Table(
            title="Webhooks",
            columns=("Account", "Address", "Last delivery", "To be renewed", "Detail"),
            rows=rows,
            empty="No account yet.",
            key=ACCOUNTS,
            goes_on=view.accounts_go_on,
        )

    async def _refusal_table(self, view: View) -> Table:
        # What names no account is for operators, who see all of them.
        known = {**view.shown, **({} if view.account_id else {NOBODY: "none of these"})}
        return Table(
            title="Refused webhooks",
            columns=("Account", "Status", "Why", "Times", "Last"),
            rows=[
                (
                    known[each.account_id],
                    str(each.status),
                    WHY_REFUSED.get(each.status, ""),
                    str(each.times),
                    each.last_at,
                )
                for each in await self._refusals.of(known)
            ],
            empty="None: whatever the origin sent was kept.",
            key=ACCOUNTS,
            goes_on=view.accounts_go_on,
        )

    async def _outbox_table(self, view: View) -> Table:
        pauses = {pause.account_id: pause for pause in await self._leases.pauses(view.shown)}
        loads = {load.account_id: load for load in await self._outbox.loads(view.shown)}
        rows: list[list[Cell]] = []
        for account_id, name in view.shown.items():
            load = loads.get(account_id)
            if load is None:
                continue
            counts = [_counted(load.counts.get(state, 0)) for state in STATES]
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
            key=ACCOUNTS,
            goes_on=view.accounts_go_on,
        )


KEPT_COLUMNS = ("Number", "Account", "Post", "Accepted", "Tries", "History")


def _counted(messages: int) -> str:
    return f"{COUNTED} or more" if messages >= COUNTED else str(messages)


def _kept(message: Kept) -> list[Cell]:
    history = "; ".join(f"{at:%Y-%m-%d %H:%M:%S} {what}" for at, what in message.history)
    return [
        str(message.id),
        AccountName(message.account_id),
        message.external_id,
        message.accepted_at,
        str(message.attempts),
        history,
    ]
