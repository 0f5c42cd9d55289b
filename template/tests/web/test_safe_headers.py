"""`web/safe_headers.py`: no answer is cached or guessed at, whoever gave it."""

import httpx2
import pytest


@pytest.mark.parametrize("path", ["/ready", "/metrics", "/channel/files/x/photo.png", "/nowhere"])
async def test_every_answer_has_them(service: httpx2.AsyncClient, path: str) -> None:
    headers = (await service.get(path)).headers
    assert headers["cache-control"] == "no-store"
    assert headers["content-security-policy"] == "default-src 'none'"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"


async def test_what_an_endpoint_says_stands(service: httpx2.AsyncClient) -> None:
    headers = (await service.get("/channel/manifest")).headers
    assert headers.get_list("cache-control") == ["public, max-age=300"]
