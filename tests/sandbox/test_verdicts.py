"""What a wrong integration does wrong is named in the log: one thing at a time."""

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
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
from scripted_integration import MANIFEST_URL, ScriptedIntegration, resource
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

Wrong = Callable[[ScriptedIntegration], object]


def manifest(**changes: Any) -> Wrong:
    return lambda integration: integration.manifest.update(changes)


def urls(**changes: Any) -> Wrong:
    return lambda integration: integration.urls.update(changes)


def post(**changes: Any) -> Wrong:
    return lambda integration: integration.posts.append(resource("post-1") | changes)


def pulled(**changes: Any) -> Wrong:
    return lambda integration: integration.pull_answer.update(changes)


def answered(endpoint: str, answer: Callable[[], Response]) -> Wrong:
    return lambda integration: integration.answers.update({endpoint: answer})


def without(key: str) -> Wrong:
    def remove(integration: ScriptedIntegration) -> None:
        integration.posts = [{name: value for name, value in resource("post-1").items() if name != key}]

    return remove


def many(integration: ScriptedIntegration) -> None:
    integration.posts = [resource(f"post-{number}") for number in range(201)]


def child_first(integration: ScriptedIntegration) -> None:
    integration.posts = [resource("b", parent_id="a"), resource("a")]


def framed_by_nobody(integration: ScriptedIntegration) -> None:
    integration.admin_headers = {"x-frame-options": "DENY"}


def cookie(integration: ScriptedIntegration) -> None:
    integration.admin_headers = {"set-cookie": "session=1"}


def returned(**fields: str) -> Wrong:
    def change(integration: ScriptedIntegration) -> None:
        integration.returned = fields

    return change


def headers(**named: str) -> Wrong:
    return lambda integration: integration.admin_headers.update(
        {name.replace("_", "-"): value for name, value in named.items()}
    )


def page(html: str, status: int = 200) -> Callable[[], Response]:
    return lambda: HTMLResponse(html, status)


def body(document: Any, status: int = 200) -> Callable[[], Response]:
    return lambda: JSONResponse(document, status)


WRONG: list[tuple[str, Wrong]] = [
    ("SVC-01", answered("manifest", body({}, 404))),
    ("SVC-02", manifest(name="")),
    ("SVC-02", manifest(id=None)),
    ("SVC-02", manifest(id="x" * 512)),
    ("SVC-03", urls(pull_url="http://integration.test/pull")),
    ("SVC-03", urls(clickthrough_url="https://integration.test/" + "x" * 511)),
    ("SVC-04", urls(clickthrough_url="")),
    ("SVC-05", manifest(push_client_id="x" * 128)),
    ("SVC-06", manifest(channelback_files="yes")),
    ("SVC-07", manifest(create_followup_tickets=1)),
    ("SVC-08", manifest(version=1)),
    ("SVC-13", answered("admin_ui", page("no", 403))),
    ("SVC-14", framed_by_nobody),
    ("SVC-18", answered("admin_ui", page("<p>no form</p>"))),
    ("SVC-18", returned(metadata="")),
    ("SVC-19", returned(metadata="m" * 5001)),
    ("SVC-24", cookie),
    ("SVC-27", answered("pull", body({}))),
    ("SVC-28", many),
    ("SVC-29", pulled(state=None)),
    ("SVC-29", pulled(metadata={})),
    ("SVC-31", child_first),
    ("SVC-33", pulled(metadata_needs_update="yes")),
    ("SVC-35", without("message")),
    ("SVC-35", without("author")),
    ("SVC-36", post(external_id=" post-1")),
    ("SVC-36", post(external_id="pöst")),
    ("SVC-37", post(message="")),
    ("SVC-38", post(parent_id="a", thread_id="b")),
    ("SVC-39", post(created_at="yesterday")),
    ("SVC-40", post(display_info=[{"type": "urn:x", "data": "{}"}])),
    ("SVC-41", post(fields=[{"id": "subject"}])),
    ("SVC-42", post(file_urls=["http://integration.test/a.txt"])),
    ("SVC-43", post(file_urls=["missing/a.txt"])),
    ("SVC-44", post(author={"external_id": "ada", "locale": ""})),
    ("SVC-47", answered("channelback", body({"external_id": ""}))),
    ("SVC-47", answered("channelback", body({}))),
    ("SVC-54", answered("events", body({}, 500))),
    ("SVC-01", answered("manifest", body({}, 201))),
    ("SVC-02", lambda integration: integration.urls.pop("admin_ui")),
    ("SVC-04", urls(pull_url="")),
    ("SVC-05", manifest(push_client_id=None)),
    ("SVC-13", answered("admin_ui", page("out of order", 500))),
    ("SVC-14", headers(content_security_policy="frame-ancestors 'self'")),
    ("SVC-18", returned()),
    ("SVC-19", returned(metadata="m", state="s" * 5001)),
    ("SVC-19", pulled(state="s" * 5001)),
    ("SVC-19", answered("channelback", body({"external_id": "r", "metadata": "m" * 5001}))),
    ("SVC-22", returned(metadata="m", state="")),
    ("SVC-24", headers(set_cookie="session=1; Secure")),
    ("SVC-27", answered("pull", body({"external_resources": None}))),
    ("SVC-31", post(parent_id="post-1")),
    ("SVC-35", without("external_id")),
    ("SVC-35", without("created_at")),
    ("SVC-35", post(author={"external_id": ""})),
    ("SVC-36", post(external_id="x" * 256)),
    ("SVC-36", post(author={"external_id": "ädä"})),
    ("SVC-37", post(message="x" * 65536)),
    ("SVC-37", post(html_message="")),
    ("SVC-39", post(created_at="2026-01-01T00:00:00")),
    ("SVC-40", post(display_info=[{"data": {}}])),
    ("SVC-40", post(display_info=[{"type": "urn:x", "data": {}}] * 17)),
    ("SVC-41", post(fields=[{"id": "a", "value": 1}] * 65)),
    ("SVC-41", post(author={"external_id": "ada", "fields": [{"value": 1}]})),
    ("SVC-42", post(file_urls=["files/a.txt"] * 11)),
    ("SVC-42", post(file_urls=["files/" + "a" * 512])),
    ("SVC-47", answered("channelback", body({"external_id": "x" * 256}))),
    ("SVC-47", answered("channelback", body({"external_id": " r"}))),
    ("SVC-47", answered("channelback", body({"external_id": "r"}, 201))),
]

RETURN_URL = Settings().return_url
GET_FORM = f'<form action="{RETURN_URL}"><input name=name><input name=metadata value=m></form>'
POST_FORM = GET_FORM.replace("<form", "<form method=post")


def text(content: str, media_type: str, status: int = 200) -> Callable[[], Response]:
    return lambda: Response(content, status, media_type=media_type)


def untyped_file(integration: ScriptedIntegration) -> None:
    integration.posts = [resource("post-1", file_urls=["files/a.bin"])]
    integration.answers["files/a.bin"] = lambda: Response(b"content")


WRONG += [
    ("SVC-01", answered("manifest", page("<p>"))),
    ("SVC-13", answered("admin_ui", text(POST_FORM, "text/plain"))),
    ("SVC-13", answered("admin_ui", page(POST_FORM, 201))),
    ("SVC-18", answered("admin_ui", page(GET_FORM))),
    ("SVC-18", answered("admin_ui_2", lambda: RedirectResponse(f"{RETURN_URL}?name=Main&metadata=m", 303))),
    ("SVC-27", answered("pull", page("<p>"))),
    ("SVC-27", answered("pull", body([]))),
    ("SVC-27", answered("pull", body({"external_resources": []}, 201))),
    ("SVC-27", answered("pull", text('{"external_resources": []}', "text/html"))),
    ("SVC-27", answered("pull", body({}, 404))),
    ("SVC-27", answered("pull", lambda: RedirectResponse("/channel/like", 302))),
    ("SVC-31", post(parent_id="unknown")),
    ("SVC-36", lambda integration: integration.posts.extend([resource("post-1"), resource("post-1")])),
    ("SVC-43", untyped_file),
    ("SVC-47", answered("channelback", page("<p>"))),
    ("SVC-47", answered("channelback", lambda: RedirectResponse("/channel/like", 302))),
]


async def everything(zendesk: Zendesk, integration: ScriptedIntegration) -> None:
    """Install, add an account, pull and reply."""
    async with zendesk:
        account: Account = await zendesk.add_account("Main")
        await zendesk.pull(account)
        integration.posts, integration.pull_answer = [resource("good")], {}
        integration.answers.pop("pull", None)
        await zendesk.pull(account)
        await zendesk.reply(zendesk.tickets[-1], "Hello")


async def rules(integration: ScriptedIntegration, **settings: Any) -> set[str]:
    zendesk = Zendesk(MANIFEST_URL, integration.app, clock=FakeClock(), settings=Settings(**settings))
    with suppress(ManifestRefusedError, HandshakeError):
        await everything(zendesk, integration)
    return {rule for entry in zendesk.log.entries for rule in entry.rules}


async def test_a_right_integration_breaks_no_rule(integration: ScriptedIntegration) -> None:
    integration.posts = [resource("post-1")]
    assert await rules(integration) == set()


@pytest.mark.parametrize(("rule", "wrong"), WRONG, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(WRONG)])
async def test_a_wrong_integration_is_told_which_rule_it_breaks(
    integration: ScriptedIntegration, rule: str, wrong: Wrong
) -> None:
    wrong(integration)
    assert rule in await rules(integration)


class Calls:
    """Zendesk's API as a wrong service calls it."""

    def __init__(self, zendesk: Zendesk, opened: dict[str, str]) -> None:
        self.zendesk = zendesk
        self.opened = opened
        self.authorization = f"Bearer {opened['zendesk_access_token']}"

    async def post(self, path: str, *, kind: str = "application/json", **document: Any) -> set[str]:
        """Call, and give the rules of the verdict."""
        document = {"instance_push_id": self.opened["instance_push_id"]} | document
        async with httpx2.AsyncClient(transport=InProcess(self.zendesk)) as service:
            await service.post(
                f"https://acme.zendesk.com/api/v2/any_channel/{path}",
                content=json.dumps(document),
                headers={"authorization": self.authorization, "content-type": kind},
            )
        return next(
            each for each in reversed(self.zendesk.log.entries) if each.direction == "from service"
        ).rules


@pytest.fixture
async def calls(integration: ScriptedIntegration, zendesk: Zendesk) -> Calls:
    integration.manifest["push_client_id"] = "zdg-scripted"
    await zendesk.refresh_manifest()
    await zendesk.add_account("Main")
    return Calls(zendesk, integration.opened[-1])


@pytest.mark.parametrize(
    ("rule", "path", "document"),
    [
        ("SVC-56", "push", {"external_resources": [], "kind": "application/x-www-form-urlencoded"}),
        ("SVC-56", "push", {"external_resources": [], "request_id": "r" * 65}),
        ("SVC-56", "push", {"external_resources": [resource(str(number)) for number in range(257)]}),
        ("SVC-56", "push", {"external_resources": [resource(str(number)) for number in range(201)]}),
        ("SVC-35", "push", {"external_resources": [{"external_id": "a"}]}),
        ("SVC-38", "push", {"external_resources": [resource("a", parent_id="b", thread_id="c")]}),
        ("SVC-31", "push", {"external_resources": [resource("a", parent_id="b"), resource("b")]}),
        ("SVC-59", "channelback/report_error", {}),
        ("SVC-59", "channelback/report_error", {"external_id": "r", "description": "d" * 512}),
    ],
)
async def test_a_wrong_call_is_told_which_rule_it_breaks(
    calls: Calls, rule: str, path: str, document: dict[str, Any]
) -> None:
    assert rule in await calls.post(path, **document)


async def test_push_without_a_bearer_token_is_told_so(calls: Calls) -> None:
    calls.authorization = "Basic YWRhOnNlY3JldA=="
    assert "SVC-56" in await calls.post("push", external_resources=[])


async def test_a_service_that_keeps_an_old_token_is_told_so(calls: Calls) -> None:
    await calls.zendesk.edit_account(calls.zendesk.accounts[0])
    assert "SVC-23" in await calls.post("push", external_resources=[])


async def test_a_service_that_keeps_the_token_of_a_removed_account_is_told_so(calls: Calls) -> None:
    await calls.zendesk.remove_account(calls.zendesk.accounts[0])
    assert "SVC-55" in await calls.post("push", external_resources=[])


async def test_a_service_that_does_not_wait_is_told_so(calls: Calls) -> None:
    calls.zendesk.settings.requests_per_minute = 1
    await calls.post("push", external_resources=[])
    assert await calls.post("push", external_resources=[]) == set()
    await calls.zendesk.advance(10)
    assert "SVC-58" in await calls.post("push", external_resources=[])


@pytest.mark.parametrize("path", ["pushes", "push/"])
async def test_a_call_to_a_wrong_address_is_in_the_log(calls: Calls, path: str) -> None:
    await calls.post(path, external_resources=[])
    assert calls.zendesk.log.entries[-1].url.endswith(path)
    assert calls.zendesk.log.entries[-1].status == 404


async def test_a_reply_that_is_posted_twice_is_noticed(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """The sandbox knows the answer that it dropped."""
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    zendesk.faults.add("channelback", Fault(dropped="after"))
    await zendesk.reply(zendesk.tickets[0], "Hello")
    assert "SVC-48" in zendesk.log.of("channelback")[-1].rules


async def test_a_reply_that_is_posted_once_breaks_no_rule(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    integration.answers["channelback"] = body({"external_id": "reply"})
    zendesk.faults.add("channelback", Fault(dropped="after"))
    await zendesk.reply(zendesk.tickets[0], "Hello")
    assert zendesk.log.of("channelback")[-1].rules == set()


@pytest.mark.parametrize(
    "answer",
    [
        body({}, 401),
        body({}, 404),
        body({}, 500),
        lambda: RedirectResponse("https://evil.test/?p=1", 302),
    ],
    ids=["401", "404", "500", "elsewhere"],
)
async def test_a_link_that_leads_nowhere_is_noticed(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, answer: Callable[[], Response]
) -> None:
    """The last one goes to wherever the id says, which anyone may write."""
    integration.posts = [resource("https://evil.test/?p=1")]
    await zendesk.pull(account)
    integration.answers["clickthrough"] = answer
    await zendesk.click_through(zendesk.tickets[0].comments[0])
    assert "SVC-53" in zendesk.log.of("clickthrough")[-1].rules


@pytest.mark.parametrize(
    ("external_id", "targets"),
    [
        ("https://evil.test/?p=1", ["./like?to=https://evil.test/", "https://evil.test/?p=1"]),
        ("evil.test/post", ["https://evil.test/post"]),
        ("/evil.test/post", ["//evil.test/post"]),
        ("https%3A%2F%2Fevil.test%2F", ["https://evil.test/"]),
    ],
)
async def test_wherever_a_link_leads_in_the_end_is_looked_at(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, external_id: str, targets: list[str]
) -> None:
    """SVC-53."""
    integration.posts = [resource(external_id)]
    await zendesk.pull(account)
    for name, target in zip(("clickthrough", "like"), targets, strict=False):
        integration.answers[name] = partial(RedirectResponse, target, 302)
    await zendesk.click_through(zendesk.tickets[0].comments[0])
    assert zendesk.log.of("clickthrough")[-1].rules == {"SVC-53"}


@pytest.mark.parametrize(
    "target", ["https://origin.test/post-1", "./like", "https://origin.test/?id=evil.test"]
)
async def test_a_link_to_the_origin_is_well(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, target: str
) -> None:
    integration.posts = [resource("evil.test")]
    await zendesk.pull(account)
    integration.answers["clickthrough"] = lambda: RedirectResponse(target, 302)
    await zendesk.click_through(zendesk.tickets[0].comments[0])
    assert not any(exchange.remarks for exchange in zendesk.log.of("clickthrough"))


@pytest.mark.parametrize(
    ("endpoint", "document", "rule"),
    [
        ("manifest", None, "SVC-01"),
        ("admin_ui", "<form></form>", "SVC-13"),
        ("admin_ui_2", POST_FORM, "SVC-13"),
        ("pull", '{"external_resources": []}', "SVC-27"),
        ("channelback", '{"external_id": "reply-1"}', "SVC-47"),
        ("like", '{"liked": true}', "SVC-61"),
    ],
)
@pytest.mark.parametrize("kind", ["text/plain", "APPLICATION/JSON ; charset=utf-8", "Text/HTML"])
async def test_an_answer_says_what_it_is(
    integration: ScriptedIntegration, endpoint: str, document: str | None, rule: str, kind: str
) -> None:
    integration.posts = [resource("post-1")]
    document = document or json.dumps(integration.manifest | {"urls": integration.urls})
    right = "text/html" if endpoint.startswith("admin_ui") else "application/json"
    async with Zendesk(MANIFEST_URL, integration.app, clock=FakeClock()) as zendesk:
        account = await zendesk.add_account("Main")
        await zendesk.pull(account)
        zendesk.log.entries.clear()
        integration.answers[endpoint] = lambda: Response(document, headers={"content-type": kind})
        if endpoint == "admin_ui":
            with suppress(HandshakeError):
                await zendesk.edit_account(account)
        elif endpoint == "admin_ui_2":
            await zendesk.edit_account(account, name="Main")
        await zendesk.refresh_manifest()
        await zendesk.pull(account)
        await zendesk.reply(zendesk.tickets[0], "Hello")
        async with httpx2.AsyncClient(transport=InProcess(zendesk)) as app:
            query = {"ticket_id": str(zendesk.tickets[0].id), "post_to_path": "like"}
            await app.post(f"{zendesk.settings.address}/api/v2/any_channel/proxy.json", params=query, json={})
        told = [
            remark
            for exchange in zendesk.log.entries
            for remark in exchange.remarks
            if remark.refused is False
        ]
    is_right = kind.partition(";")[0].strip().lower() == right
    assert {rule for remark in told for rule in remark.rules} == (set() if is_right else {rule})


async def test_an_event_endpoint_that_does_not_answer_is_noticed(zendesk: Zendesk, account: Account) -> None:
    zendesk.faults.add("event_callback", Fault(delay=60))
    await zendesk.deactivate(account)
    assert "SVC-54" in zendesk.log.of("event_callback")[-1].rules


async def test_a_form_that_forgets_what_the_account_is_called_is_noticed(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    integration.answers["admin_ui"] = page(POST_FORM)
    await zendesk.edit_account(account, name="Main")
    assert "SVC-17" in zendesk.log.of("admin_ui")[-1].rules


@pytest.mark.parametrize(
    ("rule", "changes"),
    [("SVC-02", {"id": "another", "version": "2"}), ("SVC-08", {"create_followup_tickets": False})],
)
async def test_a_manifest_that_changes_as_it_must_not_is_noticed(
    integration: ScriptedIntegration, zendesk: Zendesk, rule: str, changes: dict[str, Any]
) -> None:
    """Another id is another integration; and without another version nobody notices."""
    integration.manifest |= changes
    await zendesk.refresh_manifest()
    assert rule in zendesk.log.of("manifest")[-1].rules


async def test_what_only_the_documentation_forbids_is_remarked(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """Zendesk's published schemas let unknown keys pass; a strict sandbox does not."""
    integration.posts = [resource("post-1", mood="good")]
    assert (await zendesk.pull(account)).error is None
    (remark,) = zendesk.log.of("pull")[0].remarks
    assert (remark.pointer, remark.refused) == ("/external_resources/0/mood", False)
    zendesk.settings.published_schemas = False
    assert (await zendesk.pull(account)).error


async def test_a_refusal_says_where_and_how_to_mend_it(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    integration.posts = [resource("post-1"), resource("post-2") | {"message": ""}]
    await zendesk.pull(account)
    (remark,) = zendesk.log.of("pull")[0].remarks
    assert remark.pointer == "/external_resources/1/message"
    assert remark.remedy
    assert json.dumps(remark.rules) == '["SVC-35", "SVC-37"]'
