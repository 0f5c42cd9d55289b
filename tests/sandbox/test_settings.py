"""`sandbox/zendesk/settings.py`: what nothing documents is chosen, and both choices are kept."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from sandbox.zendesk import (
    Account,
    FakeClock,
    Fault,
    HandshakeError,
    InProcess,
    ManifestRefusedError,
    Settings,
    Zendesk,
)
from sandbox.zendesk.faults import Endpoint
from scripted_integration import MANIFEST_URL, ScriptedIntegration, resource
from starlette.responses import JSONResponse

API = "https://acme.zendesk.com/api/v2/any_channel"


@pytest.mark.parametrize(("interval", "pulls"), [(120, 6), (300, 3)])
async def test_the_interval_of_pulls(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, interval: int, pulls: int
) -> None:
    """ZEN-14."""
    zendesk.settings.pull_interval = interval
    await zendesk.advance(600)
    assert len(integration.pulled) == pulls


@pytest.mark.parametrize(("hours", "version"), [(3, "1"), (1, "2")])
async def test_the_age_of_a_manifest(
    integration: ScriptedIntegration, zendesk: Zendesk, hours: int, version: str
) -> None:
    """ZEN-03."""
    zendesk.settings.manifest_poll_interval = hours * 3600
    integration.manifest["version"] = "2"
    await zendesk.advance(2 * 3600)
    assert zendesk.manifest.version == version


async def test_an_admin_and_a_zendesk_of_another_name(integration: ScriptedIntegration) -> None:
    """ZEN-08, ZEN-56."""
    settings = Settings(subdomain="globex", locale="de", address="https://globex.zendesk.com")
    async with Zendesk(MANIFEST_URL, integration.app, clock=FakeClock(), settings=settings) as zendesk:
        await zendesk.add_account("Main")
    opened = integration.opened[0]
    assert (opened["subdomain"], opened["locale"]) == ("globex", "de")
    assert opened["return_url"].startswith("https://globex.zendesk.com/")
    assert {event["subdomain"] for event in integration.events} == {"globex"}


async def edit(zendesk: Zendesk, account: Account) -> None:
    await zendesk.edit_account(account)


async def reply(zendesk: Zendesk, account: Account) -> None:
    zendesk.settings.channelback_tries = 1
    await zendesk.reply(zendesk.tickets[0], "Hello")


async def pull(zendesk: Zendesk, account: Account) -> None:
    await zendesk.pull(account)


async def call_of_an_app(zendesk: Zendesk, account: Account) -> None:
    query = {"ticket_id": str(zendesk.tickets[0].id), "post_to_path": "like"}
    async with httpx2.AsyncClient(transport=InProcess(zendesk)) as app:
        await app.post(f"{API}/proxy.json", params=query, json={})


@pytest.mark.parametrize("delay", [4, 5])
@pytest.mark.parametrize(
    ("setting", "endpoint", "act"),
    [
        ("admin_timeout", "admin_ui", edit),
        ("pull_timeout", "pull", pull),
        ("file_timeout", "file", pull),
        ("event_timeout", "event_callback", pull),
        ("channelback_timeout", "channelback", reply),
        ("proxy_timeout", "proxied", call_of_an_app),
    ],
)
async def test_a_timeout_ends_what_takes_too_long(
    integration: ScriptedIntegration,
    zendesk: Zendesk,
    account: Account,
    setting: str,
    endpoint: Endpoint,
    act: Callable[[Zendesk, Account], Awaitable[None]],
    delay: int,
) -> None:
    """ZEN-22, ZEN-35, ZEN-55, ZEN-58."""
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    integration.posts = [resource("post-2", file_urls=["files/a.txt"])]
    setattr(zendesk.settings, setting, 5)
    zendesk.faults.add(endpoint, Fault(delay=delay))
    number = len(zendesk.log.of(endpoint))
    if endpoint == "admin_ui" and delay == 5:
        with pytest.raises(HandshakeError, match="5 seconds"):
            await act(zendesk, account)
    else:
        await act(zendesk, account)
    failure = zendesk.log.of(endpoint)[number].failure
    assert failure == ("no answer within 5 seconds" if delay == 5 else None)


@pytest.mark.parametrize("tries", [1, 3])
async def test_how_often_a_reply_is_tried(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, tries: int
) -> None:
    """ZEN-42: and how long Zendesk waits in between."""
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    zendesk.settings.channelback_tries, zendesk.settings.channelback_retry_after = tries, 7
    integration.answers["channelback"] = lambda: JSONResponse({}, 503)
    start = zendesk.clock.now()
    assert (await zendesk.reply(zendesk.tickets[0], "Hello")).error
    assert len(integration.replies) == tries
    assert (zendesk.clock.now() - start).total_seconds() == 7 * (tries - 1)


@pytest.mark.parametrize(("repeated", "tries"), [((), 1), ((418,), 3)])
async def test_which_statuses_are_repeated(
    integration: ScriptedIntegration,
    zendesk: Zendesk,
    account: Account,
    repeated: tuple[int, ...],
    tries: int,
) -> None:
    """ZEN-42."""
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    zendesk.settings.channelback_statuses_to_repeat = repeated
    integration.answers["channelback"] = lambda: JSONResponse({}, 418)
    await zendesk.reply(zendesk.tickets[0], "Hello")
    assert len(integration.replies) == tries


@pytest.mark.parametrize("status", [404, 422])
async def test_the_status_for_a_failure_of_no_reply(
    integration: ScriptedIntegration, zendesk: Zendesk, status: int
) -> None:
    """ZEN-53."""
    integration.manifest["push_client_id"] = "zdg-scripted"
    await zendesk.refresh_manifest()
    await zendesk.add_account("Main")
    zendesk.settings.unknown_reported_id_status = status
    opened = integration.opened[-1]
    async with httpx2.AsyncClient(transport=InProcess(zendesk)) as service:
        answer = await service.post(
            f"{API}/channelback/report_error",
            json={"instance_push_id": opened["instance_push_id"], "external_id": "unknown"},
            headers={"authorization": f"Bearer {opened['zendesk_access_token']}"},
        )
    assert answer.status_code == status
    assert answer.json().keys() == {"error", "description"}


@pytest.mark.parametrize(("failures", "active"), [(20, False), (21, True), (0, True)])
async def test_how_many_failures_deactivate(
    zendesk: Zendesk, account: Account, failures: int, active: bool
) -> None:
    """ZEN-23: none do, with 0."""
    zendesk.settings.failures_before_deactivation = failures
    zendesk.faults.add("pull", Fault(status=503, times=None))
    await zendesk.advance(19 * 120)
    assert account.failures == 20
    assert account.active == active


async def test_twenty_failures_deactivate_by_default(zendesk: Zendesk, account: Account) -> None:
    """ZEN-23: activating starts the count again."""
    zendesk.faults.add("pull", Fault(status=503, times=None))
    await zendesk.advance(18 * 120)
    assert account.active
    await zendesk.advance(120)
    assert not account.active
    await zendesk.activate(account)
    await zendesk.pull(account)
    assert (account.active, account.failures) == (True, 1)


BETWEEN: list[dict[str, Any]] = [
    {"mood": "good"},
    {"author": {"external_id": "ada", "image_url": "https://x.test/" + "x" * 300}},
    {"file_urls": ["files/a.txt"] * 11},
]
BEYOND: list[dict[str, Any]] = [
    {"parent_id": "x" * 256},
    {"author": {"external_id": "ada", "image_url": "https://x.test/" + "x" * 511}},
    {"file_urls": ["files/a.txt"] * 65},
    {"display_info": [{"type": "urn:x", "data": "{}"}]},
]


@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize("changes", BETWEEN)
async def test_where_documentation_and_schemas_disagree(
    integration: ScriptedIntegration,
    zendesk: Zendesk,
    account: Account,
    changes: dict[str, Any],
    published: bool,
) -> None:
    """ZEN-15: the schemas let it pass, with a remark."""
    zendesk.settings.published_schemas = published
    integration.posts = [resource("post-1") | changes]
    assert ((await zendesk.pull(account)).error is None) == published
    assert zendesk.log.of("pull")[0].remarks


@pytest.mark.parametrize("changes", BEYOND)
async def test_what_the_schemas_refuse_as_well(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, changes: dict[str, Any]
) -> None:
    """ZEN-15."""
    integration.posts = [resource("post-1") | changes]
    assert (await zendesk.pull(account)).error


@pytest.mark.parametrize(
    ("length", "published", "taken"),
    [(127, True, True), (127, False, True), (128, True, True), (128, False, False), (129, True, False)],
)
async def test_the_length_of_a_push_client_id(
    integration: ScriptedIntegration, length: int, published: bool, taken: bool
) -> None:
    """ZEN-01."""
    integration.manifest["push_client_id"] = "x" * length
    zendesk = Zendesk(MANIFEST_URL, integration.app, settings=Settings(published_schemas=published))
    if taken:
        async with zendesk:
            assert zendesk.manifest.push_client_id == "x" * length
    else:
        with pytest.raises(ManifestRefusedError, match="SVC-05"):
            async with zendesk:
                pass


@pytest.mark.parametrize("kept", [3, 1])
async def test_how_long_the_log_becomes(zendesk: Zendesk, account: Account, kept: int) -> None:
    zendesk.settings.exchanges_kept = kept
    for _ in range(4):
        await zendesk.pull(account)
    assert len(zendesk.log.entries) <= kept
