"""`messages.py`: what an agent's reply looks like, and its answer."""

import json
from typing import Any

import pytest
from acme_reviews.channelback.messages import ChannelbackRequest, ChannelbackResponse
from contract import counter_examples, examples
from pydantic import ValidationError
from sandbox import wire

SINGLE = [name for name in ChannelbackRequest.model_fields if name != "file_urls"]


@pytest.mark.parametrize(
    "request_",
    [pytest.param(example.value, id=example.title) for example in examples("channelback-request")],
)
def test_every_reply_that_zendesk_may_send_is_understood(request_: dict[str, Any]) -> None:
    """SVC-45"""
    message = ChannelbackRequest.model_validate(request_)

    for name in SINGLE:
        assert getattr(message, name) == request_.get(name, "")


def test_everything_but_message_and_metadata_may_be_missing() -> None:
    """SVC-45"""
    message = ChannelbackRequest(message="Hello", metadata="account")

    assert [getattr(message, name) for name in SINGLE] == ["Hello", "", "", "", "account", ""]


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("message", 65535),
        ("parent_id", 511),
        ("thread_id", 511),
        ("recipient_id", 255),
        ("metadata", 5000),
        ("request_unique_identifier", 255),
    ],
)
def test_a_field_may_fill_the_widest_published_limit(name: str, limit: int) -> None:
    request = {"message": "Hello", "metadata": "", name: "x" * limit}

    assert getattr(ChannelbackRequest.model_validate(request), name) == "x" * limit
    with pytest.raises(ValidationError):
        ChannelbackRequest.model_validate(request | {name: "x" * (limit + 1)})


@pytest.mark.parametrize(
    "value",
    [pytest.param(example.value, id=example.title) for example in counter_examples("channelback-response")],
)
def test_no_invalid_answer_can_be_sent(value: Any) -> None:
    """SVC-47: it is refused when it is made, or mended before it leaves."""
    try:
        message = ChannelbackResponse.model_validate(value)
    except ValidationError:
        return
    wire.check("channelback-response", json.loads(message.model_dump_json(exclude_none=True)))


def test_an_answer_names_the_reply() -> None:
    """SVC-47"""
    answer = ChannelbackResponse(external_id="reply-1").model_dump(exclude_none=True)

    wire.check("channelback-response", answer)
    assert answer == {"external_id": "reply-1"}
