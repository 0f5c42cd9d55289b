"""A proxied request: what the schema accepts and refuses, the model accepts and refuses."""

from urllib.parse import urlencode

import pytest
from acme_reviews.proxy.messages import ProxyRequest
from acme_reviews.web.errors import RequestError
from acme_reviews.web.forms import read_message
from generated_messages import FEW, MANY, Contract
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

REQUEST = Contract("proxy-request", ())


@MANY
@given(data=st.data(), as_form=st.booleans())
def test_every_request_that_the_schema_accepts_is_read(data: st.DataObject, *, as_form: bool) -> None:
    """SVC-61"""
    request = data.draw(REQUEST.accepted())
    read = read_message(ProxyRequest, dict(QueryParams(urlencode(request))) if as_form else request)
    assert read.instance_metadata == request["instance_metadata"]
    assert read.client_data == request.get("client_data", "")


@FEW
@given(data=st.data())
def test_a_request_that_proves_nobody_is_refused(data: st.DataObject) -> None:
    """SVC-60"""
    request = data.draw(REQUEST.accepted())
    for broken in (
        {key: value for key, value in request.items() if key != "instance_metadata"},
        request | {"instance_metadata": {}},
        request | {"client_data": {}},
        [request],
    ):
        with pytest.raises(RequestError):
            read_message(ProxyRequest, broken)
