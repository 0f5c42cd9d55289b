"""Calls Zendesk about replies that could not be posted: report_error (SVC-51, SVC-59)."""

from pydantic import Field

from ..connections import PushCredentials
from ..messages import Message
from .client import ZendeskClient

DESCRIPTION_LIMIT = 511


class ReportErrorRequest(Message):
    """A reply that was answered before it was posted could not be posted."""

    instance_push_id: str = Field(min_length=1, max_length=255)
    external_id: str = Field(min_length=1, max_length=255)
    description: str = Field(max_length=DESCRIPTION_LIMIT)
    request_id: str = Field(min_length=1, max_length=64)


class ReportingClient(ZendeskClient):
    async def report_error(
        self,
        subdomain: str,
        credentials: PushCredentials,
        request_id: str,
        external_id: str,
        description: str,
    ) -> None:
        """Tell agents that the reply with this id was not posted. Raises ZendeskError."""
        request = ReportErrorRequest(
            instance_push_id=credentials.instance_push_id,
            external_id=external_id,
            description=description.encode(errors="replace").decode()[:DESCRIPTION_LIMIT],
            request_id=request_id,
        )
        await self._call(subdomain, credentials, "channelback/report_error", request)
