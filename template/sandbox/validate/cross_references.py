"""Rules about a whole message that no schema can express: what one part of it says about another."""

from collections.abc import Callable, Iterator
from typing import Any

from ..wire import pointer_of
from . import app_rules
from .rules import Broken, as_array, as_object
from .zis_bundles import bundle


def cross_references(name: str, message: Any) -> Iterator[Broken]:
    """Check what no schema can; whatever has the wrong type is left to the schema."""
    if name in CHECKS:
        yield from CHECKS[name](message)


# --- Posts ----------------------------------------------------------------------------------------


def _parents_first(message: Any) -> Iterator[Broken]:
    """Posts come in order: what is answered before the answer (SVC-31)."""
    posts = [as_object(post) for post in as_array(as_object(message).get("external_resources"))]
    ids = [post.get("external_id") for post in posts]
    for number, post in enumerate(posts):
        parent = post.get("parent_id")
        if isinstance(parent, str) and parent not in ids[:number] and parent in ids[number:]:
            yield Broken(
                pointer_of(["external_resources", number, "parent_id"]),
                "parent-first",
                f"the post `{parent}` comes later in this list, or is this one",
                "Put every post behind the one that it answers.",
                ("D:pull_endpoint",),
                ("SVC-31",),
            )


CHECKS: dict[str, Callable[[Any], Iterator[Broken]]] = {
    **app_rules.CHECKS,
    "pull-response": _parents_first,
    "push-request": _parents_first,
    "zis-bundle": bundle,
}
