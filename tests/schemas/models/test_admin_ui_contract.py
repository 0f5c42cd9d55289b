"""The messages of the admin form: what their schemas accept and refuse, their models accept and refuse."""

import pytest
from acme_reviews.core.messages import AdminUiRequest, AdminUiReturn
from acme_reviews.web.errors import RequestError
from acme_reviews.web.forms import read_message
from generated_messages import FEW, MANY, Contract, Limit, Narrower, Wider
from hypothesis import given
from hypothesis import strategies as st
from posted_forms import breakable, received, without_nul
from pydantic import ValidationError
from sandbox import wire

REQUEST = Contract(
    "admin-ui-request",
    (
        Wider(
            (Limit("/locale", "required"),),
            reason="A form in English is better than none.",
        ),
        Wider(
            (Limit("/state", "maxLength"),),
            reason="What this service does not use is not read (SVC-22).",
        ),
        without_nul(
            {"return_url": "https://acme.zendesk.com/", "subdomain": "acme", "locale": "en", "name": "\0"}
        ),
    ),
)
RETURN = Contract(
    "admin-ui-return",
    (
        Narrower(
            "/state",
            taken=lambda _state: False,
            refused="begun",
            reason="Left out, so that Zendesk keeps the one it has (SVC-22).",
        ),
    ),
)


@MANY
@given(data=st.data())
async def test_every_request_that_the_schema_accepts_is_read(data: st.DataObject) -> None:
    """SVC-16, SVC-17"""
    fields = data.draw(REQUEST.accepted())
    message = read_message(AdminUiRequest, (await received(fields)).fields())

    assert message.model_dump() == {name: fields.get(name, "") for name in AdminUiRequest.model_fields}


@pytest.mark.parametrize("limit", breakable(REQUEST), ids=str)
@FEW
@given(data=st.data())
async def test_a_request_that_breaks_a_limit_is_refused(limit: Limit, data: st.DataObject) -> None:
    """SVC-19"""
    form = await received(data.draw(REQUEST.breaking(limit)))

    with pytest.raises(RequestError):
        read_message(AdminUiRequest, form.fields())


@pytest.mark.parametrize("limit", REQUEST.wider, ids=str)
@FEW
@given(data=st.data())
async def test_of_a_request_more_is_read_than_the_schema_accepts(limit: Limit, data: st.DataObject) -> None:
    form = await received(data.draw(REQUEST.breaking(limit)))

    read_message(AdminUiRequest, form.fields())


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
def test_every_return_that_the_schema_accepts_can_be_sent(data: st.DataObject) -> None:
    """SVC-18, SVC-19"""
    fields = data.draw(RETURN.accepted())
    sent = AdminUiReturn.model_validate(fields).model_dump()

    wire.check("admin-ui-return", sent)
    assert sent == fields


@pytest.mark.parametrize("limit", RETURN.strict, ids=str)
@FEW
@given(data=st.data())
def test_a_return_that_breaks_a_limit_cannot_be_made(limit: Limit, data: st.DataObject) -> None:
    """SVC-18, SVC-19"""
    with pytest.raises(ValidationError):
        AdminUiReturn.model_validate(data.draw(RETURN.breaking(limit)))


@pytest.mark.parametrize("difference", RETURN.narrower)
@FEW
@given(data=st.data())
def test_of_a_return_less_is_sent_than_the_schema_accepts(difference: Narrower, data: st.DataObject) -> None:
    """SVC-22"""
    with pytest.raises(ValidationError):
        AdminUiReturn.model_validate(data.draw(RETURN.refused_by_the_model(difference)))
