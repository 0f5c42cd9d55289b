"""How a flow runs: its states, one after the other, over the data that they read and change."""

import operator
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from .data import MissingError, filled, found, placed, with_values

LONGEST_FLOW = 100
"""Seconds."""
MOST_TRANSITIONS_OF_A_MAP = 250

_OF_OTHERS = {"InputPath", "OutputPath", "ResultSelector", "Retry"}
"""Keys of a state in other runtimes of the States Language; `Retry` stood on one page of Zendesk's, too."""

States = dict[str, Any]


class FlowError(Exception):
    """What a flow ends with unless one of its states catches it."""

    def __init__(
        self, error: str, cause: str, *, status: int | None = None, retry_after: str | None = None
    ) -> None:
        super().__init__(cause)
        self.error = error
        self.cause = cause
        self.status = status
        """Of the answer to an action's request."""
        self.retry_after = retry_after


class FailedError(FlowError):
    """A Fail state: the flow is not run again."""


class TimeIsUpError(FlowError):
    """The flow has had its time, and no state catches that."""

    def __init__(self) -> None:
        super().__init__("States.Timeout", f"the flow took longer than {LONGEST_FLOW} seconds")


class Clock(Protocol):
    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True)
class Call:
    """What an Action state asks for."""

    action: str
    parameters: dict[str, Any] | None
    """None where the state gives none: then the action sees the data of the flow."""
    data: Any
    seconds: float


@dataclass(frozen=True)
class Result:
    value: Any
    is_nothing: bool = False
    """Whether the data stay as they are."""


Perform = Callable[[Call], Awaitable[Result]]


@dataclass
class Flow:
    """One run of a flow. What it went through stays readable, also when it fails."""

    clock: Clock
    perform: Perform
    states_run: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What ZIS does otherwise than whoever wrote the flow seems to expect."""

    def __post_init__(self) -> None:
        self._end = self.clock.now() + timedelta(seconds=LONGEST_FLOW)

    async def run(self, definition: dict[str, Any], data: Any) -> str:
        """Go from state to state, and return the message of the last. Raises FlowError."""
        message, _ = await self._machine(definition, data, None)
        return message

    async def _machine(self, definition: dict[str, Any], data: Any, limit: int | None) -> tuple[str, Any]:
        states, name = definition["States"], definition["StartAt"]
        transitions = 0
        while True:
            if name not in states:
                raise FlowError("States.Runtime", f"the flow has no state {name}")
            if self._left() <= 0:
                raise TimeIsUpError
            transitions += 1
            if limit is not None and transitions > limit:
                raise FlowError("States.Runtime", f"a Map may go through {limit} states for an item")
            self.states_run.append(name)
            state = states[name]
            self._remark_on(name, state)
            try:
                data, name, message = await self._state(state, data)
            except (FailedError, TimeIsUpError):
                raise
            except (FlowError, MissingError) as error:
                data, name = _caught(state, data, _as_flow_error(error))
                continue
            if name is None:
                return message, data

    def _remark_on(self, name: str, state: States) -> None:
        for key in sorted(_OF_OTHERS & state.keys()):
            remark = f"{name} has {key}: it has no effect, for ZIS does not know it"
            if remark not in self.remarks:
                self.remarks.append(remark)

    async def _state(self, state: States, data: Any) -> tuple[Any, Any, str]:
        """Return the data afterwards, the state that follows or None, and the message if the flow ends."""
        following = state.get("Next")
        match state["Type"]:
            case "Action":
                data = await self._action(state, data)
            case "Choice":
                following = _chosen(state, data)
            case "Map":
                data = await self._map(state, data)
            case "Pass":
                if "Result" in state:
                    data = placed(data, state.get("ResultPath", "$"), state["Result"])
            case "Wait":
                await self._wait(state, data)
            case "Succeed":
                return data, None, filled(state.get("Message", SUCCESS), data)
            case "Fail":
                raise FailedError(filled(state["Error"], data), filled(state["Cause"], data))
            case other:
                raise FlowError("States.Runtime", f"ZIS has no state of the type {other}")
        return data, following, SUCCESS

    async def _action(self, state: States, data: Any) -> Any:
        parameters = with_values(state["Parameters"], data) if "Parameters" in state else None
        seconds = min(self._left(), state.get("TimeoutSeconds", LONGEST_FLOW))
        result = await self.perform(Call(state["ActionName"], parameters, data, seconds))
        if result.is_nothing:
            return data
        if "ResultPath" in state:
            return placed(data, state["ResultPath"], result.value)
        if isinstance(result.value, dict):
            return {**result.value, "__httpresponse": result.value}
        return result.value

    async def _map(self, state: States, data: Any) -> Any:
        items = found(data, state["ItemsPath"])
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise FlowError("States.Runtime", f"{state['ItemsPath']} is no array of objects")
        results = []
        for item in items:
            try:
                _, result = await self._machine(state["Iterator"], item, MOST_TRANSITIONS_OF_A_MAP)
            except FailedError as error:
                # A Fail inside fails the Map, which may catch it.
                raise FlowError(error.error, error.cause) from None
            results.append(result)
        return placed(data, state.get("ResultPath", "$"), results)

    async def _wait(self, state: States, data: Any) -> None:
        if not {"Seconds", "SecondsPath"} & state.keys():
            raise FlowError("States.Runtime", "a Wait takes Seconds or SecondsPath")
        seconds = state["Seconds"] if "Seconds" in state else found(data, state["SecondsPath"])
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            raise FlowError("States.Runtime", f"{seconds!r} is no number of seconds")
        left = self._left()
        if seconds > 0:
            await self.clock.sleep(min(seconds, left))
        if seconds >= left:
            raise TimeIsUpError

    def _left(self) -> float:
        return (self._end - self.clock.now()).total_seconds()


SUCCESS = "Execution Successful"


def _as_flow_error(error: FlowError | MissingError) -> FlowError:
    return error if isinstance(error, FlowError) else FlowError("States.Runtime", str(error))


def _caught(state: States, data: Any, error: FlowError) -> tuple[Any, Any]:
    """Go on as `Catch` says, with the error where its path leads; without one the flow fails."""
    for catch in state.get("Catch", []):
        caught = {"Error": error.error, "Cause": error.cause}
        return placed(data, catch.get("ResultPath", "$"), caught), catch["Next"]
    raise error


# --- Choices ------------------------------------------------------------------------------------------

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "GreaterThan": operator.gt,
    "LessThanEquals": operator.le,
    "GreaterThanEquals": operator.ge,
}
_WITH_PATHS = {"StringEqualsPath", "BooleanEqualsPath"} | {f"Numeric{order}Path" for order in _ORDERS}
OPERATORS = (
    {f"{kind}{order}" for kind in ("String", "Numeric", "Timestamp") for order in _ORDERS}
    | {"BooleanEquals", "IsPresent", "IsNull"}
    | _WITH_PATHS
)


def _chosen(state: States, data: Any) -> Any:
    for rule in state["Choices"]:
        if _holds(rule, data):
            return rule["Next"]
    if "Default" not in state:
        raise FlowError("States.NoChoiceMatched", "no rule of the Choice holds, and it has no Default")
    return state["Default"]


def _holds(rule: dict[str, Any], data: Any) -> bool:
    if "And" in rule:
        return all(_holds(each, data) for each in rule["And"])
    if "Or" in rule:
        return any(_holds(each, data) for each in rule["Or"])
    if "Not" in rule:
        return not _holds(rule["Not"], data)
    path = rule["Variable"]
    for operator_, operand in rule.items():
        if operator_ == "IsPresent":
            return _is_present(data, path) is operand
        if operator_ == "IsNull":
            return (found(data, path) is None) is operand
        if operator_ in OPERATORS:
            other = found(data, operand) if operator_ in _WITH_PATHS else operand
            return _compares(operator_.removesuffix("Path"), found(data, path), other)
    raise FlowError("States.Runtime", "a rule of the Choice compares nothing")


def _is_present(data: Any, path: str) -> bool:
    try:
        found(data, path)
    except MissingError:
        return False
    return True


def _compares(operator_: str, value: Any, other: Any) -> bool:
    """Compare two values of the type that the operator is about; what is of another type equals nothing."""
    for kind, read in _KINDS.items():
        if operator_.startswith(kind):
            left, right = read(value), read(other)
            if left is None or right is None:
                return False
            return _ORDERS[operator_.removeprefix(kind)](left, right)
    return False


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


_KINDS: dict[str, Callable[[Any], Any]] = {
    "String": lambda value: value if isinstance(value, str) else None,
    "Numeric": lambda value: (
        value if isinstance(value, int | float) and not isinstance(value, bool) else None
    ),
    "Boolean": lambda value: value if isinstance(value, bool) else None,
    "Timestamp": _moment,
}
