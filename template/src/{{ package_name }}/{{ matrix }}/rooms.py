"""Rooms: which of them an account reads, and how the bot gets in."""

import json

from ..origin_protocol import ConfigurationRejectedError
from .configuration import Account
from .homeserver import CLIENT, Homeserver, RefusedError, segment

NO_DEVICE = "This token belongs to an application service. Use one with which the bot has logged in."
CLOSED = "The bot cannot enter one of these rooms. Check the addresses, or invite the bot."


class Rooms:
    def __init__(self, homeserver: Homeserver) -> None:
        self._homeserver = homeserver

    async def meet_bot(self, account: Account) -> str:
        """Ask whose token the account has. Raises ConfigurationRejectedError."""
        told = await self._homeserver.call(account, "GET", f"{CLIENT}/account/whoami")
        if "device_id" not in told:
            # Homeservers let no application service synchronise, and forget its transactions.
            raise ConfigurationRejectedError({"access_token": NO_DEVICE})
        await account.state.set("bot", str(told["user_id"]))
        return str(told["user_id"])

    async def bot(self, account: Account) -> str:
        return await account.state.get("bot") or await self.meet_bot(account)

    async def choose(self, account: Account) -> list[str]:
        """Enter the rooms that the admin named, and remember their ids. Raises ConfigurationRejectedError."""
        ids = []
        for room in account.configuration.rooms:
            try:
                ids.append(await self._join(account, room))
            except RefusedError as error:
                raise ConfigurationRejectedError({"rooms": CLOSED}) from error
        await account.state.set("rooms", json.dumps(ids))
        return ids

    async def reads(self, account: Account, room: str) -> bool:
        chosen = await self.chosen(account)
        return chosen is None or room in chosen

    async def chosen(self, account: Account) -> list[str] | None:
        """Ids of the only rooms that are read; None if all of them are."""
        if not account.configuration.rooms:
            return None
        stored = await account.state.get("rooms")
        return await self.choose(account) if stored is None else list(json.loads(stored))

    async def accept(self, account: Account, room: str) -> bool:
        """Accept an invitation, if the admin wants that, and say whether the bot is in the room now."""
        if not account.configuration.accept_invitations or not await self.reads(account, room):
            return False
        try:
            await self._join(account, room)
        except RefusedError:
            # Whoever invited the bot has gone, or has thought better of it.
            return False
        return True

    async def _join(self, account: Account, room: str) -> str:
        joined = await self._homeserver.call(account, "POST", f"{CLIENT}/join/{segment(room)}", json={})
        return str(joined["room_id"])
