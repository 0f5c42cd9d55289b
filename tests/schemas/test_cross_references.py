"""`sandbox/validate/cross_references.py`: what one part of a message says about another."""

import copy
from typing import Any

import pytest
from contract import counter_examples, examples
from sandbox import wire
from sandbox.validate import app_rules
from sandbox.validate.cross_references import CHECKS, cross_references

BUNDLE: dict[str, Any] = {
    "zis_template_version": "2019-10-14",
    "name": "Solved tickets",
    "resources": {
        "tell_site": {
            "type": "ZIS::Action::Http",
            "properties": {
                "name": "tell_site",
                "definition": {"method": "POST", "url": "https://reviews.example.com/solved"},
            },
        },
        "solved_flow": {
            "type": "ZIS::Flow",
            "properties": {
                "name": "solved",
                "definition": {
                    "StartAt": "Load",
                    "States": {
                        "Load": {
                            "Type": "Action",
                            "ActionName": "zis:common:action:LoadConfig",
                            "Parameters": {"scope": "corner"},
                            "ResultPath": "$.settings",
                            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Failed"}],
                            "Next": "Which",
                        },
                        "Which": {
                            "Type": "Choice",
                            "Choices": [{"Variable": "$.input.open", "IsNull": True, "Next": "Each"}],
                            "Default": "Done",
                        },
                        "Each": {
                            "Type": "Map",
                            "ItemsPath": "$.input.posts",
                            "Iterator": {
                                "StartAt": "Tell",
                                "States": {
                                    "Tell": {
                                        "Type": "Action",
                                        "ActionName": "zis:corner:action:tell_site",
                                        "End": True,
                                    }
                                },
                            },
                            "Next": "Done",
                        },
                        "Failed": {"Type": "Fail", "Error": "Unreachable", "Cause": "No answer."},
                        "Done": {"Type": "Succeed"},
                    },
                },
            },
        },
        "solved_job": {
            "type": "ZIS::JobSpec",
            "properties": {
                "name": "solved",
                "event_source": "support",
                "event_type": "ticket.StatusChanged",
                "flow_name": "zis:corner:flow:solved",
            },
        },
    },
}
MACHINE = "/resources/solved_flow/properties/definition"


def changed(pointer: str, value: Any) -> dict[str, Any]:
    """Return the bundle with one part replaced or added."""
    bundle = copy.deepcopy(BUNDLE)
    *way, last = pointer.split("/")[1:]
    at: Any = bundle
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    at[last] = value
    return bundle


def found(name: str, message: object) -> list[tuple[str, str, str]]:
    return [
        (broken.pointer, broken.check, broken.wrong)
        for broken in cross_references(name, message)
        if broken.severity == "error"
    ]


@pytest.mark.parametrize("name", wire.names())
def test_every_example_keeps_the_rules(name: str) -> None:
    for example in examples(name):
        broken = cross_references(name, example.value)
        assert [each for each in broken if each.severity == "error"] == []


@pytest.mark.parametrize("name", sorted(CHECKS.keys() - app_rules.CHECKS.keys()))
def test_what_has_the_wrong_type_is_left_to_the_schema(name: str) -> None:
    odd: list[object] = [None, [], "a", {"resources": [], "external_resources": 7, "custom_objects": "a"}]
    assert [found(name, message) for message in odd] == [[], [], [], []]
    for example in counter_examples(name):
        assert all(broken.remedy for broken in cross_references(name, example.value))


def test_a_whole_bundle_keeps_the_rules() -> None:
    wire.check("zis-bundle", BUNDLE)
    assert found("zis-bundle", BUNDLE) == []


@pytest.mark.parametrize(
    "place",
    [
        "/StartAt",
        "/States/Load/Next",
        "/States/Load/Catch/0/Next",
        "/States/Which/Choices/0/Next",
        "/States/Which/Default",
        "/States/Each/Next",
    ],
)
def test_a_flow_goes_on_with_a_state_of_its_own(place: str) -> None:
    bundle = changed(MACHINE + place, "Tell")

    wire.check("zis-bundle", bundle)
    assert found("zis-bundle", bundle) == [(MACHINE + place, "state-exists", "the flow has no state `Tell`")]


def test_an_iterator_goes_on_with_a_state_of_its_own() -> None:
    place = f"{MACHINE}/States/Each/Iterator/StartAt"

    assert found("zis-bundle", changed(place, "Done")) == [
        (place, "state-exists", "the flow has no state `Done`")
    ]


def test_the_states_are_named_that_there_are() -> None:
    (broken,) = cross_references("zis-bundle", changed(f"{MACHINE}/StartAt", "Strat"))

    assert broken.remedy == (
        "Name one of its states (`Load`, `Which`, `Each`, `Failed`, `Done`), or add `Strat` to them."
    )


@pytest.mark.parametrize(
    ("place", "reference", "check", "wrong"),
    [
        (
            "/resources/solved_job/properties/flow_name",
            "zis:corner:flow:solvd",
            "flow-exists",
            "the bundle has no flow `solvd`",
        ),
        (
            "/resources/solved_job/properties/flow_name",
            "zis:corner:flow:tell_site",
            "flow-exists",
            "the bundle has no flow `tell_site`",
        ),
        (
            f"{MACHINE}/States/Each/Iterator/States/Tell/ActionName",
            "zis:corner:action:solved",
            "action-exists",
            "the bundle has no action `solved`",
        ),
        (
            f"{MACHINE}/States/Load/ActionName",
            "zis:corner:action:LoadConfig",
            "action-exists",
            "the bundle has no action `LoadConfig`",
        ),
        (
            "/resources/solved_job/properties/flow_name",
            "zis:other:flow:solved",
            "one-integration",
            "this refers to the integration `other`, another part of the bundle to `corner`",
        ),
    ],
)
def test_what_is_referred_to_is_in_the_bundle(place: str, reference: str, check: str, wrong: str) -> None:
    bundle = changed(place, reference)

    wire.check("zis-bundle", bundle)
    assert found("zis-bundle", bundle) == [(place, check, wrong)]


def test_no_two_actions_have_one_name() -> None:
    bundle = changed("/resources/again", BUNDLE["resources"]["tell_site"])

    wire.check("zis-bundle", bundle)
    assert found("zis-bundle", bundle) == [
        (
            "/resources/again/properties/name",
            "name-unique",
            "the action of the resource `tell_site` is called `tell_site` already",
        ),
    ]


def test_no_two_flows_or_job_specs_have_one_name() -> None:
    for key, kind in (("solved_flow", "flow"), ("solved_job", "job spec")):
        bundle = changed("/resources/again", BUNDLE["resources"][key])
        assert found("zis-bundle", bundle) == [
            (
                "/resources/again/properties/name",
                "name-unique",
                f"the {kind} of the resource `{key}` is called `solved` already",
            )
        ]


def requirements(**kinds: object) -> dict[str, object]:
    channel = {"acme": {"manifest_url": "https://reviews.example.com/channel/manifest"}}
    return {"channel_integrations": channel, **kinds}


def test_a_package_has_room_for_5000_requirements() -> None:
    def views(count: int) -> dict[str, object]:
        return requirements(views={f"view_{number}": {"title": "View"} for number in range(count)})

    assert found("installer-app-requirements", views(4_999)) == []
    assert found("installer-app-requirements", views(5_000)) == [
        ("", "excessive_requirements", "5,001 requirements are more than 5,000")
    ]


def test_a_package_has_room_for_50_legacy_custom_objects() -> None:
    def objects(count: int) -> dict[str, object]:
        types, relations = [{"key": "a"}] * (count - 1), [{"key": "b"}]
        return requirements(
            custom_objects={"custom_object_types": types, "custom_object_relationship_types": relations}
        )

    assert found("installer-app-requirements", objects(50)) == []
    assert found("installer-app-requirements", objects(51)) == [
        (
            "/custom_objects",
            "excessive_custom_objects_requirements",
            "51 legacy custom objects are more than 50",
        )
    ]


@pytest.mark.parametrize(
    "name", [name for name in CHECKS if "external_resources" in wire.schema(name)["required"]]
)
def test_what_is_answered_comes_before_the_answer(name: str) -> None:
    """SVC-31"""

    def post(external_id: str, **more: str) -> dict[str, Any]:
        return {"external_id": external_id, "message": "Hi", **more}

    def check(*posts: dict[str, Any]) -> list[tuple[str, str, str]]:
        return found(name, {"external_resources": list(posts)})

    assert check(post("1"), post("2", parent_id="1"), post("3", parent_id="elsewhere")) == []
    assert check(post("2", parent_id="1"), post("1")) == [
        (
            "/external_resources/0/parent_id",
            "parent-first",
            "the post `1` comes later in this list, or is this one",
        )
    ]
    assert [pointer for pointer, _, _ in check(post("1", parent_id="1"))] == [
        "/external_resources/0/parent_id"
    ]
