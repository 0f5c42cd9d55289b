"""An app calls the project's own service through Zendesk."""

import httpx2
import pytest

from sandbox.zendesk import InProcess, Zendesk
from tests.doubles import ScriptedOrigin

POST = {
    "external_id": "post-1",
    "message": "Good soup",
    "created_at": "2026-11-20T12:00:00Z",
    "author": {"external_id": "ada"},
}


@pytest.mark.parametrize("as_json", [False, True])
async def test_an_app_acts_for_the_account_of_its_ticket(
    installed: Zendesk, origin: ScriptedOrigin, as_json: bool
) -> None:
    """SVC-60, SVC-61: whichever way Zendesk passes the call on."""
    installed.settings.proxy_as_json = as_json
    for site in ("main", "other"):
        account = await installed.add_account(site.title(), site=site, password="right")
    await installed.imports.take(account, POST, "by hand", pushed=False)
    query = {"ticket_id": str(installed.tickets[0].id), "post_to_path": "/channel/proxy/like"}
    url = f"{installed.settings.address}/api/v2/any_channel/proxy.json"
    async with httpx2.AsyncClient(transport=InProcess(installed)) as app:
        answer = await app.post(url, params=query, json={"post_id": "post-1"})
        query["post_to_path"] = "/channel/proxy/unknown"
        refused = await app.post(url, params=query, json={})
    assert (answer.status_code, answer.json()) == (200, {"likes": 1})
    assert origin.liked == [("other", "post-1")]
    assert (refused.status_code, refused.json()["error"]) == (404, "unknown_action")
