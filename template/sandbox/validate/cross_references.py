"""Rules about a whole message that no schema can express: what one part of it says about another."""

from collections.abc import Callable, Iterator
from typing import Any

from ..wire import pointer_of
from .rules import Broken, as_array, as_object
from .zis_bundles import bundle

MOST_REQUIREMENTS = 5_000
MOST_LEGACY_CUSTOM_OBJECTS = 50


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


# --- The installer app ----------------------------------------------------------------------------


def _requirements(message: Any) -> Iterator[Broken]:
    """A package has room for so many requirements."""
    kinds = as_object(message)
    total = sum(map(_leaves, kinds.values()))
    if total > MOST_REQUIREMENTS:
        yield Broken(
            "",
            "requirements-count",
            f"{total:,} requirements are more than {MOST_REQUIREMENTS:,}",
            f"Keep at most {MOST_REQUIREMENTS:,}, and make the others by other means.",
            ("ZAS",),
        )
    legacy = _leaves(kinds.get("custom_objects"), level=2)
    if legacy > MOST_LEGACY_CUSTOM_OBJECTS:
        yield Broken(
            "/custom_objects",
            "legacy-custom-objects-count",
            f"{legacy} legacy custom objects are more than {MOST_LEGACY_CUSTOM_OBJECTS}",
            f"Keep at most {MOST_LEGACY_CUSTOM_OBJECTS}, or describe them in `custom_objects_v2`.",
            ("ZAS",),
        )


CHECKS: dict[str, Callable[[Any], Iterator[Broken]]] = {
    "installer-app-requirements": _requirements,
    "pull-response": _parents_first,
    "push-request": _parents_first,
    "zis-bundle": bundle,
}


def _leaves(value: Any, level: int = 1) -> int:
    """Count what stands in an object or an array, `level` levels deep."""
    inside = value.values() if isinstance(value, dict) else as_array(value)
    return len(inside) if level == 1 else sum(_leaves(item, level - 1) for item in inside)
