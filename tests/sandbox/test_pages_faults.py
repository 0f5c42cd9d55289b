"""`sandbox/zendesk/pages/`: what is made to go wrong."""

import httpx2
import pytest
from sandbox.zendesk import Account, Fault, Zendesk
from sandbox.zendesk.forms import Page


async def test_a_fault_is_added_and_removed(zendesk: Zendesk, pages: httpx2.AsyncClient) -> None:
    typed = {"endpoint": "channelback", "times": "3", "status": "503", "retry_after": "5", "delay": "1.5"}
    answer = await pages.post(
        "/faults", data=typed, headers={"referer": f"{zendesk.settings.address}/faults"}
    )
    expected = Fault(times=3, status=503, headers={"retry-after": "5"}, delay=1.5)
    assert zendesk.faults.waiting == {"channelback": [expected]}
    text = Page(answer.text).text
    assert "channelback answered 503, delayed 1.5 s, retry-after: 5 the next 3 requests" in text
    await pages.post("/faults", data={"endpoint": "channelback", "times": "", "dropped": "after"})
    fault = zendesk.faults.waiting["channelback"][0]
    await pages.post("/faults/remove", data={"fault": str(id(fault))})
    assert zendesk.faults.waiting == {"channelback": [Fault(times=None, dropped="after")]}


@pytest.mark.parametrize(
    ("typed", "explanation"),
    [
        ({"status": "many"}, "status: Input should be a valid integer"),
        ({"status": "99"}, "status: Input should be greater than or equal to 200"),
        ({"status": "500", "times": "0"}, "times: Input should be greater than 0"),
        ({"delay": "-1"}, "delay: Input should be greater than or equal to 0"),
        ({"dropped": "sometimes"}, "dropped: Input should be 'before' or 'after'"),
        ({"status": "500", "endpoint": "nowhere"}, "nowhere: Input should be"),
        ({}, "Say what goes wrong"),
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused(
    typed: dict[str, str], explanation: str, zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    answer = await pages.post("/faults", data={"endpoint": "pull", "times": "1"} | typed)
    assert answer.status_code == 422
    assert explanation in Page(answer.text).text
    assert zendesk.faults.waiting == {}


async def test_results_of_pushed_posts_are_set(zendesk: Zendesk, pages: httpx2.AsyncClient) -> None:
    typed = {"external_id": "post-1", "codes": "processing_error, halted"}
    answer = await pages.post(
        "/faults/push", data=typed, headers={"referer": f"{zendesk.settings.address}/faults"}
    )
    assert zendesk.faults.push_results == {"post-1": ["processing_error", "halted"]}
    assert "post post-1 is answered processing_error, then halted" in Page(answer.text).text
    for wrong in ({"external_id": "post-2", "codes": "lost"}, {"external_id": "", "codes": "halted"}):
        assert (await pages.post("/faults/push", data=wrong)).status_code == 422
    await pages.post("/faults/remove", data={"external_id": "post-1"})
    assert zendesk.faults.push_results == {}


async def test_switches_are_set_and_cleared(zendesk: Zendesk, pages: httpx2.AsyncClient) -> None:
    await pages.post("/faults/switches", data={"stale_manifest": "on", "reorder_events": "on"})
    faults = zendesk.faults
    assert (faults.stale_manifest, faults.duplicate_events, faults.reorder_events) == (True, False, True)
    await pages.post("/faults/switches", data={"duplicate_events": "on"})
    assert (faults.stale_manifest, faults.duplicate_events, faults.reorder_events) == (False, True, False)


async def test_tokens_are_rotated_here_too(account: Account, pages: httpx2.AsyncClient) -> None:
    assert f'action="/admin/accounts/{account.id}/rotate"' in (await pages.get("/faults")).text
