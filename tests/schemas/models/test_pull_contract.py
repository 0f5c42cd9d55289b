"""The messages of a pull: what their schemas accept and refuse, their models accept and refuse."""

import json
from typing import Any

import pytest
from acme_reviews.pull.messages import PullRequest, PullResponse
from acme_reviews.web.errors import RequestError
from acme_reviews.web.forms import read_message
from generated_messages import FEW, MANY, Contract, Limit, Narrower, Wider
from hypothesis import given
from hypothesis import strategies as st
from posted_forms import breakable, received, without_nul
from pydantic import ValidationError
from sandbox import wire
from test_resource_contract import RESOURCE, in_utc

REQUEST = Contract("pull-request", (without_nul({"metadata": "account", "state": "\0"}),))
RESPONSE = Contract(
    "pull-response",
    (
        *(each._replace(pointer=f"/external_resources/*{each.pointer}") for each in RESOURCE.narrower),
        Wider(
            tuple(Limit(f"/{name}", "null") for name in ("state", "metadata", "metadata_needs_update")),
            reason="None is how Python says that there is none: it is left out.",
        ),
    ),
)


def made(response: Any) -> PullResponse:
    return PullResponse.model_validate_json(json.dumps(response))


def sent(response: PullResponse) -> Any:
    return json.loads(response.model_dump_json(exclude_none=True))


@MANY
@given(data=st.data())
async def test_every_request_that_the_schema_accepts_is_read(data: st.DataObject) -> None:
    """SVC-19, SVC-26"""
    fields = data.draw(REQUEST.accepted())
    message = read_message(PullRequest, (await received(fields)).fields())

    assert message.model_dump() == {name: fields.get(name, "") for name in PullRequest.model_fields}


@pytest.mark.parametrize("limit", breakable(REQUEST), ids=str)
@FEW
@given(data=st.data())
async def test_a_request_that_breaks_a_limit_is_refused(limit: Limit, data: st.DataObject) -> None:
    """SVC-19, SVC-26"""
    form = await received(data.draw(REQUEST.breaking(limit)))

    with pytest.raises(RequestError):
        read_message(PullRequest, form.fields())


@pytest.mark.parametrize("difference", REQUEST.narrower)
@FEW
@given(data=st.data())
async def test_of_a_request_less_is_read_than_the_schema_accepts(
    difference: Narrower, data: st.DataObject
) -> None:
    with pytest.raises(RequestError):
        await received(data.draw(REQUEST.refused_by_the_model(difference)))


@FEW
@given(data=st.data())
def test_every_response_that_the_schema_accepts_can_be_sent(data: st.DataObject) -> None:
    """SVC-27 to SVC-33"""
    response = data.draw(RESPONSE.accepted())
    leaving = sent(made(response))

    wire.check("pull-response", leaving)
    assert leaving | {"external_resources": [*map(in_utc, leaving["external_resources"])]} == response | {
        "external_resources": [*map(in_utc, response["external_resources"])]
    }


@pytest.mark.parametrize("limit", RESPONSE.strict, ids=str)
@FEW
@given(data=st.data())
def test_a_response_that_breaks_a_limit_cannot_be_made(limit: Limit, data: st.DataObject) -> None:
    """SVC-27 to SVC-33"""
    response = data.draw(RESPONSE.breaking(limit))

    with pytest.raises(ValidationError):
        made(response)


@pytest.mark.parametrize("limit", RESPONSE.wider, ids=str)
@FEW
@given(data=st.data())
def test_what_is_mended_is_sent_as_the_schema_wants_it(limit: Limit, data: st.DataObject) -> None:
    """SVC-29"""
    wire.check("pull-response", sent(made(data.draw(RESPONSE.breaking(limit)))))


@pytest.mark.parametrize("difference", RESPONSE.narrower)
@FEW
@given(data=st.data())
def test_less_is_sent_than_the_schema_accepts(difference: Narrower, data: st.DataObject) -> None:
    response = data.draw(RESPONSE.refused_by_the_model(difference))

    with pytest.raises(ValidationError):
        made(response)
