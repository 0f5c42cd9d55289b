"""`sandbox/validate/zis_bundles.py`: what is wrong with a bundle, what is only warned of, and what passes."""

import copy
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sandbox.validate.__main__ import main
from sandbox.validate.documents import read
from sandbox.validate.findings import Finding, findings
from sandbox.zis.event_types import EVENT_TYPES

CASES: dict[str, Any] = json.loads(
    (Path(__file__).parent / "zis_lint_cases.json").read_text(encoding="utf-8")
)
"""The smallest bundles, each with one thing about it, and what Zendesk or common sense says of it."""


def found(bundle: object) -> list[Finding]:
    return findings("bundle.json", "zis-bundle", read(json.dumps(bundle).encode()))


def changed(**resources: Any) -> dict[str, Any]:
    bundle = copy.deepcopy(CASES["base"]["bundle"])
    bundle["resources"].update(resources)
    assert isinstance(bundle, dict)
    return bundle


def with_states(**states: Any) -> dict[str, Any]:
    bundle = changed()
    bundle["resources"]["flow"]["properties"]["definition"]["States"].update(states)
    return bundle


def action(**definition: Any) -> dict[str, Any]:
    properties = {"name": "act", "definition": {"method": "PUT", **definition}}
    return {"type": "ZIS::Action::Http", "properties": properties}


@pytest.mark.parametrize("name", CASES)
def test_a_bundle_gets_its_verdict(name: str) -> None:
    severities = {finding.severity for finding in found(CASES[name]["bundle"])}

    match CASES[name]["expect"]:
        case "error":
            assert "error" in severities
        case "warning":
            assert severities == {"warning"}
        case "accept" | "silent":
            assert severities == set()
        case other:
            pytest.fail(f"no verdict: {other}")


def test_every_finding_says_what_to_do() -> None:
    told = [finding for case in CASES.values() for finding in found(case["bundle"])]

    assert {finding.severity for finding in told} == {"error", "warning"}
    for finding in told:
        assert finding.message
        assert finding.remedy.endswith(".")


@pytest.mark.parametrize(
    ("bundle", "remedy"),
    [
        (CASES["event_type_typo"]["bundle"], "Write `ticket.TicketCreated` if you mean that."),
        (CASES["event_type_unknown"]["bundle"], "Write `ticket.TicketCreated` if you mean that."),
        (
            with_states(A={"Type": "Action", "ActionName": "zis:common:action:LoadConfg", "Next": "Z"}),
            "Write `zis:common:action:LoadConfig` if you mean that.",
        ),
        (CASES["unknown_builtin"]["bundle"], "It knows `zis:common:action:LoadConfig`, "),
        (CASES["dup_action_name"]["bundle"], "Give each a name of its own"),
    ],
)
def test_a_remedy_names_what_was_meant(bundle: dict[str, Any], remedy: str) -> None:
    (finding,) = found(bundle)

    assert finding.remedy.startswith(remedy)


@pytest.mark.parametrize("action", ["LoadLinks", "CreateLink", "PatchLink", "DeleteLink"])
def test_actions_of_links_need_the_type_of_the_link(action: str) -> None:
    state = {"Type": "Action", "ActionName": f"zis:common:action:{action}", "Parameters": {}, "Next": "Z"}

    (finding,) = found(with_states(A=state))

    assert "link_type" in finding.message


def test_zendesk_reports_62_types_of_events() -> None:
    assert len(EVENT_TYPES) == 62
    assert {"ticket.StatusChanged", "user.UserCreated", "activity.UserActivityCreated"} <= EVENT_TYPES


def test_a_path_stands_wherever_data_is_read() -> None:
    bad = "$.input[unclosed"
    state = {
        "Type": "Choice",
        "Choices": [
            {
                "And": [{"Variable": bad, "IsNull": True}, {"Not": {"Variable": bad, "IsNull": True}}],
                "Next": "Z",
            },
            {"Variable": "$.a", "StringEqualsPath": bad, "Next": "Z"},
        ],
        "Default": "Z",
    }
    bundle = with_states(A=state, Z={"Type": "Succeed", "Message": "{{$.a b}}"})
    bundle["resources"]["act"] = action(
        **{
            "url.$": bad,
            "headers": [{"key": "A", "value.$": bad}],
            "queryParams": [{"key": "A", "value": "{{$.}}"}],
            "requestBody": [{"a.$": bad}],
        }
    )

    places = [finding.pointer for finding in found(bundle) if finding.keyword == "path"]

    request = "/resources/act/properties/definition"
    states = "/resources/flow/properties/definition/States"
    assert sorted(places) == sorted(
        [
            f"{request}/url.$",
            f"{request}/headers/0/value.$",
            f"{request}/queryParams/0/value",
            f"{request}/requestBody/0/a.$",
            f"{states}/A/Choices/0/And/0/Variable",
            f"{states}/A/Choices/0/And/1/Not/Variable",
            f"{states}/A/Choices/1/StringEqualsPath",
            f"{states}/Z/Message",
        ]
    )


@pytest.mark.parametrize(
    "path", ["$", "$.a", "$.a-b[0].c", "$['a b']", '$["a"][-1]', "$.a[*].b", "$..a", "$[0:2]"]
)
def test_paths_are_read_as_jsonpath_has_them(path: str) -> None:
    assert found(with_states(A={"Type": "Map", "ItemsPath": path, "Iterator": ITERATOR, "Next": "Z"})) == []


ITERATOR = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}


def test_braces_of_others_are_no_templates() -> None:
    """Zendesk's own placeholders, which a comment may hold, are in double braces too."""
    bundle = changed(act=action(url="https://svc.example.com/", requestBody={"text": "{{ticket.id}} {{"}))

    assert found(bundle) == []


def test_a_request_with_credentials_of_its_own_needs_no_connection() -> None:
    headers = [{"key": "Authorization", "value": "Bearer {{$.token}}"}]

    assert found(changed(act=action(path="/api/v2/tickets/1.json", headers=headers))) == []


def test_a_filter_in_double_braces_is_complete_only_while_the_flow_runs() -> None:
    parameters = {"expr.$": '.comment | capture("(?<a>{{$.regex}})"; "gi")', "data.$": "$"}
    state = {"Type": "Action", "ActionName": "zis:common:transform:Jq", "ResultPath": "$.r", "Next": "Z"}

    assert found(with_states(A={**state, "Parameters": parameters})) == []


def test_a_filter_that_cannot_be_checked_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jq", None)

    (finding,) = found(CASES["jq_syntax"]["bundle"])

    assert (finding.keyword, finding.severity) == ("jq-missing", "warning")
    assert finding.remedy == "Install it: `uv add --dev jq`."


def test_a_bundle_is_checked_as_zendesk_returns_it() -> None:
    returned = {**changed(), "uuid": "c2ea14ba", "integration": "acme", "zendesk_account_id": 10890301}

    assert found(returned) == []


# --- On the command line ------------------------------------------------------------------------------


def test_a_folder_is_checked_and_a_warning_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bundle = tmp_path / "zis" / "bundle.json"
    bundle.parent.mkdir()
    bundle.write_text(json.dumps(CASES["wait_200s"]["bundle"]), encoding="utf-8")

    warned = CliRunner().invoke(main, ["zis"])
    (bundle.parent / "other.json").write_text(json.dumps(CASES["http_url"]["bundle"]), encoding="utf-8")
    failed = CliRunner().invoke(main, ["zis"])

    assert warned.exit_code == 0
    assert ": warning zis-bundle/flow-time /resources/flow/" in warned.output
    assert failed.exit_code == 1
    assert failed.output.endswith("2 files checked, 2 findings in 2 of them.\n")
