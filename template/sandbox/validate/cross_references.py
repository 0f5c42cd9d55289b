"""Rules about a whole message that no schema can express: what one part of it says about another."""

from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from ..wire import pointer_of

MOST_REQUIREMENTS = 5_000
MOST_LEGACY_CUSTOM_OBJECTS = 50

ACTION, FLOW, JOB_SPEC = "ZIS::Action::Http", "ZIS::Flow", "ZIS::JobSpec"
_KINDS = {ACTION: "action", FLOW: "flow", JOB_SPEC: "job spec"}
BUILT_IN = "common"
"""What stands for the integration in the references of actions that Zendesk brings."""


class Broken(NamedTuple):
    """A rule that does not hold, by the name of its check, and the marks of the sources that state it."""

    pointer: str
    check: str
    wrong: str
    remedy: str
    sources: tuple[str, ...]
    rules: tuple[str, ...] = ()


def cross_references(name: str, message: Any) -> Iterator[Broken]:
    """Check what no schema can; whatever has the wrong type is left to the schema."""
    if name in CHECKS:
        yield from CHECKS[name](message)


# --- Posts ----------------------------------------------------------------------------------------


def _parents_first(message: Any) -> Iterator[Broken]:
    """Posts come in order: what is answered before the answer (SVC-31)."""
    posts = [_object(post) for post in _array(_object(message).get("external_resources"))]
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
    kinds = _object(message)
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


# --- Bundles of Zendesk Integration Services --------------------------------------------------------


class _Part(NamedTuple):
    """A resource of a bundle: its key, kind, and what stands under `properties`."""

    key: str
    kind: str
    properties: dict[str, Any]

    @property
    def name(self) -> Any:
        return self.properties.get("name")

    def pointer(self, *way: str) -> str:
        return pointer_of(["resources", self.key, "properties", *way])


def _bundle(message: Any) -> Iterator[Broken]:
    parts = [
        _Part(key, resource["type"], _object(resource.get("properties")))
        for key, resource in _object(_object(message).get("resources")).items()
        if isinstance(resource, dict) and resource.get("type") in _KINDS
    ]
    yield from _names(parts)
    references: list[tuple[str, str]] = []
    for part in parts:
        if part.kind == FLOW:
            machine = part.properties.get("definition")
            yield from _machine(machine, part.pointer("definition"))
            references += _actions(machine, part.pointer("definition"))
        elif part.kind == JOB_SPEC and isinstance(flow := part.properties.get("flow_name"), str):
            references.append((part.pointer("flow_name"), flow))
    yield from _targets(parts, references)


def _names(parts: list[_Part]) -> Iterator[Broken]:
    """A resource is referred to by its name, so no other of its kind has the same."""
    seen: dict[tuple[str, str], str] = {}
    for part in parts:
        if not isinstance(part.name, str):
            continue
        if part.kind == ACTION and part.name != part.key:
            yield Broken(
                part.pointer("name"),
                "name-is-key",
                f"the action is called `{part.name}`, but its resource `{part.key}`",
                "Give both the same name.",
                ("Z:cust",),
            )
        first = seen.setdefault((part.kind, part.name), part.key)
        if first != part.key:
            yield Broken(
                part.pointer("name"),
                "name-unique",
                f"the {_KINDS[part.kind]} of the resource `{first}` is called `{part.name}` already",
                "Give each a name of its own: of two with one name the last replaces the other.",
                ("S4", "Z:cust"),
            )


def _machine(machine: Any, pointer: str) -> Iterator[Broken]:
    """Wherever a flow goes on, it goes on with one of its own states; an `Iterator` has states of its own."""
    states = _object(_object(machine).get("States"))
    if not states:
        return
    places = [(f"{pointer}/StartAt", machine.get("StartAt"))]
    for name, state in states.items():
        at = pointer + pointer_of(["States", name])
        places += _transitions(state, at)
        yield from _machine(_object(state).get("Iterator"), f"{at}/Iterator")
    for place, target in places:
        if isinstance(target, str) and target not in states:
            yield Broken(
                place,
                "state-exists",
                f"the flow has no state `{target}`",
                f"Name one of its states ({_listed(states)}), or add `{target}` to them.",
                ("Z:flow",),
            )


def _transitions(state: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """Yield what a state names as following it, and where."""
    found = _object(state)
    for key in ("Next", "Default"):
        if key in found:
            yield f"{pointer}/{key}", found[key]
    for key in ("Choices", "Catch"):
        for number, item in enumerate(_array(found.get(key))):
            if "Next" in _object(item):
                yield f"{pointer}/{key}/{number}/Next", item["Next"]


def _actions(machine: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """Yield the actions that a flow refers to, and where."""
    for name, state in _object(_object(machine).get("States")).items():
        at = pointer + pointer_of(["States", name])
        action = _object(state).get("ActionName")
        if isinstance(action, str):
            yield f"{at}/ActionName", action
        yield from _actions(_object(state).get("Iterator"), f"{at}/Iterator")


def _targets(parts: list[_Part], references: list[tuple[str, str]]) -> Iterator[Broken]:
    """Whatever is referred to is in the same bundle, under the name of one integration."""
    first = ""
    for pointer, reference in references:
        match reference.split(":"):
            case ["zis", integration, "action" | "flow" as kind, name] if integration != BUILT_IN:
                first = first or integration
            case _:
                continue
        there = [part.name for part in parts if _KINDS[part.kind] == kind and isinstance(part.name, str)]
        if name not in there:
            yield Broken(
                pointer,
                f"{kind}-exists",
                f"the bundle has no {kind} `{name}`",
                f"Name one that it has ({_listed(there)}), or add `{name}` to its resources.",
                ("Z:cust", "Z:gloss"),
            )
        if integration != first:
            yield Broken(
                pointer,
                "one-integration",
                f"this refers to the integration `{integration}`, another part of the bundle to `{first}`",
                "Write the integration that the bundle is uploaded to into every reference.",
                ("S4", "Z:cust"),
            )


CHECKS: dict[str, Callable[[Any], Iterator[Broken]]] = {
    "installer-app-requirements": _requirements,
    "pull-response": _parents_first,
    "push-request": _parents_first,
    "zis-bundle": _bundle,
}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _array(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _leaves(value: Any, level: int = 1) -> int:
    """Count what stands in an object or an array, `level` levels deep."""
    inside = value.values() if isinstance(value, dict) else _array(value)
    return len(inside) if level == 1 else sum(_leaves(item, level - 1) for item in inside)


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none so far"
