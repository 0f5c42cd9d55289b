"""`sandbox/zendesk/exchanges.py`: everything that passed can be read, and no secret with it."""

import json
import shlex
from typing import Any

import httpx2
import pytest
from sandbox.zendesk import Account, Fault, InProcess, Sandbox, Zendesk
from sandbox.zendesk.clock import FakeClock
from sandbox.zendesk.har import curl, har
from scripted_integration import MANIFEST_URL, ScriptedIntegration, resource


@pytest.fixture
def integration() -> ScriptedIntegration:
    integration = ScriptedIntegration()
    integration.manifest["push_client_id"] = "zdg-scripted"
    integration.returned = {"metadata": '{"key": "ü & secret"}'}
    return integration


@pytest.fixture
async def busy(integration: ScriptedIntegration, zendesk: Zendesk, account: Account) -> Zendesk:
    """A Zendesk that has pulled, replied and been pushed to."""
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    await zendesk.reply(zendesk.tickets[0], "Hello")
    opened = integration.opened[0]
    headers = {"authorization": f"Bearer {opened['zendesk_access_token']}"}
    document = {"instance_push_id": opened["instance_push_id"], "external_resources": [resource("post-2")]}
    async with httpx2.AsyncClient(transport=InProcess(zendesk)) as service:
        await service.post("https://acme.zendesk.com/api/v2/any_channel/push", json=document, headers=headers)
    return zendesk


async def test_both_directions_are_logged(busy: Zendesk) -> None:
    seen = {(entry.endpoint, entry.direction, entry.status) for entry in busy.log.entries}
    assert seen == {
        ("manifest", "to service", 200),
        ("admin_ui", "to service", 200),
        ("return_url", "from service", 200),
        ("pull", "to service", 200),
        ("channelback", "to service", 200),
        ("event_callback", "to service", 200),
        ("push", "from service", 200),
    }
    assert all(entry.seconds > 0 for entry in busy.log.entries)
    assert [entry.number for entry in busy.log.entries] == list(range(1, len(busy.log.entries) + 1))


async def test_no_secret_is_shown(integration: ScriptedIntegration, busy: Zendesk) -> None:
    """Neither token nor metadata nor password, however they are written."""
    shown = [json.dumps(har(busy.log))]
    for entry in busy.log.entries:
        shown += [busy.log.text_of(entry), curl(busy.log, entry)]
    text = "\n".join(shown)
    assert integration.opened[0]["zendesk_access_token"] not in text
    assert "secret" not in text
    assert "password-1" not in text
    assert "(masked)" in text


async def test_an_exchange_is_found_by_what_it_shows(busy: Zendesk) -> None:
    assert [entry.endpoint for entry in busy.log.containing("HELLO")] == ["channelback"]
    assert busy.log.containing("ü & secret") == []


async def test_a_request_is_copied_as_a_command(busy: Zendesk) -> None:
    (pull,) = busy.log.of("pull")
    words = shlex.split(curl(busy.log, pull))
    assert words[:4] == ["curl", "-X", "POST", "https://integration.test/channel/pull"]
    assert words[-2:] == ["--data-raw", "metadata=(masked)&state="]


async def test_the_log_is_an_http_archive(busy: Zendesk) -> None:
    archive = har(busy.log)["log"]
    assert archive["version"] == "1.2"
    assert len(archive["entries"]) == len(busy.log.entries)
    pull: dict[str, Any] = next(e for e in archive["entries"] if e["request"]["url"].endswith("/pull"))
    assert pull["request"]["postData"]["text"] == "metadata=(masked)&state="
    assert json.loads(pull["response"]["content"]["text"])["external_resources"]


async def test_what_broke_off_is_logged_with_its_reason(zendesk: Zendesk, account: Account) -> None:
    zendesk.faults.add("pull", Fault(dropped="after"))
    await zendesk.pull(account)
    (pull,) = zendesk.log.of("pull")
    assert (pull.status, pull.fault) == (None, "dropped after processing")
    assert "no answer" in zendesk.log.text_of(pull)


async def test_bytes_are_counted_not_shown(zendesk: Zendesk) -> None:
    assert zendesk.log.body(b"\xff\x00") == "(2 bytes)"


async def test_the_oldest_exchanges_are_forgotten(zendesk: Zendesk, account: Account) -> None:
    zendesk.settings.exchanges_kept = 5
    for _ in range(10):
        await zendesk.pull(account)
    assert len(zendesk.log.entries) == 5


def test_the_same_without_await(integration: ScriptedIntegration) -> None:
    """For scripts: `with Sandbox(manifest) as zendesk`."""
    integration.posts = [resource("post-1")]
    with Sandbox(MANIFEST_URL, integration.app, clock=FakeClock()) as zendesk:
        account = zendesk.add_account("Main")
        zendesk.pull(account)
        (ticket,) = zendesk.tickets
        reply = ticket.reply("Hello")
        assert (reply.external_id, ticket.comments[-1]) == ("reply-1", reply)
        answer = httpx2.post(f"{zendesk.address}/api/v2/any_channel/push", trust_env=False)
        assert answer.status_code == 401
        zendesk.run(zendesk.zendesk.deactivate, account)
    assert not account.active
