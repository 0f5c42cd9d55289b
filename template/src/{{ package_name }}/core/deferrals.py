"""Deferrals: replies that Zendesk has an id for before they are posted at the origin."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any

from .accounts import Account
from .hooks import Hook, Hooks
from .transaction import Transaction

OnPosted = Callable[[Transaction, str, str, str], Awaitable[None]]
OriginId = Callable[[str], Awaitable[str]]

DEFERRALS: Hook[Callable[[Account, str, Any], Awaitable[str | None]]] = Hook()
"""Read by channelback: from account, request_unique_identifier and request to the external_id of a reply that is
posted later, or None to post it now."""

REPLY_POSTED: Hook[OnPosted] = Hook()
"""Read by channelback's claims, in the transaction that settles a reply: account id, request_unique_identifier and
the origin's id."""

ZENDESK_IDS: Hook[Callable[[str, Collection[str]], Awaitable[dict[str, str]]]] = Hook()
"""Read before posts are handed to Zendesk: from the origin's ids to Zendesk's, where they differ."""

ORIGIN_IDS: Hook[OriginId] = Hook()
"""Read where Zendesk names a post: from Zendesk's id to the origin's, empty for a reply that is not posted yet."""


async def zendesk_ids(hooks: Hooks, account_id: str, origin_ids: Collection[str]) -> dict[str, str]:
    """Put together what every hook says of an account's posts."""
    known: dict[str, str] = {}
    for ask in hooks[ZENDESK_IDS]:
        known |= await ask(account_id, origin_ids)
    return known
