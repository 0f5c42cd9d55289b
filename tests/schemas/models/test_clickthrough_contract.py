"""The query of a clickthrough: what the schema accepts and refuses, the model accepts and refuses."""

from urllib.parse import urlencode

import pytest
from acme_reviews.clickthrough.messages import ClickthroughRequest
from acme_reviews.web.errors import RequestError
from acme_reviews.web.forms import read_message
from generated_messages import FEW, MANY, Contract, Limit
from hypothesis import given
from hypothesis import strategies as st
from posted_forms import breakable
from starlette.datastructures import QueryParams

REQUEST = Contract("clickthrough-request", ())


def received(query: dict[str, str]) -> dict[str, str]:
    return dict(QueryParams(urlencode(query)))


@MANY
@given(data=st.data())
def test_every_query_that_the_schema_accepts_is_read(data: st.DataObject) -> None:
    """SVC-53"""
    query = data.draw(REQUEST.accepted())
    assert read_message(ClickthroughRequest, received(query)).external_id == query["external_id"]


@pytest.mark.parametrize("limit", breakable(REQUEST), ids=str)
@FEW
@given(data=st.data())
def test_a_query_that_breaks_a_limit_is_refused(limit: Limit, data: st.DataObject) -> None:
    """SVC-53"""
    query = received(data.draw(REQUEST.breaking(limit)))

    with pytest.raises(RequestError):
        read_message(ClickthroughRequest, query)
