"""`sandbox/zis/flows.py` and `actions.py`: each state, error, limit and template, on a clock that stands still."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from sandbox.zendesk import FakeClock
from sandbox.zis.actions import Actions, Answer, NoAnswerError, missing_connection
from sandbox.zis.flows import LONGEST_FLOW, FailedError, Flow, FlowError, TimeIsUpError
from sandbox.zis.model import Client, Connection, Integration

END = {"Type": "Succeed"}
EVENT = {"input": {"ticket_event": {"ticket": {"id": 7, "status": "solved"}}}, "subdomain": "acme"}


class Runtime:
    """Runs flows of an integration; what its requests send is kept, and `answers` is what they get."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.integration = Integration("acme", "", Client(1, "zis_acme", "not-a-secret"))
        self.sent: list[tuple[str, str, dict[str, str], bytes, float]] = []
        self.answers: list[Answer | Exception] = []
        self.flow = Flow(self.clock, self.actions([]).perform)

    def actions(self, remarks: list[str]) -> Actions:
        return Actions(
            self.integration,
            {"subdomain": "acme"},
            "https://acme.zendesk.com",
            is_allowed=lambda url: url.startswith("http://127.0.0.1"),
            send=self.send,
            remarks=remarks,
        )

    async def send(
        self, method: str, url: str, headers: dict[str, str], content: bytes, seconds: float
    ) -> Answer:
        self.sent.append((method, url, headers, content, seconds))
        answer = self.answers.pop(0) if self.answers else Answer(200, None, b'{"told": true}')
        if isinstance(answer, Exception):
            raise answer
        return answer

    def action(self, **definition: Any) -> None:
        definition = {"method": "POST", "url": "https://svc.example.com/x", **definition}
        resource = {"type": "ZIS::Action::Http", "properties": {"name": "act", "definition": definition}}
        self.integration.bundles["b"] = {"resources": {"act": resource}}

    async def run(self, data: Any = None, /, **states: Any) -> str:
        """Run the states in their order; the first is where it starts."""
        self.flow = Flow(self.clock, self.actions([]).perform)
        self.flow.perform = self.actions(self.flow.remarks).perform
        return await self.flow.run(
            {"StartAt": next(iter(states)), "States": states}, EVENT if data is None else data
        )

    async def data_after(self, data: Any = None, /, **states: Any) -> Any:
        """Run the states, of which the last leads to `Show`, and tell what the data were there."""
        return json.loads(await self.run(data, **states, Show={"Type": "Succeed", "Message": "{{$}}"}))


@pytest.fixture
def runtime() -> Runtime:
    return Runtime()


ACT = {"Type": "Action", "ActionName": "zis:acme:action:act"}


# --- States -----------------------------------------------------------------------------------------


async def test_a_flow_that_succeeds_says_so(runtime: Runtime) -> None:
    assert await runtime.run(Done=END) == "Execution Successful"
    assert await runtime.run(A={"Type": "Pass", "End": True}) == "Execution Successful"
    message = {"Type": "Succeed", "Message": "ticket {{$.input.ticket_event.ticket.id}}"}
    assert await runtime.run(Done=message) == "ticket 7"


async def test_a_fail_state_tells_error_and_cause(runtime: Runtime) -> None:
    fail = {"Type": "Fail", "Error": "No {{$.subdomain}}", "Cause": "{{$.input.ticket_event.ticket.status}}"}

    with pytest.raises(FailedError) as raised:
        await runtime.run(A={"Type": "Pass", "Next": "F"}, F=fail)

    assert (raised.value.error, raised.value.cause) == ("No acme", "solved")
    assert runtime.flow.states_run == ["A", "F"]


@pytest.mark.parametrize("result", [{"a": 1}, "hi", [1], None])
async def test_pass_puts_any_json_where_its_path_leads(runtime: Runtime, result: Any) -> None:
    state = {"Type": "Pass", "Result": result, "ResultPath": "$.a.b", "Next": "Show"}

    assert await runtime.data_after({"x": 1}, A=state) == {"x": 1, "a": {"b": result}}


async def test_wait_takes_its_time(runtime: Runtime) -> None:
    before = runtime.clock.now()

    await runtime.run(
        {"s": 2},
        A={"Type": "Wait", "Seconds": 1.5, "Next": "B"},
        B={"Type": "Wait", "SecondsPath": "$.s", "Next": "Z"},
        Z=END,
    )
    assert (runtime.clock.now() - before).total_seconds() == 3.5

    await runtime.run({"s": -2}, B={"Type": "Wait", "SecondsPath": "$.s", "End": True})
    assert (runtime.clock.now() - before).total_seconds() == 3.5


async def test_a_flow_ends_after_100_seconds(runtime: Runtime) -> None:
    before = runtime.clock.now()

    with pytest.raises(TimeIsUpError):
        await runtime.run(
            A={
                "Type": "Wait",
                "Seconds": 200,
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Z"}],
                "Next": "Z",
            },
            Z=END,
        )
    assert (runtime.clock.now() - before).total_seconds() == LONGEST_FLOW

    with pytest.raises(TimeIsUpError):
        await runtime.run(A={"Type": "Wait", "Seconds": 30, "Next": "A"})
    assert runtime.flow.states_run == ["A"] * 4


@pytest.mark.parametrize("key", ["InputPath", "OutputPath", "ResultSelector", "Retry"])
async def test_keys_of_other_runtimes_have_no_effect_and_are_remarked_on(runtime: Runtime, key: str) -> None:
    state = {"Type": "Pass", "Comment": "Nobody reads this", key: "$.a", "Next": "Show"}

    assert await runtime.data_after({"a": 1}, A=state) == {"a": 1}
    assert [remark.partition(":")[0] for remark in runtime.flow.remarks] == [f"A has {key}"]


@pytest.mark.parametrize("state", [{"Timestamp": "2026-01-01T00:00:00Z"}, {"TimestampPath": "$.t"}, {}])
async def test_a_wait_takes_seconds_alone(runtime: Runtime, state: dict[str, Any]) -> None:
    with pytest.raises(FlowError, match="a Wait takes Seconds or SecondsPath"):
        await runtime.run(A={"Type": "Wait", **state, "End": True})


@pytest.mark.parametrize("seconds", ["3", True, None])
async def test_a_wait_takes_a_number(runtime: Runtime, seconds: Any) -> None:
    with pytest.raises(FlowError, match="is no number of seconds"):
        await runtime.run({"s": seconds}, A={"Type": "Wait", "SecondsPath": "$.s", "End": True})


@pytest.mark.parametrize("type_", ["Task", "Parallel"])
async def test_other_states_are_unknown(runtime: Runtime, type_: str) -> None:
    with pytest.raises(FlowError, match=f"no state of the type {type_}"):
        await runtime.run(A={"Type": type_, "End": True})


# --- Choices ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"Variable": "$.s", "StringEquals": "b"}, True),
        ({"Variable": "$.s", "StringLessThan": "c"}, True),
        ({"Variable": "$.s", "StringGreaterThan": "b"}, False),
        ({"Variable": "$.s", "StringGreaterThanEquals": "b"}, True),
        ({"Variable": "$.n", "StringEquals": "3"}, False),
        ({"Variable": "$.n", "NumericEquals": 3}, True),
        ({"Variable": "$.n", "NumericLessThanEquals": 3.5}, True),
        ({"Variable": "$.b", "NumericEquals": 1}, False),
        ({"Variable": "$.b", "BooleanEquals": True}, True),
        ({"Variable": "$.t", "TimestampLessThan": "2026-01-02T00:00:00Z"}, True),
        ({"Variable": "$.t", "TimestampEquals": "2026-01-01T01:00:00+01:00"}, True),
        ({"Variable": "$.s", "TimestampEquals": "2026-01-01T01:00:00+01:00"}, False),
        ({"Variable": "$.s", "IsPresent": True}, True),
        ({"Variable": "$.nowhere", "IsPresent": False}, True),
        ({"Variable": "$.null", "IsPresent": True}, True),
        ({"Variable": "$.null", "IsNull": True}, True),
        ({"Variable": "$.s", "IsNull": False}, True),
        ({"Variable": "$.s", "StringEqualsPath": "$.same"}, True),
        ({"Variable": "$.n", "NumericGreaterThanPath": "$.two"}, True),
        ({"Variable": "$.b", "BooleanEqualsPath": "$.b"}, True),
        ({"Not": {"Variable": "$.s", "StringEquals": "b"}}, False),
        ({"And": [{"Variable": "$.s", "StringEquals": "b"}, {"Variable": "$.n", "NumericEquals": 4}]}, False),
        ({"Or": [{"Variable": "$.s", "StringEquals": "b"}, {"Variable": "$.n", "NumericEquals": 4}]}, True),
    ],
    ids=json.dumps,
)
async def test_a_choice_compares(runtime: Runtime, rule: dict[str, Any], holds: bool) -> None:
    data = {"s": "b", "n": 3, "b": True, "null": None, "t": "2026-01-01T00:00:00Z", "same": "b", "two": 2}
    choice = {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"}

    await runtime.run(data, C=choice, Yes=END, No=END)

    assert runtime.flow.states_run == ["C", "Yes" if holds else "No"]


ORDERS = {
    "Equals": (False, True, False),
    "LessThan": (True, False, False),
    "GreaterThan": (False, False, True),
    "LessThanEquals": (True, True, False),
    "GreaterThanEquals": (False, True, True),
}
"""Whether the middle one of three, and each of the three as the other."""
VALUES: dict[str, tuple[Any, Any, Any]] = {
    "String": ("a", "b", "c"),
    "Numeric": (1, 2, 2.5),
    "Timestamp": ("2026-01-01T00:00:00Z", "2026-01-01T02:00:00+01:00", "2026-01-02T00:00:00Z"),
}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("kind", VALUES)
async def test_each_operator_orders_three_values(runtime: Runtime, kind: str, order: str) -> None:
    other = VALUES[kind][1]
    held = []
    for value in VALUES[kind]:
        rules = [{"Variable": "$.value", f"{kind}{order}": other, "Next": "Yes"}]
        await runtime.run(
            {"value": value}, C={"Type": "Choice", "Choices": rules, "Default": "No"}, Yes=END, No=END
        )
        held.append(runtime.flow.states_run == ["C", "Yes"])
    assert tuple(held) == ORDERS[order]


@pytest.mark.parametrize(
    "operator",
    ["StringEqualsPath", "BooleanEqualsPath", *(f"Numeric{order}Path" for order in ORDERS)],
)
async def test_each_path_variant_compares_two_values_of_the_data(runtime: Runtime, operator: str) -> None:
    data: dict[str, Any] = {"a": "x", "b": "x", "c": "y"}
    if operator.startswith("Boolean"):
        data = {"a": True, "b": True, "c": False}
    elif operator.startswith("Numeric"):
        data = {"a": 2, "b": 2, "c": 3}
    held = []
    for path in ("$.b", "$.c"):
        rules = [{"Variable": "$.a", operator: path, "Next": "Yes"}]
        await runtime.run(data, C={"Type": "Choice", "Choices": rules, "Default": "No"}, Yes=END, No=END)
        held.append(runtime.flow.states_run == ["C", "Yes"])
    order = operator.removeprefix("Numeric").removesuffix("Path")
    equal, less = {"LessThan": (False, True), "GreaterThan": (False, False)}.get(
        order, (True, order == "LessThanEquals")
    )
    assert held == [equal, less]


async def test_a_choice_without_a_way_fails(runtime: Runtime) -> None:
    rule = {"Variable": "$.subdomain", "StringEquals": "other", "Next": "Z"}
    with pytest.raises(FlowError) as raised:
        await runtime.run(C={"Type": "Choice", "Choices": [rule]}, Z=END)
    assert raised.value.error == "States.NoChoiceMatched"

    with pytest.raises(FlowError, match=r"JSON path not found: \$\.nowhere"):
        await runtime.run(C={"Type": "Choice", "Choices": [{**rule, "Variable": "$.nowhere"}]}, Z=END)


# --- Maps -------------------------------------------------------------------------------------------

MAP = {"Type": "Map", "ItemsPath": "$.items", "ResultPath": "$.results", "Next": "Show"}


def iterator(**states: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states}


async def test_a_map_runs_for_each_object_and_sees_nothing_else(runtime: Runtime) -> None:
    data = {"items": [{"n": 1}, {"n": 2}]}
    state = {**MAP, "Iterator": iterator(P={"Type": "Pass", "Result": "x", "ResultPath": "$.r", "End": True})}

    assert (await runtime.data_after(data, M=state))["results"] == [{"n": 1, "r": "x"}, {"n": 2, "r": "x"}]

    blind = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.items", "IsPresent": True, "Next": "Z"}],
        "Default": "Z",
    }
    await runtime.data_after(data, M={**MAP, "Iterator": iterator(C={**blind, "Default": "Y"}, Z=END, Y=END)})
    assert runtime.flow.states_run == ["M", "C", "Y", "C", "Y", "Show"]


@pytest.mark.parametrize("items", [{"a": 1}, "ab", [1]])
async def test_a_map_takes_an_array_of_objects_only(runtime: Runtime, items: Any) -> None:
    with pytest.raises(FlowError, match="no array of objects"):
        await runtime.run({"items": items}, M={**MAP, "Iterator": iterator(Z=END)}, Show=END)


async def test_one_failure_fails_the_map_which_catches_it(runtime: Runtime) -> None:
    fail = {"Type": "Fail", "Error": "E", "Cause": "{{$.n}}"}
    catch = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Show"}]

    data = await runtime.data_after(
        {"items": [{"n": 1}, {"n": 2}]}, M={**MAP, "Iterator": iterator(F=fail), "Catch": catch}
    )

    assert data["failure"] == {"Error": "E", "Cause": "1"}


async def test_a_map_has_250_transitions_for_an_item(runtime: Runtime) -> None:
    looping = iterator(P={"Type": "Pass", "Next": "P"})

    with pytest.raises(FlowError, match="250 states"):
        await runtime.run({"items": [{}]}, M={**MAP, "Iterator": looping}, Show=END)


# --- Requests ---------------------------------------------------------------------------------------


async def test_a_request_is_filled_in_from_its_parameters(runtime: Runtime) -> None:
    runtime.action(
        url="https://{{$.subdomain}}.example.com/{{$.id}}",
        headers=[{"key": "X-A", "value": "b{{$.id}}"}, {"key": "X-C", "value.$": "$.id"}],
        queryParams=[{"key": "q", "value": "a b"}],
        requestBody={"text": "#{{$.id}} {{ticket.id}}", "list": ["{{$.id}}", 1]},
    )
    parameters = {"id.$": "$.input.ticket_event.ticket.id", "label.$": "n{{$.subdomain}}", "plain": "x"}

    data = await runtime.data_after(A={**ACT, "Parameters": parameters, "ResultPath": "$.r", "Next": "Show"})

    ((method, url, headers, content, seconds),) = runtime.sent
    assert (method, url, seconds) == ("POST", "https://acme.example.com/7?q=a+b", LONGEST_FLOW)
    assert headers == {"X-A": "b7", "X-C": "7", "content-type": "application/json"}
    assert json.loads(content) == {"text": "#7 {{ticket.id}}", "list": ["7", 1]}
    assert data == {**EVENT, "r": {"told": True}}


@pytest.mark.parametrize(
    ("definition", "url", "content"),
    [
        ({"url.$": "$.address"}, "https://a.example.com", b""),
        ({"url.$": "https://x.example.com/{{$.n}}"}, "https://x.example.com/3", b""),
        ({"path": "/api/v2/tickets/{{$.n}}.json"}, "https://acme.zendesk.com/api/v2/tickets/3.json", b""),
        ({"path.$": "/api/v2/{{$.n}}"}, "https://acme.zendesk.com/api/v2/3", b""),
        ({"requestBody.$": "$.body"}, "https://svc.example.com/x", b'{"a": [3]}'),
        ({"requestBody": "a={{$.n}}"}, "https://svc.example.com/x", b"a=3"),
        ({"requestBody": {"a": {"b.$": "$.n"}}}, "https://svc.example.com/x", b'{"a": {"b": 3}}'),
    ],
    ids=str,
)
async def test_each_form_of_a_request(
    runtime: Runtime, definition: dict[str, Any], url: str, content: bytes
) -> None:
    runtime.action(**definition)
    if not definition.keys().isdisjoint({"url.$", "path", "path.$"}):
        del runtime.integration.bundles["b"]["resources"]["act"]["properties"]["definition"]["url"]

    await runtime.run(
        {"n": 3, "address": "https://a.example.com", "body": {"a": [3]}}, A={**ACT, "End": True}
    )

    assert [(sent[1], sent[3]) for sent in runtime.sent] == [(url, content)]
    assert bool(runtime.flow.remarks) == ("b.$" in str(definition))


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE"])
async def test_each_method_is_sent(runtime: Runtime, method: str) -> None:
    runtime.action(method=method)
    runtime.answers = [Answer(204, None, b"")]

    data = await runtime.data_after({"kept": 1}, A={**ACT, "ResultPath": "$.r", "Next": "Show"})

    assert [sent[0] for sent in runtime.sent] == [method]
    assert data == {"kept": 1, "r": {}}


async def test_an_action_without_a_target_fails(runtime: Runtime) -> None:
    runtime.action()
    del runtime.integration.bundles["b"]["resources"]["act"]["properties"]["definition"]["url"]

    with pytest.raises(FlowError, match="neither url nor path"):
        await runtime.run(A={**ACT, "End": True})


async def test_zendesks_own_api_is_called_by_the_connection_zendesk(runtime: Runtime) -> None:
    """Whatever its domain says; and without one the request goes out all the same, and is refused there."""
    runtime.action(path="/api/v2/tickets/3.json")
    del runtime.integration.bundles["b"]["resources"]["act"]["properties"]["definition"]["url"]
    await runtime.run(A={**ACT, "End": True})

    runtime.integration.connections = [
        Connection("zendesk", "oauth", "zis.zendesk.com", "u", "Authorization", "Bearer not-a-secret")
    ]
    await runtime.run(A={**ACT, "End": True})

    assert [sent[2] for sent in runtime.sent] == [{}, {"Authorization": "Bearer not-a-secret"}]


async def test_an_answer_without_a_result_path_replaces_all_data(runtime: Runtime) -> None:
    runtime.action()

    data = await runtime.data_after(A={**ACT, "Next": "Show"})

    assert data == {"told": True, "__httpresponse": {"told": True}}


@pytest.mark.parametrize("status", [301, 404, 409, 429, 500])
async def test_any_other_status_than_200_fails_the_action(runtime: Runtime, status: int) -> None:
    runtime.action()
    runtime.answers = [Answer(status, "7", b"")] * 2
    caught = {
        **ACT,
        "ResultPath": "$.r",
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Show"}],
        "Next": "Show",
    }

    with pytest.raises(FlowError) as raised:
        await runtime.run(A={**ACT, "End": True})
    assert (raised.value.status, raised.value.retry_after) == (status, "7")

    cause = f"external action failed due to status code: {status}"
    assert (await runtime.data_after(A=caught)) == {"Error": "States.Runtime", "Cause": cause}


async def test_a_timeout_and_what_is_left_bound_the_request(runtime: Runtime) -> None:
    runtime.action()
    runtime.answers = [NoAnswerError("no answer within 5 seconds")]

    with pytest.raises(FlowError) as raised:
        await runtime.run(
            W={"Type": "Wait", "Seconds": 97, "Next": "A"}, A={**ACT, "TimeoutSeconds": 5, "End": True}
        )

    assert runtime.sent[0][4] == 3
    assert raised.value.status == 502


async def test_what_is_missing_fails_the_flow_or_is_caught(runtime: Runtime) -> None:
    runtime.action(url="https://svc.example.com/{{$.nowhere}}")

    with pytest.raises(Exception, match=r"JSON path not found: \$\.nowhere"):
        await runtime.run(A={**ACT, "End": True})

    catch = {"Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "Show"}]}
    data = await runtime.data_after(A={**ACT, **catch, "Parameters": {"a.$": "$.x"}, "End": True})
    assert data["e"]["Cause"] == "JSON path not found: $.x"


async def test_a_states_retry_has_no_effect_and_is_remarked_on(runtime: Runtime) -> None:
    runtime.action()
    runtime.answers = [Answer(500, None, b"")]

    with pytest.raises(FlowError):
        await runtime.run(
            A={**ACT, "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2}], "End": True}
        )

    assert len(runtime.sent) == 1
    assert "A has Retry" in runtime.flow.remarks[0]


async def test_a_connection_adds_its_credentials_for_its_host_only(runtime: Runtime) -> None:
    runtime.integration.connections = [
        Connection("site", "bearer_token", "example.com", "u", "Authorization", "Bearer not-a-secret")
    ]
    runtime.action(connectionName="site")
    await runtime.run(A={**ACT, "End": True})
    assert runtime.sent[0][2] == {"Authorization": "Bearer not-a-secret"}

    for url, wrong in (
        (
            "https://example.com.evil.org/",
            "the connection site is for example.com, not for example.com.evil.org",
        ),
        ("http://example.com/", "http://example.com/ is not secure: write https"),
    ):
        runtime.action(connectionName="site", url=url)
        with pytest.raises(FlowError, match=wrong):
            await runtime.run(A={**ACT, "End": True})
    assert len(runtime.sent) == 1


@pytest.mark.parametrize(("url", "sent"), [("http://svc.example.com/", 0), ("http://127.0.0.1:8000/", 1)])
async def test_a_request_is_https_unless_this_machine_is_allowed(
    runtime: Runtime, url: str, sent: int
) -> None:
    runtime.action(url=url)

    await runtime.data_after(
        A={**ACT, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Show"}], "Next": "Show"}
    )

    assert len(runtime.sent) == sent


def test_the_first_missing_connection_is_named(runtime: Runtime) -> None:
    runtime.action(connectionName="site")
    flow = iterator(M={**MAP, "Iterator": iterator(A={**ACT, "End": True})}, Show=END)

    assert missing_connection(runtime.integration, flow) == "site"
    runtime.integration.connections = [Connection("site", "bearer_token", "a", "u", "A", "b")]
    assert missing_connection(runtime.integration, flow) is None


# --- What Zendesk brings ------------------------------------------------------------------------------


def built_in(name: str, **parameters: Any) -> dict[str, Any]:
    return {
        "Type": "Action",
        "ActionName": f"zis:common:{name}",
        "Parameters": parameters,
        "ResultPath": "$.r",
        "Next": "Show",
    }


async def test_a_config_is_loaded_unwrapped_and_patched(runtime: Runtime) -> None:
    runtime.integration.configs["s"] = {"a": 1}

    assert (await runtime.data_after(A=built_in("action:LoadConfig", scope="s")))["r"] == {"a": 1}

    patch = built_in("action:PatchConfig", scope="s", config={"b.$": "$.subdomain"})
    assert "r" not in await runtime.data_after(A=patch)
    assert runtime.integration.configs["s"] == {"a": 1, "b": "acme"}


async def test_the_first_config_of_a_scope_with_a_star_is_loaded(runtime: Runtime) -> None:
    runtime.integration.configs |= {"other": {"a": 1}, "shop:1": {"a": 2}, "shop:2": {"a": 3}}

    assert (await runtime.data_after(A=built_in("action:LoadConfig", scope="shop:*")))["r"] == {"a": 2}


LINK = {"link_type": "review", "left_object": {"name": "review-1"}}


async def test_links_are_made_found_changed_and_deleted(runtime: Runtime) -> None:
    """As Zendesk's pages on links have it: type and both names identify a link, and * finds any name."""
    create = built_in("action:CreateLink", **LINK, right_object={"name.$": "$.input.ticket_event.ticket.id"})
    for _ in range(2):
        made = (await runtime.data_after(A=create))["r"]["link"]
    assert {key: made[key] for key in ("left_object", "link_type", "right_object", "integration")} == {
        "integration": "acme",
        "left_object": {"name": "review-1"},
        "link_type": "review",
        "right_object": {"name": "7"},
    }

    load = built_in("action:LoadLinks", link_type="review", left_object_name="review-*")
    assert (await runtime.data_after(A=load))["r"] == {"links": [made]}
    by_right = built_in("action:LoadLinks", link_type="review", right_object_name="8")
    assert (await runtime.data_after(A=by_right))["r"] == {"links": []}

    names = {"link_type": "review", "left_object_name": "review-1", "right_object_name": "7"}
    change = built_in("action:PatchLink", **names, right_object={"metadata": {"state": "solved"}})
    changed = (await runtime.data_after(A=change))["r"]["link"]
    assert changed == made | {"right_object": {"name": "7", "metadata": {"state": "solved"}}}

    delete = built_in("action:DeleteLink", **names)
    await runtime.data_after(A=delete)
    assert (await runtime.data_after(A=load))["r"] == {"links": []}
    with pytest.raises(FlowError, match="link not found"):
        await runtime.data_after(A=delete)


@pytest.mark.parametrize(
    ("state", "wrong"),
    [
        (built_in("action:LoadConfig", scope="none"), "there is no config of the scope none"),
        (built_in("action:LoadConfig"), "the parameter scope is missing"),
        (built_in("action:ListLinks"), "the sandbox has no action zis:common:action:ListLinks"),
        (built_in("action:CreateLink", **LINK), "the parameter right_object has no name"),
        (built_in("action:CreateLink", left_object={"name": "a"}), "the parameter link_type is missing"),
        (built_in("action:LoadLinks", link_type="t"), "left_object_name or right_object_name is missing"),
        (built_in("transform:Jq", expr=".a | (", data={}), "jq: jq: error: syntax error"),
        (built_in("transform:Jq", expr=".", data="{"), "jq: "),
        ({**ACT, "Next": "Show"}, "no bundle has the action zis:acme:action:act"),
    ],
    ids=str,
)
async def test_what_cannot_be_done_says_why(runtime: Runtime, state: Any, wrong: str) -> None:
    with pytest.raises(FlowError, match=wrong):
        await runtime.run(A=state, Show=END)


@pytest.mark.parametrize(
    ("parameters", "result"),
    [
        ({"expr": ".n + 1", "data.$": "$"}, 4),
        ({"expr": ".items", "data": '{"items": [1, {{$.n}}]}'}, [1, 3]),
        ({"expr.$": '. + "{{$.text}}"', "data.$": "$.text"}, None),
        ({"expr": '$ENV | has("PATH") or has("HOME")', "data": {}}, False),
        ({"expr": "empty", "data": {}}, None),
        ({"expr": ".[]", "data": [1, 2]}, 1),
    ],
    ids=str,
)
async def test_jq_transforms(runtime: Runtime, parameters: dict[str, Any], result: Any) -> None:
    if result is None and "expr.$" in parameters:
        # Data that are a text are JSON.
        with pytest.raises(FlowError, match="jq: "):
            await runtime.run({"n": 3, "text": "a"}, A=built_in("transform:Jq", **parameters), Show=END)
        return
    data = await runtime.data_after({"n": 3}, A=built_in("transform:Jq", **parameters))

    assert data["r"] == result


async def test_an_endless_filter_is_ended(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.zis.jq.first_result.__defaults__", (0.5,))

    with pytest.raises(FlowError, match=r"the filter took longer than 0.5 seconds"):
        await runtime.run(A=built_in("transform:Jq", expr="def f: f; f", data={}), Show=END)


async def test_a_filter_has_so_much_memory(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.zis.jq.MEMORY", 1 << 27)

    doubled = 'reduce range(30) as $i ("x"; . + .) | length'

    with pytest.raises(FlowError, match="took more memory than it is given"):
        await runtime.run(A=built_in("transform:Jq", expr=doubled, data={}), Show=END)


async def test_a_filter_without_jqs_package_says_what_to_install(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.zis.jq.sys", SimpleNamespace(executable=sys.executable, path=[]))

    with pytest.raises(FlowError, match="install it with `uv add --dev jq`"):
        await runtime.run(A=built_in("transform:Jq", expr=".", data={}), Show=END)
