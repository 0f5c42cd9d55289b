"""`clickthrough/endpoint.py`: an agent opens the original of a comment."""

import httpx2
import pytest

from tests.doubles import ScriptedOrigin
from tests.zendesk_driver import ZendeskDriver

HERE = "https://origin.example"


class LinkedOrigin(ScriptedOrigin):
    """Knows the address of a few posts."""

    def __init__(self) -> None:
        super().__init__()
        self.links: dict[str, str] = {}

    def permalink(self, external_id: str) -> str | None:
        if external_id.startswith("not mine"):
            raise ValueError(external_id)
        return self.links.get(external_id)


@pytest.fixture
def origin() -> LinkedOrigin:
    return LinkedOrigin()


async def test_the_original_is_opened_by_its_id_alone(zendesk: ZendeskDriver, origin: LinkedOrigin) -> None:
    """SVC-53: no metadata, no cookie, no login."""
    origin.links["post-1"] = f"{HERE}/posts/1?from=zendesk#top"

    response = await zendesk.click_through("post-1")

    assert response.status_code == 302
    assert response.headers["location"] == f"{HERE}/posts/1?from=zendesk#top"
    assert "set-cookie" not in response.headers
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("external_id", ["a&b=c", "100%", "a+b", "#1", "urn:x:1/2", "a b", "x" * 255])
async def test_an_escaped_id_is_understood(
    zendesk: ZendeskDriver, origin: LinkedOrigin, external_id: str
) -> None:
    """SVC-53."""
    origin.links[external_id] = f"{HERE}/found"

    response = await zendesk.click_through(external_id)

    assert response.headers["location"] == f"{HERE}/found"


@pytest.mark.parametrize("external_id", ["unknown", "not mine"])
async def test_an_unknown_post_opens_nothing(service: httpx2.AsyncClient, external_id: str) -> None:
    """SVC-53: anybody may ask for anything, also for what `origin.py` cannot read."""
    response = await service.get(f"/channel/clickthrough?external_id={external_id}")

    assert response.status_code == 404
    assert "location" not in response.headers


@pytest.mark.parametrize(
    "query", ["", "?external_id=", "?id=post-1", f"?external_id={'x' * 256}", "?external_id=a%00"]
)
async def test_a_link_without_an_id_is_refused(service: httpx2.AsyncClient, query: str) -> None:
    response = await service.get(f"/channel/clickthrough{query}")

    assert response.status_code == 400


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/posts/1",
        "http://origin.example/posts/1",
        "https://origin.example.elsewhere.example/",
        "https://origin.example@elsewhere.example/",
        "https://origin.example:8443/",
        "https://origin.example\\@elsewhere.example/",
        "https://elsewhere.example\\@origin.example/",
        "https://elsewhere.example#https://origin.example/",
        "https://[origin.example/",
        "//elsewhere.example/",
        "/posts/1",
        "javascript:alert(1)",
        "",
    ],
)
async def test_no_agent_is_sent_elsewhere(
    service: httpx2.AsyncClient, origin: LinkedOrigin, url: str
) -> None:
    """SVC-53: whatever a permalink was made of, it leads to the origin or nowhere."""
    origin.links["post-1"] = url

    response = await service.get("/channel/clickthrough?external_id=post-1")

    assert response.status_code == 404
    assert "location" not in response.headers
