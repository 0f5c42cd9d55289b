"""A post as Zendesk takes it: what the schema accepts and refuses, the model accepts and refuses."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from acme_reviews.core.messages import ExternalResource, fit
from generated_messages import FEW, JSON, MANY, Contract, Limit, Narrower, Wider
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError
from sandbox import wire


def is_rooted(url: str) -> bool:
    return url.startswith(("/", "https:"))


def has_a_place_in_utc(moment: str) -> bool:
    try:
        datetime.fromisoformat(moment.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return False
    return True


OPTIONAL_TEXTS = (
    "/html_message",
    "/parent_id",
    "/thread_id",
    "/author/name",
    "/author/image_url",
    "/author/locale",
)
OPTIONAL = (
    *OPTIONAL_TEXTS,
    "/internal_note",
    "/allow_channelback",
    "/author/fields",
    "/display_info",
    "/fields",
    "/file_urls",
)
RESOURCE = Contract(
    "external-resource",
    (
        Narrower(
            "/file_urls/*",
            taken=is_rooted,
            refused="files.example/a.png",
            reason="Most likely an address whose https:// was forgotten: Zendesk would look for it at this service.",
        ),
        Narrower(
            "/created_at",
            taken=has_a_place_in_utc,
            refused="2016-12-31T23:59:60Z",
            reason="No clock of Python's shows a leap second.",
        ),
        Narrower(
            "/created_at",
            taken=has_a_place_in_utc,
            refused="0001-01-01T00:00:00+14:00",
            reason="What is sent is in UTC, where this year is 0.",
        ),
        Wider(
            tuple(Limit(pointer, "minLength") for pointer in OPTIONAL_TEXTS),
            reason="An origin's empty text means that there is none: it is left out.",
        ),
        Wider(
            tuple(Limit(pointer, "null") for pointer in OPTIONAL),
            reason="None is how Python says that there is none: it is left out.",
        ),
        Wider(
            (
                Limit("/author/name", "maxLength"),
                Limit("/author/image_url", "maxLength"),
                Limit("/author/locale", "maxLength"),
                Limit("/author/name", "type"),
                Limit("/author/image_url", "type"),
                Limit("/author/locale", "type"),
                Limit("/html_message", "type"),
                Limit("/author/fields", "maxItems"),
                Limit("/fields", "maxItems"),
                Limit("/display_info", "maxItems"),
                Limit("/html_message", "maxLength"),
            ),
            reason="What only decorates a post is cut or left out, so that the post itself arrives.",
        ),
        Wider(
            (Limit("/created_at", "format"), Limit("/created_at", "maxLength")),
            reason="However a moment was written, it is kept as a datetime and sent in one form.",
        ),
    ),
)


# What people's own code may hand to the model, good and bad.
IDS = st.sampled_from(["post-1", "post 1"]) | st.text(max_size=3)
LINES = st.none() | st.text(max_size=10)
VALUES = (
    JSON
    | st.floats()
    | st.decimals()
    | st.binary()
    | st.datetimes()
    | st.sets(st.integers())
    | st.builds(object)
)
FIELDS = st.lists(st.fixed_dictionaries({"id": LINES | st.integers(), "value": VALUES}), max_size=2)
A_DAY = timedelta(days=1) - timedelta.resolution
ZONES = st.timedeltas(-A_DAY, A_DAY).map(timezone)
DRAFTS = st.fixed_dictionaries(
    {
        "external_id": IDS,
        "message": st.text().map(lambda text: fit(text, otherwise="(no text)")),
        "created_at": st.datetimes(timezones=st.none() | ZONES | ZONES),
        "author": st.fixed_dictionaries({"external_id": IDS}, optional={"name": LINES, "fields": FIELDS}),
    },
    optional={
        "html_message": LINES,
        "internal_note": st.booleans() | st.integers(0, 1),
        "parent_id": st.none() | IDS,
        "thread_id": st.none() | IDS,
        "display_info": st.lists(
            st.fixed_dictionaries({"type": IDS, "data": st.dictionaries(LINES, VALUES, max_size=2)})
        ),
        "fields": FIELDS,
        "file_urls": st.lists(
            st.text("htps:/.[]@a%20#? é", max_size=30).map("https://{}".format), max_size=2
        ),
    },
)


def made(resource: Any) -> ExternalResource:
    """From JSON, which is what the schema describes."""
    return ExternalResource.model_validate_json(json.dumps(resource))


def sent(resource: ExternalResource) -> Any:
    return json.loads(resource.model_dump_json(exclude_none=True))


def in_utc(resource: dict[str, Any]) -> dict[str, Any]:
    return resource | {"created_at": datetime.fromisoformat(resource["created_at"].upper()).astimezone(UTC)}


@MANY
@given(data=st.data())
def test_every_resource_that_the_schema_accepts_can_be_sent(data: st.DataObject) -> None:
    """SVC-35 to SVC-42"""
    resource = data.draw(RESOURCE.accepted())
    leaving = sent(made(resource))

    wire.check("external-resource", leaving)
    # Which locales Zendesk knows is no matter of the schema; one that it does not know is left out.
    for said in (leaving, resource):
        said["author"].pop("locale", None)
    assert in_utc(leaving) == in_utc(resource)


@pytest.mark.parametrize("limit", RESOURCE.strict, ids=str)
@FEW
@given(data=st.data())
def test_a_resource_that_breaks_a_limit_cannot_be_made(limit: Limit, data: st.DataObject) -> None:
    """SVC-35 to SVC-42"""
    resource = data.draw(RESOURCE.breaking(limit))

    with pytest.raises(ValidationError):
        made(resource)


@pytest.mark.parametrize("limit", RESOURCE.wider, ids=str)
@FEW
@given(data=st.data())
def test_what_is_mended_is_sent_as_the_schema_wants_it(limit: Limit, data: st.DataObject) -> None:
    try:
        resource = made(data.draw(RESOURCE.breaking(limit)))
    except ValidationError:
        # Not every ill-formed text can be mended.
        return
    wire.check("external-resource", sent(resource))


@pytest.mark.parametrize("difference", RESOURCE.narrower)
@FEW
@given(data=st.data())
def test_less_is_sent_than_the_schema_accepts(difference: Narrower, data: st.DataObject) -> None:
    resource = data.draw(RESOURCE.refused_by_the_model(difference))

    with pytest.raises(ValidationError):
        made(resource)


@MANY
@given(draft=DRAFTS)
def test_whatever_the_model_takes_the_schema_accepts(draft: dict[str, Any]) -> None:
    """SVC-35 to SVC-42: a post that cannot be written as JSON is set aside before it is sent."""
    try:
        leaving = sent(ExternalResource(**draft))
    except (ValidationError, PydanticSerializationError):
        return
    wire.check("external-resource", leaving)
