"""The messages of a reply: what their schemas accept and refuse, their models accept and refuse."""

import json
from typing import Any

import pytest
from acme_reviews.channelback.endpoint import read_channelback
from acme_reviews.channelback.messages import ChannelbackRequest, ChannelbackResponse
from acme_reviews.web.errors import RequestError
from acme_reviews.web.forms import FIELD_LIMIT
from generated_messages import FEW, MANY, Contract, Limit, Narrower, Wider
from hypothesis import given
from hypothesis import strategies as st
from posted_forms import breakable, received, without_nul
from pydantic import ValidationError
from sandbox import wire

REQUEST = Contract(
    "channelback-request",
    (
        without_nul({"metadata": "account", "message": "\0"}),
        Narrower(
            "/file_urls[]",
            taken=lambda urls: len(urls) < FIELD_LIMIT / 2,
            refused=["https://acme.zendesk.com/files/1"] * FIELD_LIMIT,
            reason="No agent attaches so many files, and a form of endless fields would only keep the service busy.",
        ),
    ),
)
RESPONSE = Contract(
    "channelback-response",
    (
        Narrower(
            "/allow_channelback",
            taken=lambda _allowed: False,
            refused=True,
            reason="Nothing here forbids an answer to a reply.",
        ),
        Narrower(
            "/metadata_needs_update",
            taken=lambda _needed: False,
            refused=True,
            reason="Nothing here asks for it.",
        ),
        Wider(
            (Limit("/metadata", "null"),),
            reason="None is how Python says that there is none: it is left out.",
        ),
    ),
)


def made(response: Any) -> ChannelbackResponse:
    return ChannelbackResponse.model_validate_json(json.dumps(response))


def sent(response: ChannelbackResponse) -> Any:
    return json.loads(response.model_dump_json(exclude_none=True))


@MANY
@given(data=st.data())
async def test_every_request_that_the_schema_accepts_is_read(data: st.DataObject) -> None:
    """SVC-45, SVC-46"""
    fields = data.draw(REQUEST.accepted())
    message = read_channelback(await received(fields))

    expected = {name: fields.get(name, "") for name in ChannelbackRequest.model_fields}
    # An empty address is none.
    expected["file_urls"] = tuple(filter(None, fields.get("file_urls[]", [])))
    assert message.model_dump() == expected


@pytest.mark.parametrize("limit", breakable(REQUEST), ids=str)
@FEW
@given(data=st.data())
async def test_a_request_that_breaks_a_limit_is_refused(limit: Limit, data: st.DataObject) -> None:
    """SVC-45"""
    form = await received(data.draw(REQUEST.breaking(limit)))

    with pytest.raises(RequestError):
        read_channelback(form)


@pytest.mark.parametrize("difference", REQUEST.narrower)
@FEW
@given(data=st.data())
async def test_of_a_request_less_is_read_than_the_schema_accepts(
    difference: Narrower, data: st.DataObject
) -> None:
    with pytest.raises(RequestError):
        await received(data.draw(REQUEST.refused_by_the_model(difference)))


@MANY
@given(data=st.data())
def test_every_response_that_the_schema_accepts_can_be_sent(data: st.DataObject) -> None:
    """SVC-47"""
    response = data.draw(RESPONSE.accepted())
    leaving = sent(made(response))

    wire.check("channelback-response", leaving)
    assert leaving == response


@pytest.mark.parametrize("limit", RESPONSE.strict, ids=str)
@FEW
@given(data=st.data())
def test_a_response_that_breaks_a_limit_cannot_be_made(limit: Limit, data: st.DataObject) -> None:
    """SVC-36, SVC-47"""
    response = data.draw(RESPONSE.breaking(limit))

    with pytest.raises(ValidationError):
        made(response)


@pytest.mark.parametrize("limit", RESPONSE.wider, ids=str)
@FEW
@given(data=st.data())
def test_what_is_mended_is_sent_as_the_schema_wants_it(limit: Limit, data: st.DataObject) -> None:
    wire.check("channelback-response", sent(made(data.draw(RESPONSE.breaking(limit)))))


@pytest.mark.parametrize("difference", RESPONSE.narrower)
@FEW
@given(data=st.data())
def test_less_is_sent_than_the_schema_accepts(difference: Narrower, data: st.DataObject) -> None:
    response = data.draw(RESPONSE.refused_by_the_model(difference))

    with pytest.raises(ValidationError):
        made(response)
