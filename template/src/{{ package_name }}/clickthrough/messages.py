"""The message of `clickthrough_url` as a type."""

from pydantic import Field

from ..core.messages import Received


class ClickthroughRequest(Received):
    """The query with which an agent opens the original of a comment (SVC-53)."""

    external_id: str = Field(min_length=1, max_length=255, pattern=r"^[^\x00]+$")
