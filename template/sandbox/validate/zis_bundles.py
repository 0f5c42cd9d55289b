"""Rules about a ZIS bundle that no schema can express: names, references, paths, templates, what can be reached."""

import difflib
import importlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ..wire import pointer_of
from ..zis.event_types import EVENT_TYPES, SUPPORT
from ..zis.paths import INTRINSIC, is_path, steps_of, templates_in
from .rules import Broken, as_array, as_object, listed

ACTION, FLOW, JOB_SPEC = "ZIS::Action::Http", "ZIS::Flow", "ZIS::JobSpec"
_KINDS = {ACTION: "action", FLOW: "flow", JOB_SPEC: "job spec"}
BUILT_IN = "zis:common:"
JQ = f"{BUILT_IN}transform:Jq"
NEEDED: dict[str, tuple[str, ...]] = {
    f"{BUILT_IN}action:LoadConfig": ("scope",),
    f"{BUILT_IN}action:PatchConfig": ("scope", "config"),
    f"{BUILT_IN}action:LoadLinks": ("link_type",),
    f"{BUILT_IN}action:CreateLink": ("link_type",),
    f"{BUILT_IN}action:PatchLink": ("link_type",),
    f"{BUILT_IN}action:DeleteLink": ("link_type",),
    JQ: ("expr", "data"),
}
"""The actions that Zendesk brings, and the parameters that each must be given."""

LONGEST_FLOW = 100
"""Seconds."""
LONGEST_NAME = 50
INPUT = ("$.input", "$.account_id", "$.integration_key", "$.subdomain")
# What a request to Zendesk has to write for it to report an event of the type.
_REPORTED = {
    "ticket.CommentAdded": "comment",
    "ticket.CustomFieldChanged": "custom_fields",
    "ticket.GroupAssignmentChanged": "group_id",
    "ticket.PriorityChanged": "priority",
    "ticket.StatusChanged": "status",
    "ticket.SubjectChanged": "subject",
    "ticket.TagsChanged": "tags",
}
_WRITES = {"POST", "PUT", "PATCH"}


class _Part(NamedTuple):
    """A resource of a bundle: its key, kind, and what stands under `properties`."""

    key: str
    kind: str
    properties: dict[str, Any]

    @property
    def name(self) -> Any:
        return self.properties.get("name")

    @property
    def definition(self) -> dict[str, Any]:
        return as_object(self.properties.get("definition"))

    def pointer(self, *way: str) -> str:
        return pointer_of(["resources", self.key, "properties", *way])


class _Machine(NamedTuple):
    """A flow, or the flow inside of a Map."""

    pointer: str
    start: Any
    states: dict[str, dict[str, Any]]

    def at(self, state: str, *way: str | int) -> str:
        return self.pointer + pointer_of(["States", state, *way])


def bundle(message: Any) -> Iterator[Broken]:
    parts = [
        _Part(key, resource["type"], as_object(resource.get("properties")))
        for key, resource in as_object(as_object(message).get("resources")).items()
        if isinstance(resource, dict) and resource.get("type") in _KINDS
    ]
    for check in (_names, _references, _flows, _requests, _events, _unused, _loops):
        yield from check(parts)


def _warning(pointer: str, check: str, wrong: str, remedy: str, *sources: str) -> Broken:
    return Broken(pointer, check, wrong, remedy, sources, severity="warning")


# --- Names and references -------------------------------------------------------------------------


def _names(parts: list[_Part]) -> Iterator[Broken]:
    """A resource is referred to by its name, so no other of its kind has the same."""
    seen: dict[tuple[str, str], str] = {}
    for part in parts:
        if not isinstance(part.name, str):
            continue
        first = seen.setdefault((part.kind, part.name), part.key)
        if first != part.key:
            yield Broken(
                part.pointer("name"),
                "name-unique",
                f"the {_KINDS[part.kind]} of the resource `{first}` is called `{part.name}` already",
                "Give each a name of its own: Zendesk refuses a bundle with duplicated resources.",
                ("S4", "Z:cust"),
            )
        if len(part.name) > LONGEST_NAME:
            yield _warning(
                part.pointer("name"),
                "name-length",
                f"the name has {len(part.name)} characters; no bundle known to work has more than {LONGEST_NAME}",
                f"Shorten it to {LONGEST_NAME} characters.",
            )


def _references(parts: list[_Part]) -> Iterator[Broken]:
    """Whatever is referred to is in the same bundle, under the name of one integration."""
    first = ""
    for pointer, reference in _referring(parts):
        match reference.split(":"):
            case ["zis", integration, "action" | "flow" as kind, name] if integration != "common":
                first = first or integration
            case _:
                continue
        there = [part.name for part in parts if _KINDS[part.kind] == kind and isinstance(part.name, str)]
        if name not in there:
            yield Broken(
                pointer,
                f"{kind}-exists",
                f"the bundle has no {kind} `{name}`",
                f"Name one that it has ({listed(there)}), or add `{name}` to its resources.",
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


def _referring(parts: list[_Part]) -> Iterator[tuple[str, str]]:
    for part in parts:
        if part.kind == FLOW:
            for machine in _machines(part):
                for name, state in machine.states.items():
                    if isinstance(action := state.get("ActionName"), str):
                        yield machine.at(name, "ActionName"), action
        elif part.kind == JOB_SPEC and isinstance(flow := part.properties.get("flow_name"), str):
            yield part.pointer("flow_name"), flow


def _unused(parts: list[_Part]) -> Iterator[Broken]:
    """What nothing refers to has no effect; where no resource of its kind is used, it may yet be meant for later."""
    used = {
        (reference.rpartition(":")[0].rpartition(":")[2], reference.rpartition(":")[2])
        for _, reference in _referring(parts)
    }
    for part in parts:
        kind = _KINDS[part.kind]
        names = {name for of_kind, name in used if of_kind == kind}
        if names & {other.name for other in parts} and isinstance(part.name, str) and part.name not in names:
            by = "state" if part.kind == ACTION else "job spec"
            yield _warning(
                part.pointer("name"),
                "unused",
                f"no {by} names the {kind} `{part.name}`",
                f"Remove it, or name it in a {by}.",
                "Z:cust",
            )


# --- Flows ----------------------------------------------------------------------------------------


def _machines(part: _Part) -> Iterator[_Machine]:
    yield from _inside(part.definition, part.pointer("definition"))


def _inside(definition: Any, pointer: str) -> Iterator[_Machine]:
    states = {
        name: state
        for name, state in as_object(as_object(definition).get("States")).items()
        if isinstance(state, dict)
    }
    if not states:
        return
    machine = _Machine(pointer, definition.get("StartAt"), states)
    yield machine
    for name, state in states.items():
        yield from _inside(state.get("Iterator"), machine.at(name, "Iterator"))


def _flows(parts: list[_Part]) -> Iterator[Broken]:
    for part in parts:
        if part.kind == FLOW:
            for machine in _machines(part):
                dangling = list(_dangling(machine))
                yield from dangling
                if not dangling:
                    yield from _unreached(machine)
                    yield from _overwritten(machine)
                for name, state in machine.states.items():
                    for check in _OF_STATES:
                        yield from check(machine, name, state)


def _dangling(machine: _Machine) -> Iterator[Broken]:
    """Wherever a flow goes on, it goes on with one of its own states; an `Iterator` has states of its own."""
    places = [(f"{machine.pointer}/StartAt", machine.start)]
    for name, state in machine.states.items():
        places += [(machine.at(name) + way, target) for way, target in _transitions(state)]
    for place, target in places:
        if isinstance(target, str) and target not in machine.states:
            yield Broken(
                place,
                "state-exists",
                f"the flow has no state `{target}`",
                f"Name one of its states ({listed(machine.states)}), or add `{target}` to them.",
                ("Z:flow",),
            )


def _transitions(state: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what a state names as following it, and where."""
    for key in ("Next", "Default"):
        if key in state:
            yield f"/{key}", state[key]
    for key in ("Choices", "Catch"):
        for number, item in enumerate(as_array(state.get(key))):
            if "Next" in as_object(item):
                yield f"/{key}/{number}/Next", item["Next"]


def _reached(machine: _Machine, start: str) -> set[str]:
    reached: set[str] = set()
    ahead = [start]
    while ahead:
        name = ahead.pop()
        if name in machine.states and name not in reached:
            reached.add(name)
            ahead += [target for _, target in _transitions(machine.states[name]) if isinstance(target, str)]
    return reached


def _unreached(machine: _Machine) -> Iterator[Broken]:
    if not isinstance(machine.start, str):
        return
    reached = _reached(machine, machine.start)
    for name in machine.states:
        if name not in reached:
            yield _warning(
                machine.at(name),
                "reachable",
                f"no way leads from `{machine.start}` to the state `{name}`",
                "Remove the state, or name it in another's `Next`.",
                "Z:flow",
            )
    if not any(
        machine.states[name].get("End") is True or machine.states[name].get("Type") in {"Succeed", "Fail"}
        for name in reached
    ):
        yield _warning(
            f"{machine.pointer}/StartAt",
            "ends",
            f"no state that ends the flow can be reached: it goes round for {LONGEST_FLOW} seconds",
            'Give one of its states `"End": true`, or go on with a Succeed or a Fail.',
            "Z:flow",
        )


def _overwritten(machine: _Machine) -> Iterator[Broken]:
    """An action without a ResultPath replaces all data, so what it began with is gone afterwards."""
    for name, state in machine.states.items():
        following = state.get("Next")
        if (
            state.get("Type") != "Action"
            or state.get("ResultPath", "$") != "$"
            or state.get("ActionName") == f"{BUILT_IN}action:PatchConfig"
            or not isinstance(following, str)
        ):
            continue
        for later in machine.states:
            if later in _reached(machine, following) and (path := _input_in(machine.states[later])):
                yield _warning(
                    machine.at(name),
                    "input-kept",
                    f"the result replaces all data of the flow, and `{later}` reads `{path}`",
                    'Put the result beside it: `"ResultPath": "$.result"`.',
                    "Z:act",
                )
                break


def _input_in(value: Any) -> str | None:
    """Return the first path into what the flow began with."""
    return next(
        (text for text in _texts(value) if text in INPUT or text.startswith(("$.input.", "$.input["))), None
    )


def _texts(value: Any) -> Iterator[str]:
    """Yield every text inside, and what it holds in double braces."""
    if isinstance(value, str):
        yield value
        yield from templates_in(value)
    for item in value.values() if isinstance(value, dict) else as_array(value):
        yield from _texts(item)


def _built_in(machine: _Machine, name: str, state: dict[str, Any]) -> Iterator[Broken]:
    action = state.get("ActionName")
    if not isinstance(action, str) or not action.startswith(BUILT_IN):
        return
    if action not in NEEDED:
        similar = difflib.get_close_matches(action, NEEDED, n=1, cutoff=0.9)
        yield _warning(
            machine.at(name, "ActionName"),
            "built-in",
            f"Zendesk's documentation knows no `{action}`",
            f"Write `{similar[0]}` if you mean that." if similar else f"It knows {listed(NEEDED)}.",
            "Z:act",
        )
        return
    parameters = as_object(state.get("Parameters"))
    for key in NEEDED[action]:
        if key not in parameters and f"{key}.$" not in parameters:
            yield Broken(
                machine.at(name),
                "parameter",
                f"`{action}` is not given the parameter `{key}`",
                f"Add `{key}`, or `{key}.$` for a path, to `Parameters`.",
                ("Z:act",),
            )


def _expression(machine: _Machine, name: str, state: dict[str, Any]) -> Iterator[Broken]:
    """The filter compiles; one that holds paths in double braces is complete only while the flow runs."""
    filter_ = as_object(state.get("Parameters")).get("expr")
    if state.get("ActionName") != JQ or not isinstance(filter_, str):
        return
    place = machine.at(name, "Parameters", "expr")
    try:
        jq: Any = importlib.import_module("jq")
    except ModuleNotFoundError:
        yield _warning(
            place,
            "jq-missing",
            "the filter was not checked, for the package `jq` is not installed",
            "Install it: `uv add --dev jq`.",
        )
        return
    try:
        jq.compile(filter_)
    except ValueError as error:
        # What follows the first line repeats the whole filter.
        reason = str(error).partition("\n")[0].removeprefix("jq: error: ")
        yield Broken(place, "jq", f"jq cannot read this: {reason}", "Correct the filter.", ("Z:act",))


def _long_wait(machine: _Machine, name: str, state: dict[str, Any]) -> Iterator[Broken]:
    seconds = state.get("Seconds")
    if state.get("Type") == "Wait" and isinstance(seconds, int | float) and seconds > LONGEST_FLOW:
        yield _warning(
            machine.at(name, "Seconds"),
            "flow-time",
            f"a flow has {LONGEST_FLOW} seconds in all; it ends before this one is over",
            f"Wait less than {LONGEST_FLOW} seconds.",
            "Z:flow",
        )


def _retry(machine: _Machine, name: str, state: dict[str, Any]) -> Iterator[Broken]:
    if "Retry" in state:
        yield _warning(
            machine.at(name, "Retry"),
            "retry",
            "only an older page of Zendesk's documentation knows `Retry`, and the present one does not",
            "Leave it out: Zendesk runs the whole flow again after 429 and 5xx.",
            "Z:err",
        )


def _paths(machine: _Machine, name: str, state: dict[str, Any]) -> Iterator[Broken]:
    """Every path is one, and so is every path in double braces."""
    for key in ("ResultPath", "ItemsPath", "SecondsPath"):
        yield from _path(machine.at(name, key), state.get(key), one=key == "ResultPath")
    for number, item in enumerate(as_array(state.get("Catch"))):
        place = machine.at(name, "Catch", number, "ResultPath")
        yield from _path(place, as_object(item).get("ResultPath"), one=True)
    for number, item in enumerate(as_array(state.get("Choices"))):
        yield from _conditions(machine.at(name, "Choices", number), item)
    yield from _values(machine.at(name, "Parameters"), state.get("Parameters"))
    for key in ("Message", "Error", "Cause"):
        yield from _template(machine.at(name, key), state.get(key))


def _conditions(pointer: str, condition: Any) -> Iterator[Broken]:
    for key, value in as_object(condition).items():
        if key == "Variable" or key.endswith("Path"):
            yield from _path(f"{pointer}/{key}", value)
        elif key == "Not":
            yield from _conditions(f"{pointer}/{key}", value)
        elif key in {"And", "Or"}:
            for number, item in enumerate(as_array(value)):
                yield from _conditions(f"{pointer}/{key}/{number}", item)


def _values(pointer: str, value: Any) -> Iterator[Broken]:
    """Check the texts of parameters or of a request; only keys that end in `.$` have paths as they are."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _values(f"{pointer}/{number}", item)
    for key, inner in as_object(value).items():
        place = pointer + pointer_of([key])
        if not key.endswith(".$") or not isinstance(inner, str):
            yield from _values(place, inner)
        elif INTRINSIC.match(inner):
            yield Broken(
                place,
                "intrinsic",
                "ZIS has none of the functions of the Amazon States Language",
                f"Use `{JQ}`, or paths in double braces.",
                ("Z:gloss",),
            )
        elif "{{" in inner:
            yield from _template(place, inner)
        else:
            yield from _path(place, inner)
    yield from _template(pointer, value)


def _path(pointer: str, path: Any, *, one: bool = False) -> Iterator[Broken]:
    # What does not begin as a path does is refused by the schema, but not behind `.$`.
    if isinstance(path, str) and not (is_path(path) if not one else steps_of(path) is not None):
        yield Broken(
            pointer,
            "path",
            f"`{path}` is no path into the data of the flow",
            "Write `$`, keys as `.name` or `['a name']`, and positions as `[0]`.",
            ("Z:flow",),
        )


def _template(pointer: str, text: Any) -> Iterator[Broken]:
    for inner in templates_in(text) if isinstance(text, str) else ():
        if inner.startswith("{{"):
            yield Broken(
                pointer,
                "template",
                "no `}}` closes what `{{` opens",
                "Write `{{$.path}}`.",
                ("Z:cust",),
            )
        else:
            yield from _path(pointer, inner)


_OF_STATES: tuple[Callable[[_Machine, str, dict[str, Any]], Iterator[Broken]], ...] = (
    _built_in,
    _expression,
    _long_wait,
    _retry,
    _paths,
)


# --- Requests and events --------------------------------------------------------------------------


def _requests(parts: list[_Part]) -> Iterator[Broken]:
    for part in parts:
        if part.kind != ACTION:
            continue
        request = part.definition
        yield from _values(part.pointer("definition"), request)
        headers = request.get("headers")
        if isinstance(headers, dict):
            yield _warning(
                part.pointer("definition", "headers"),
                "headers-list",
                "the documentation knows headers as a list only",
                'Write each as `{"key": "Name", "value": "text"}`, in a list.',
                "Z:cust",
            )
        named = {str(as_object(item).get("key")).lower() for item in as_array(headers)}
        named |= {key.lower() for key in as_object(headers)}
        if {"path", "path.$"} & request.keys() and not (
            "connectionName" in request or "authorization" in named
        ):
            yield _warning(
                part.pointer("definition"),
                "path-connection",
                "a request to Zendesk itself is answered with 401 unless a connection gives it credentials",
                'Add `"connectionName": "zendesk"`, and create that connection.',
                "Z:conn",
            )


def _events(parts: list[_Part]) -> Iterator[Broken]:
    for part in parts:
        type_ = part.properties.get("event_type")
        if (
            part.kind == JOB_SPEC
            and part.properties.get("event_source") == SUPPORT
            and isinstance(type_, str)
            and type_ not in EVENT_TYPES
        ):
            similar = difflib.get_close_matches(type_, EVENT_TYPES, n=1)
            yield _warning(
                part.pointer("event_type"),
                "event-type",
                f"Zendesk's documentation knows no event `{type_}`, so it may never come",
                f"Write `{similar[0]}` if you mean that."
                if similar
                else "Take a type from Zendesk's list of trigger events, such as `ticket.StatusChanged`.",
                "Z:gloss",
            )


def _loops(parts: list[_Part]) -> Iterator[Broken]:
    """A flow that writes what its own event reports starts itself again."""
    named = {(part.kind, part.name): part for part in parts if isinstance(part.name, str)}
    for spec in parts:
        written = _REPORTED.get(str(spec.properties.get("event_type")))
        flow = named.get((FLOW, str(spec.properties.get("flow_name")).rpartition(":")[2]))
        if spec.kind != JOB_SPEC or not written or not flow:
            continue
        for pointer, reference in _referring([flow]):
            action = named.get((ACTION, reference.rpartition(":")[2]))
            if action and _writes(action.definition, written):
                yield _warning(
                    pointer,
                    "starts-itself",
                    f"this writes `{written}`, so Zendesk sends `{spec.properties['event_type']}` again, "
                    "which starts this flow",
                    "Go on only where there is something to change, with a Choice before it.",
                    "Z:flow",
                )


def _writes(request: dict[str, Any], key: str) -> bool:
    target = str(request.get("path", request.get("path.$", "")))
    body = re.compile(rf'"{key}(?:\.\$)?"')
    return (
        request.get("method") in _WRITES
        and re.search(r"/api/v2/tickets\b", target) is not None
        and body.search(json.dumps(request.get("requestBody"))) is not None
    )
