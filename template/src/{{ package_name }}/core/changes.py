"""Changes: what Zendesk can show of a post that is edited, deleted or reacted to, for it keeps comments as they are.

`origin.py` turns the post into a resource as ever, and has one of these functions make the change of it: a comment or
an internal note in the same thread. Its id is made of the post's, and is the same whenever the origin tells of the
change again; `changed_post` gives the post's id back.
"""

import hashlib
import re
from datetime import datetime

from .messages import ExternalResource, fit

ID_LIMIT = 255

_CHANGE = re.compile(r"#(edit|deletion|reaction)-[0-9a-f]{16}$")


def edit_of(post: ExternalResource, version: str, at: datetime) -> ExternalResource:
    """Say how the post reads now; `version` tells this edit from others of the post: its own id, or its time."""
    return _change(post, "edit", version, at, message=f"Edited: {post.message}", file_urls=post.file_urls)


def deletion_of(post: ExternalResource, at: datetime) -> ExternalResource:
    """Say to agents alone that the post is gone, and nothing of what it said."""
    return _change(post, "deletion", "", at, message="The post was deleted.", internal_note=True)


def reaction_to(post: ExternalResource, who: str, reaction: str, at: datetime) -> ExternalResource:
    """Say to agents alone who reacted how."""
    said = f"{who} {reaction}"
    return _change(post, "reaction", said, at, message=f"Reaction: {said}", internal_note=True)


def changed_post(external_id: str) -> str:
    """Give the id of the post of which this is a change; that of a post stays as it is."""
    return _CHANGE.sub("", external_id)


def _change(
    post: ExternalResource, kind: str, version: str, at: datetime, *, message: str, **content: object
) -> ExternalResource:
    digest = hashlib.sha256(f"{post.external_id} {version}".encode()).hexdigest()[:16]
    name = f"#{kind}-{digest}"
    place = {"thread_id": post.thread_id} if post.thread_id else {"parent_id": post.external_id}
    fields = {
        "external_id": post.external_id[: ID_LIMIT - len(name)] + name,
        "message": fit(message, otherwise=""),
        "created_at": at,
        "author": post.author,
    }
    return ExternalResource.model_validate(fields | place | content)
