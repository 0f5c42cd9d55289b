"""What is left when an account, a user or the whole integration is gone."""

from typing import Any

import httpx2
import pytest
from sandbox.zendesk import Account, InProcess, ReplyRefusedError, Ticket, Upload, Zendesk
from scripted_integration import MANIFEST_URL, ScriptedIntegration, resource
from starlette.responses import Response

HOST = "https://acme.zendesk.com"


@pytest.fixture
async def ticket(integration: ScriptedIntegration, zendesk: Zendesk, account: Account) -> Ticket:
    integration.posts = [resource("post-1", message="My number is 555-0100", display_info=[])]
    await zendesk.pull(account)
    return zendesk.tickets[0]


async def test_nobody_replies_for_an_account_that_is_gone(
    zendesk: Zendesk, ticket: Ticket, account: Account
) -> None:
    await zendesk.remove_account(account)
    with pytest.raises(ReplyRefusedError):
        await zendesk.reply(ticket, "Hello")


async def test_nobody_replies_for_an_integration_that_is_gone(zendesk: Zendesk, ticket: Ticket) -> None:
    await zendesk.uninstall()
    with pytest.raises(ReplyRefusedError):
        await zendesk.reply(ticket, "Hello")


async def test_a_ticket_still_says_where_it_came_from(
    zendesk: Zendesk, ticket: Ticket, account: Account
) -> None:
    """ZEN-34: although its account is gone."""
    await zendesk.remove_account(account)
    assert zendesk.via(ticket)["channel"] == "any_channel"


@pytest.mark.parametrize("gone", ["account", "integration"])
async def test_an_apps_call_finds_no_account(
    zendesk: Zendesk, ticket: Ticket, account: Account, gone: str
) -> None:
    """ZEN-58."""
    await (zendesk.remove_account(account) if gone == "account" else zendesk.uninstall())
    query = {"ticket_id": str(ticket.id), "post_to_path": "like"}
    async with httpx2.AsyncClient(transport=InProcess(zendesk)) as app:
        answer = await app.post(f"{HOST}/api/v2/any_channel/proxy.json", params=query, json={})
    assert answer.status_code == 404


async def test_an_agents_file_is_not_served_to_an_account_that_is_gone(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket, account: Account
) -> None:
    """ZEN-45."""
    await zendesk.reply(ticket, "See", [Upload("a.txt", b"a")])
    (url,) = integration.replies[0]["file_urls[]"]
    await zendesk.remove_account(account)
    async with httpx2.AsyncClient(transport=InProcess(zendesk)) as service:
        assert (await service.get(url)).status_code in (401, 404)


async def test_there_is_no_file_of_an_odd_name(zendesk: Zendesk, ticket: Ticket) -> None:
    """ZEN-45."""
    await zendesk.reply(ticket, "See", [Upload("a.txt", b"a")])
    async with httpx2.AsyncClient(transport=InProcess(zendesk)) as service:
        assert (await service.get(f"{HOST}/attachments/token/%C3%BC/")).status_code == 404


async def test_an_app_gets_no_number_that_is_none(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket
) -> None:
    """ZEN-58: NaN is no JSON."""
    integration.answers["like"] = lambda: Response(b"NaN")
    query = {"ticket_id": str(ticket.id), "post_to_path": "like"}
    async with httpx2.AsyncClient(transport=InProcess(zendesk)) as app:
        answer = await app.post(f"{HOST}/api/v2/any_channel/proxy.json", params=query, json={})
    assert answer.status_code == 502


async def test_nothing_that_an_erased_user_wrote_is_left(zendesk: Zendesk, ticket: Ticket) -> None:
    """ZEN-57."""
    await zendesk.erase_user(zendesk.state.users[0])
    assert "555-0100" not in str(zendesk.state)


async def test_an_erased_user_who_writes_again_is_another(
    integration: ScriptedIntegration, zendesk: Zendesk, ticket: Ticket, account: Account
) -> None:
    """ZEN-32, ZEN-40, ZEN-57: a reply to what was erased has no recipient."""
    erased = zendesk.state.users[0]
    await zendesk.erase_user(erased)
    await zendesk.reply(ticket, "Hello")
    assert integration.replies[0]["recipient_id"] == [""]
    integration.posts = [resource("post-2")]
    await zendesk.pull(account)
    assert zendesk.state.users[0].id != erased.id


async def test_an_account_that_is_gone_is_an_event(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-06: the accounts go before the integration."""
    await zendesk.uninstall()
    assert integration.types()[-2:] == ["destroy_integration_instance", "destroy_integration"]
    assert integration.events[-2]["data"] == {"metadata": "secret-1"}
    pulls = len(integration.pulled)
    await zendesk.advance(600)
    assert len(integration.pulled) == pulls


@pytest.mark.parametrize("moment", ["2016-12-31T23:59:60Z", "2026-01-01t00:00:00z"])
async def test_every_moment_that_the_contract_allows_is_taken(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, moment: str
) -> None:
    """ZEN-15, ZEN-16."""
    integration.posts = [resource("post-1", created_at=moment), resource("post-2")]
    pull = await zendesk.pull(account)
    assert [result.code for result in pull.results] == ["success", "success"]


async def test_the_same_manifest_is_no_new_one(integration: ScriptedIntegration) -> None:
    """ZEN-03."""
    async with Zendesk(MANIFEST_URL, integration.app) as zendesk:
        assert not await zendesk.refresh_manifest()
        integration.manifest["version"] = "2"
        assert await zendesk.refresh_manifest()


async def test_a_subject_without_a_value_is_made_of_the_text(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-30."""
    fields: list[dict[str, Any]] = [{"id": "subject", "value": None}]
    integration.posts = [resource("post-1", fields=fields)]
    await zendesk.pull(account)
    assert zendesk.tickets[0].subject == "post post-1"


async def test_a_form_does_not_bring_back_an_account_that_is_gone(zendesk: Zendesk, account: Account) -> None:
    """ZEN-11."""
    zendesk.admin.open(account)
    await zendesk.remove_account(account)
    assert await zendesk.admin.take_return(b"name=Main&metadata=secret-2")
    assert zendesk.accounts == []
