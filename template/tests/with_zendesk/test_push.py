"""The project's own service, as it pushes to Zendesk."""

import json

import httpx2

from sandbox.zendesk import Fault, Zendesk
from tests.doubles import ScriptedOrigin


async def test_what_the_origin_tells_becomes_a_ticket(installed: Zendesk, origin: ScriptedOrigin) -> None:
    """Although Zendesk has too much to do at first."""
    account = await installed.add_account("Main", site="main", password="right")
    installed.faults.add("push", Fault(status=429, headers={"retry-after": "1"}))
    ((url, secret),) = origin.subscriptions.items()
    document = {"delivery": "delivery-1", "posts": [["2026-11-20T12:00:00Z", "post-1", {}]]}
    service = installed.service
    assert service is not None
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(service)) as site:
        answer = await site.post(url, content=json.dumps(document), headers={"x-secret": secret})
    assert answer.is_success
    await installed.changes.until(lambda: bool(installed.log.of("push")))
    await installed.advance(1)
    await installed.changes.until(lambda: len(installed.log.of("push")) == 2 and bool(installed.tickets))
    assert installed.tickets[0].account_id == account.id
    assert installed.tickets[0].comments[0].external_id == "post-1"
