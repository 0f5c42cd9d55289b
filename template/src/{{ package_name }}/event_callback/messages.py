"""The messages of `event_callback` as types: the envelope, and what is told of accounts and people."""

from typing import Any

from pydantic import Field

from ..core.messages import Received


class Event(Received):
    """One event; `error` is there if what it tells of has failed. What `data` holds depends on the type."""

    type_id: str
    subdomain: str = ""
    error: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)


class AccountData(Received):
    """What proves which account an event is about."""

    metadata: str


class DeactivationData(Received):
    """`deactivate_integration_instance`; so far `deactivated_by` is error or api."""

    deactivated_by: str
    deactivating_error: str | None = None


class Person(Received):
    external_id: str = Field(min_length=1, max_length=255, pattern=r"^[^\x00]+$")


class PersonData(Received):
    """`destroy_user_identity`."""

    author: Person
