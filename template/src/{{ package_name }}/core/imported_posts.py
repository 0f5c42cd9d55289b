"""Imported posts: what a pushed post has become in Zendesk."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportedPost:
    external_id: str
    ticket_id: int
    comment_id: int
