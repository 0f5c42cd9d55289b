"""The messages of Zendesk's push API as types."""

from pydantic import Field

from ..core.messages import ExternalResource, Message, Received

RESOURCES_PER_PUSH = 200
DESCRIPTION_LIMIT = 511


class PushRequest(Message):
    """At most 200 resources, which Zendesk imports in their order (SVC-56)."""

    instance_push_id: str = Field(min_length=1, max_length=255)
    request_id: str = Field(min_length=1, max_length=64)
    external_resources: tuple[ExternalResource, ...] = Field(max_length=RESOURCES_PER_PUSH)


class PushStatus(Received):
    """`success`, `already_imported`, `could_not_locate_parent_external_resource`, `processing_error` or `halted`.

    A code that is not known yet means that Zendesk does not have the post.
    """

    code: str
    description: str | None = None


class PushResult(Received):
    external_resource_id: str
    status: PushStatus


class PushResponse(Received):
    """One result per resource, in the order of the request; 200 says nothing about any of them (SVC-57)."""

    results: tuple[PushResult, ...]


class ValidateTokenRequest(Message):
    instance_push_id: str = Field(min_length=1, max_length=255)
    request_id: str = Field(min_length=1, max_length=64)


class ReportErrorRequest(Message):
    """A reply that was answered before it was posted could not be posted."""

    instance_push_id: str = Field(min_length=1, max_length=255)
    external_id: str = Field(min_length=1, max_length=255)
    description: str = Field(max_length=DESCRIPTION_LIMIT)
    request_id: str = Field(min_length=1, max_length=64)
