"""The dashboard's section on OAuth: who has signed in for each account, and whether that still holds."""

from ..core.tables import ACCOUNTS, Cell, Status, Table, View
from .grants import Grant, Grants

NOT_CONNECTED = Status("not connected", "bad")
TO_DO = "An admin must open the account in Zendesk, connect it and save it."


class GrantSection:
    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    async def tables(self, view: View) -> list[Table]:
        known = {grant.account_id: grant for grant in await self._grants.in_use(view.shown)}
        rows: list[list[Cell]] = []
        for account_id, name in view.shown.items():
            grant = known.get(account_id)
            if grant is None:
                rows.append([name, NOT_CONNECTED, "", "", "", TO_DO])
            else:
                rows.append(
                    [
                        name,
                        _status(grant),
                        grant.connected_as,
                        grant.since,
                        grant.expires_at or "",
                        _detail(grant),
                    ]
                )
        return [
            Table(
                title="Connections",
                columns=("Account", "Status", "Connected as", "Since", "Token valid until", "Detail"),
                rows=rows,
                empty="No account yet.",
                key=ACCOUNTS,
                goes_on=view.accounts_go_on,
            )
        ]


def _status(grant: Grant) -> Status:
    return Status("needs re-authorisation", "bad") if grant.refused_at else Status("connected", "good")


def _detail(grant: Grant) -> str:
    return f"{TO_DO} {grant.detail}" if grant.refused_at else grant.detail
