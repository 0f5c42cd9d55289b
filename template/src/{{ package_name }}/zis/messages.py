"""The messages of `zis` as types: what a flow tells of a ticket."""

from pydantic import AwareDatetime, Field

from ..core.messages import Received


class Sequence(Received):
    """Events that belong together have one id, and are numbered."""

    id: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$")
    position: int = Field(ge=0, lt=2**31)


class Meta(Received):
    occurred_at: AwareDatetime
    sequence: Sequence


class Ticket(Received):
    id: int = Field(ge=0, lt=2**63)
    status: str
    tags: tuple[str, ...] = Field(default=(), max_length=10_000)


class TicketEvent(Received):
    """`ticket_event` as Integration Services give it to a flow."""

    meta: Meta
    ticket: Ticket

    @property
    def key(self) -> str:
        """What stays the same when the event is delivered once more."""
        return f"{self.meta.sequence.id}:{self.meta.sequence.position}"
