"""`sandbox/zendesk/pages/`: the exchange log."""

import httpx2
from sandbox.zendesk import Account, Fault, Zendesk
from sandbox.zendesk.forms import Page
from scripted_integration import ScriptedIntegration, resource


async def test_exchanges_are_filtered_and_searched(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, pages: httpx2.AsyncClient
) -> None:
    integration.posts = [resource("needle-1")]
    await zendesk.pull(account)

    async def listed(**asked: str) -> set[str]:
        shown = (await pages.get("/exchanges", params=asked)).text
        return {
            exchange.endpoint
            for exchange in zendesk.log.entries
            if f'href="/exchanges/{exchange.number}"' in shown
        }

    assert await listed() == {"manifest", "event_callback", "admin_ui", "return_url", "pull"}
    assert await listed(endpoint="pull") == {"pull"}
    assert await listed(direction="from service") == {"return_url"}
    assert await listed(q="NEEDLE-1") == {"pull", "event_callback"}
    assert await listed(wrong="1") == set()
    integration.posts = [{"external_id": "post-2"}]
    await zendesk.pull(account)
    assert await listed(wrong="1") == {"pull"}
    assert "Nothing is like that" in (await pages.get("/exchanges", params={"q": "<b>"})).text


async def test_an_exchange_is_shown_decoded(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, pages: httpx2.AsyncClient
) -> None:
    account.state = "page 7 & <more>"
    integration.posts = [{"external_id": "post-1"}]
    await zendesk.pull(account)
    exchange = zendesk.log.of("pull")[-1]
    answer = await pages.get(f"/exchanges/{exchange.number}")
    page = Page(answer.text)
    assert "state page 7 & <more>" in page.text
    assert "metadata (masked)" in page.text
    assert '"external_id": "post-1"' in page.text
    assert "content-type application/x-www-form-urlencoded" in page.text
    remark = exchange.remarks[0]
    assert remark.message in page.text
    assert remark.pointer in page.text
    assert set(remark.rules) <= set(page.text.replace(",", " ").split())
    assert remark.remedy in page.text
    assert "curl -X POST https://integration.test/channel/pull" in page.text


async def test_a_fault_and_a_lack_of_an_answer_are_shown(
    zendesk: Zendesk, account: Account, pages: httpx2.AsyncClient
) -> None:
    zendesk.faults.add("pull", Fault(dropped="before"))
    await zendesk.pull(account)
    number = zendesk.log.of("pull")[-1].number
    text = Page((await pages.get(f"/exchanges/{number}")).text).text
    assert "Nothing was answered: no answer: the connection was dropped on purpose" in text
    assert "Made to go wrong: dropped before processing" in text
    assert (await pages.get("/exchanges/999")).status_code == 404


async def test_the_log_is_exported(zendesk: Zendesk, account: Account, pages: httpx2.AsyncClient) -> None:
    answer = await pages.get("/exchanges.har")
    assert answer.headers["content-disposition"] == 'attachment; filename="exchanges.har"'
    assert len(answer.json()["log"]["entries"]) == len(zendesk.log.entries)
