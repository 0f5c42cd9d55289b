"""The messages of `pull_url` as types."""

from collections.abc import Mapping

from pydantic import Field, StrictBool

from ..core.messages import ExternalResource, Message, Received


class PullRequest(Received):
    metadata: str = Field(max_length=5000)
    state: str = Field(default="", max_length=5000)


class PullResponse(Message):
    """At most 200 resources, parents before their replies (SVC-27 to SVC-33)."""

    external_resources: tuple[ExternalResource, ...] = Field(max_length=200)
    state: str | None = Field(default=None, min_length=1, max_length=5000)
    metadata: str | None = Field(default=None, min_length=1, max_length=5000)
    metadata_needs_update: StrictBool | None = None

    def written(self, contents: Mapping[str, bytes]) -> bytes:
        """As JSON; `contents` holds posts, by their ids, that have been written already."""
        rest = self.model_dump_json(exclude_none=True, exclude={"external_resources"}).encode()
        posts = [
            contents.get(post.external_id) or post.model_dump_json(exclude_none=True).encode()
            for post in self.external_resources
        ]
        return (
            b'{"external_resources":['
            + b",".join(posts)
            + b"]"
            + (b"}" if rest == b"{}" else b"," + rest[1:])
        )
