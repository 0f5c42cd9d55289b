"""The models of a service that can do everything, and the examples of the contract: they agree on each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import pytest_asyncio
from acme_reviews.app import create_app
from acme_reviews.core.messages import AdminUiRequest, ExternalResource
from acme_reviews.pull.messages import PullRequest, PullResponse
from acme_reviews.settings import Settings, new_sealing_key, new_signing_key
from contract import Example, counter_examples, examples
from pydantic import BaseModel, ValidationError
from sandbox import wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MODELS: dict[str, type[BaseModel]] = {
    "external-resource": ExternalResource,
    "pull-response": PullResponse,
}


def sent(message: BaseModel) -> Any:
    return json.loads(message.model_dump_json(exclude_none=True))


def rooted(value: Any) -> Any:
    """The same message; a relative file URL begins with a slash, as this service writes them all."""
    if isinstance(value, list):
        return [rooted(item) for item in value]
    if not isinstance(value, dict):
        return value
    changed = {name: rooted(item) for name, item in value.items()}
    if "file_urls" in value:
        changed["file_urls"] = [
            url if url.startswith(("/", "https:")) else f"/{url}" for url in value["file_urls"]
        ]
    return changed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, rooted(example.value), id=f"{name}: {example.title}")
        for name in MODELS
        for example in examples(name)
        if "leap second" not in example.title  # Python's clock has none.
    ],
)
def test_every_valid_message_can_be_sent(name: str, value: Any) -> None:
    wire.check(name, sent(MODELS[name].model_validate_json(json.dumps(value))))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, example.value, id=f"{name}: {example.title}")
        for name in MODELS
        for example in counter_examples(name)
    ],
)
def test_no_invalid_message_can_be_sent(name: str, value: Any) -> None:
    """SVC-27 to SVC-44: it is refused when it is made, or mended before it leaves."""
    try:
        message = MODELS[name].model_validate_json(json.dumps(value))
    except ValidationError:
        return
    wire.check(name, sent(message))


@pytest.mark.parametrize("request_", [example.value for example in examples("pull-request")])
def test_every_pull_is_understood(request_: dict[str, str]) -> None:
    """SVC-26"""
    message = PullRequest.model_validate(request_)

    assert message.metadata == request_.get("metadata", "")
    assert message.state == request_.get("state", "")


VALID = [pytest.param(example.value, id=example.title) for example in examples("admin-ui-request")]


@pytest.mark.parametrize("request_", VALID)
def test_every_form_that_zendesk_may_post_is_understood(request_: dict[str, str]) -> None:
    message = AdminUiRequest.model_validate(request_)

    for name in AdminUiRequest.model_fields:
        assert getattr(message, name) == request_.get(name, "")


def test_a_pull_brings_at_most_200_resources() -> None:
    """SVC-28"""
    resource = ExternalResource.model_validate_json(json.dumps(examples("external-resource")[0].value))

    assert len(PullResponse(external_resources=(resource,) * 200).external_resources) == 200
    with pytest.raises(ValidationError):
        PullResponse(external_resources=(resource,) * 201)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx2.AsyncClient]:
    database = f"sqlite:///{tmp_path_factory.mktemp('service')}/service.db"
    keys = {"signing_keys": new_signing_key(), "sealing_keys": new_sealing_key()}
    app = create_app(Settings.model_validate({"database_url": database} | keys))
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://service.test") as client,
    ):
        yield client


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("example", examples("event-callback"), ids=lambda example: example.title)
async def test_every_published_event_is_taken(service: httpx2.AsyncClient, example: Example) -> None:
    """SVC-54: all ten types, of accounts that are none of ours."""
    response = await service.post("/channel/event_callback", json=example.value)

    assert (response.status_code, response.json()) == (200, {"events": len(example.value["events"])})
