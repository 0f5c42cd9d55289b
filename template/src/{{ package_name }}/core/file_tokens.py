"""File tokens: what Zendesk wants to see before it hands out the files of a reply."""

from collections.abc import Awaitable, Callable

from pydantic import SecretStr

from .hooks import Hook

FILE_TOKENS: Hook[Callable[[str], Awaitable[SecretStr | None]]] = Hook()
"""Read by channelback: from an account's id to the token with which Zendesk lets its files be fetched."""
