"""`sandbox/zendesk/admin.py`: accounts are added and edited through the service's own pages."""

import re
from collections.abc import Callable
from html import escape

import httpx2
import pytest
from sandbox.zendesk import Account, FakeClock, HandshakeError, Settings, Zendesk
from sandbox.zendesk.framing import framing_remarks
from scripted_integration import MANIFEST_URL, ScriptedIntegration
from starlette.responses import HTMLResponse, RedirectResponse, Response

RETURN_URL = "https://acme.zendesk.com/zendesk/channels/integration_service_instances/editor_finalizer"


@pytest.fixture
def push(integration: ScriptedIntegration) -> None:
    integration.manifest["push_client_id"] = "zdg-scripted"


async def test_the_form_is_opened_by_a_form_post(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-07, ZEN-08: on create, name, metadata and state are there and empty."""
    first = next(request for request in integration.requests if request[1] == "/channel/admin_ui")
    assert first[0] == "POST"
    assert first[3].startswith("application/x-www-form-urlencoded")
    assert integration.opened == [
        {
            "return_url": RETURN_URL,
            "subdomain": "acme",
            "locale": "en-US",
            "name": "",
            "metadata": "",
            "state": "",
        }
    ]
    assert (account.name, account.metadata, account.state) == ("Main", "secret-1", "")


async def test_a_service_on_zendesks_own_origin_is_refused(integration: ScriptedIntegration) -> None:
    """ZEN-07: the frame shows another origin, or neither side is protected."""
    settings = Settings(address="https://integration.test")
    async with Zendesk(MANIFEST_URL, integration.app, settings=settings) as zendesk:
        with pytest.raises(HandshakeError, match="own origin"):
            await zendesk.add_account("Main")


async def test_an_edit_brings_what_the_account_has(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-08."""
    account.state = "page 7"
    assert await zendesk.edit_account(account, name="Second") is account
    opened = integration.opened[-1]
    assert (opened["name"], opened["metadata"], opened["state"]) == ("Main", "secret-1", "page 7")
    assert (account.name, account.state) == ("Second", "page 7")


async def test_without_a_push_client_no_credentials_are_handed_out(
    integration: ScriptedIntegration, account: Account
) -> None:
    """ZEN-09."""
    assert not {"instance_push_id", "zendesk_access_token"} & integration.opened[0].keys()


@pytest.mark.usefixtures("push")
async def test_push_credentials_come_with_every_opening(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-09, ZEN-10: the token is fresh each time, the push id stays."""
    await zendesk.edit_account(account)
    create, edit = integration.opened
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", create["instance_push_id"])
    assert re.fullmatch(r"[0-9a-f]{64}", create["zendesk_access_token"])
    assert create["instance_push_id"] == edit["instance_push_id"] == account.push_id
    assert create["zendesk_access_token"] != edit["zendesk_access_token"]


@pytest.mark.parametrize(("returned", "kept"), [({}, "page 7"), ({"state": "page 1"}, "page 1")])
async def test_a_state_stays_unless_the_form_returns_one(
    integration: ScriptedIntegration,
    zendesk: Zendesk,
    account: Account,
    returned: dict[str, str],
    kept: str,
) -> None:
    """ZEN-11: the metadata is replaced."""
    account.state = "page 7"
    integration.returned = {"metadata": "secret-2"} | returned
    await zendesk.edit_account(account)
    assert (account.metadata, account.state) == ("secret-2", kept)


@pytest.mark.usefixtures("push")
@pytest.mark.parametrize("voided", [True, False])
async def test_whether_an_edit_voids_the_old_token_is_a_setting(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, voided: bool
) -> None:
    """ZEN-10."""
    zendesk.settings.edit_voids_old_token = voided
    await zendesk.edit_account(account)
    first = integration.opened[0]["zendesk_access_token"]
    assert zendesk.tokens.owner(f"Bearer {first}") == (None if voided else account.push_id)


@pytest.mark.parametrize(
    ("returned", "pointer"),
    [
        ({}, "metadata is missing|metadata"),
        ({"metadata": "m" * 5001}, "/metadata"),
        ({"metadata": "m", "state": "s" * 5001}, "/state"),
    ],
)
async def test_what_returns_is_checked(
    integration: ScriptedIntegration, zendesk: Zendesk, returned: dict[str, str], pointer: str
) -> None:
    """ZEN-11."""
    integration.returned = returned
    with pytest.raises(HandshakeError, match=pointer):
        await zendesk.add_account("Main")
    assert zendesk.accounts == []
    assert zendesk.log.of("return_url")[0].status == 422
    assert zendesk.log.of("return_url")[0].rules & {"SVC-18", "SVC-19"}


async def test_an_account_needs_a_name(zendesk: Zendesk) -> None:
    """ZEN-11."""
    with pytest.raises(HandshakeError, match="/name"):
        await zendesk.add_account("")


async def test_the_longest_metadata_and_state_pass(
    integration: ScriptedIntegration, zendesk: Zendesk
) -> None:
    """ZEN-11: 5,000 characters, whichever they are."""
    text = ('{"k": "ü\n&=%+#\'"}' * 400)[:5000]
    integration.returned = {"metadata": text, "state": "s" * 5000}
    account = await zendesk.add_account("Main & <Co>")
    assert (account.name, account.metadata, account.state) == ("Main & <Co>", text, "s" * 5000)


async def test_a_return_without_an_open_form_is_refused(zendesk: Zendesk, account: Account) -> None:
    """ZEN-11: one form makes one account."""
    refused = await zendesk.admin.take_return(b"name=Twice&metadata=m")
    assert refused[0].refused
    assert [each.name for each in zendesk.accounts] == ["Main"]


async def test_typing_fills_the_services_own_fields(
    integration: ScriptedIntegration, zendesk: Zendesk
) -> None:
    """ZEN-12: the forms are followed as a browser follows them."""
    await zendesk.add_account("Main", key="password-1")
    second = next(request for request in integration.requests if request[1] == "/channel/admin_ui_2")
    assert b"name=Main&key=password-1" in second[2]


async def test_a_redirect_between_pages_is_followed(
    integration: ScriptedIntegration, zendesk: Zendesk
) -> None:
    """ZEN-12."""
    form = f'<form method=post action="{RETURN_URL}"><input name=name><textarea name=metadata>m</textarea></form>'
    integration.answers["admin_ui_2"] = lambda: RedirectResponse("./clickthrough", 303)
    integration.answers["clickthrough"] = lambda: HTMLResponse(form)
    assert (await zendesk.add_account("Main")).metadata == "m"


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(302, "GET", b""), (303, "GET", b""), (307, "POST", b"name=Main"), (308, "POST", b"name=Main")],
)
async def test_a_redirect_keeps_the_method_or_does_not(
    integration: ScriptedIntegration, zendesk: Zendesk, status: int, method: str, body: bytes
) -> None:
    """ZEN-12: as in a browser."""
    form = f'<form method=post action="{RETURN_URL}"><input name=name><input name=metadata value=m></form>'
    integration.answers["admin_ui_2"] = lambda: RedirectResponse("./clickthrough", status)
    integration.answers["clickthrough"] = lambda: HTMLResponse(form)
    await zendesk.add_account("Main")
    request = next(request for request in integration.requests if request[1] == "/channel/clickthrough")
    assert request[0] == method
    assert request[2][: len(body) or 1] == body


async def test_a_form_may_ask_by_get(integration: ScriptedIntegration, zendesk: Zendesk) -> None:
    """ZEN-12: its fields then are the query."""
    pages = [
        '<form action="/channel/clickthrough?old=1"><input name=name><input name=shop></form>',
        f'<form method=post action="{RETURN_URL}"><input name=name><input name=metadata value=m></form>',
    ]
    integration.answers["admin_ui"] = lambda: HTMLResponse(pages[0])
    integration.answers["clickthrough"] = lambda: HTMLResponse(pages[1])
    await zendesk.add_account("Main", shop="a&b")
    assert integration.requests[-2][:2] == ("GET", "/channel/clickthrough?name=Main&shop=a%26b")


async def test_a_field_that_no_page_has_is_an_error(zendesk: Zendesk) -> None:
    """ZEN-12."""
    with pytest.raises(HandshakeError, match="shop"):
        await zendesk.add_account("Main", shop="1")


async def test_what_the_service_rejects_is_told_in_its_own_words(
    integration: ScriptedIntegration, zendesk: Zendesk
) -> None:
    """ZEN-12."""
    page = '<p>This password is wrong.</p><form method=post action="/channel/admin_ui_2"><input name=name></form>'
    integration.answers["admin_ui"] = integration.answers["admin_ui_2"] = lambda: HTMLResponse(page)
    with pytest.raises(HandshakeError, match="This password is wrong"):
        await zendesk.add_account("Main")


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({"x-frame-options": "DENY"}, False),
        ({"x-frame-options": "SAMEORIGIN"}, False),
        ({"content-security-policy": "default-src 'self'; frame-ancestors 'self'"}, False),
        ({"content-security-policy": "frame-ancestors 'none'"}, False),
        ({"content-security-policy": "frame-ancestors https://zendesk.com"}, False),
        ({"content-security-policy": "frame-ancestors"}, False),
        ({"content-security-policy": "frame-ancestors https://*.zendesk.com:8443"}, False),
        ({"content-security-policy": "frame-ancestors https://[bad"}, False),
        ({"content-security-policy": "frame-ancestors *, frame-ancestors 'none'"}, False),
        ({"content-security-policy": "frame-ancestors http://*.zendesk.com"}, True),
        ({"content-security-policy": "frame-ancestors *.zendesk.com"}, True),
        ({"content-security-policy": "frame-ancestors https://*.zendesk.com:*"}, True),
        ({"content-security-policy": "frame-ancestors https:"}, True),
        ({"content-security-policy": "frame-ancestors https://*.zendesk.com"}, True),
        ({"content-security-policy": "frame-ancestors https://acme.zendesk.com"}, True),
        ({"content-security-policy": "frame-ancestors *", "x-frame-options": "DENY"}, True),
        ({"content-security-policy": "default-src 'none'"}, True),
    ],
)
async def test_headers_that_keep_the_page_out_of_the_frame_are_reported(
    integration: ScriptedIntegration, zendesk: Zendesk, headers: dict[str, str], shown: bool
) -> None:
    """ZEN-12."""
    integration.admin_headers = headers
    if shown:
        await zendesk.add_account("Main")
        assert not zendesk.log.of("admin_ui")[0].remarks
    else:
        with pytest.raises(HandshakeError, match="SVC-14"):
            await zendesk.add_account("Main")
        assert zendesk.log.of("admin_ui")[0].rules == {"SVC-14"}


def test_a_wildcard_covers_names_below_it_alone() -> None:
    """ZEN-12."""
    headers = [("content-security-policy", "frame-ancestors https://*.zendesk.com")]
    assert list(framing_remarks(headers, "https://integration.test/", "https://notzendesk.com"))
    assert not list(framing_remarks(headers, "https://integration.test/", "https://acme.zendesk.com"))


@pytest.mark.parametrize(
    ("attributes", "rules"), [("; Secure; SameSite=None", set()), ("; HttpOnly", {"SVC-24"})]
)
async def test_a_cookie_that_stays_out_of_the_frame_is_reported(
    integration: ScriptedIntegration, zendesk: Zendesk, attributes: str, rules: set[str]
) -> None:
    """ZEN-12."""
    integration.admin_headers = {"set-cookie": f"session=1{attributes}"}
    await zendesk.add_account("Main")
    assert zendesk.log.of("admin_ui")[0].rules == rules


async def test_adding_an_account_is_an_event_and_editing_is_none(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-13."""
    await zendesk.edit_account(account, name="Second")
    assert integration.types() == ["create_integration", "create_integration_instance"]
    assert integration.events[1]["data"] == {"metadata": "secret-1"}


async def test_the_form_returns_over_http_as_well(integration: ScriptedIntegration) -> None:
    """ZEN-11: a browser's form ends at the same address."""
    async with (
        Zendesk(MANIFEST_URL, integration.app, clock=FakeClock()) as zendesk,
        zendesk.serving() as address,
        httpx2.AsyncClient(trust_env=False) as browser,
    ):
        editor = zendesk.admin.open()
        assert editor.fields["return_url"].startswith(address)
        answer = await browser.post(editor.fields["return_url"], data={"name": "Main", "metadata": "m"})
        assert (answer.status_code, zendesk.accounts[0].name) == (200, "Main")


@pytest.mark.parametrize("url", ["http://[bad", "http://integration.test:port/", "/\x00"])
@pytest.mark.parametrize("answer", ["redirect", "form"])
async def test_an_address_that_is_none_ends_the_handshake(
    integration: ScriptedIntegration, zendesk: Zendesk, url: str, answer: str
) -> None:
    """ZEN-12."""
    form = HTMLResponse(f"<form method=post action='{url}'></form>")
    redirect = Response(status_code=303, headers={"location": url})
    integration.answers["admin_ui"] = lambda: form if answer == "form" else redirect
    with pytest.raises(HandshakeError):
        await zendesk.add_account("Main")


@pytest.mark.parametrize("value", ["ALLOWALL", "ALLOW-FROM https://acme.zendesk.com"])
async def test_a_header_that_browsers_overlook_keeps_no_page_out(
    integration: ScriptedIntegration, zendesk: Zendesk, value: str
) -> None:
    """ZEN-12: as older services send it."""
    integration.admin_headers = {"x-frame-options": value}
    assert await zendesk.add_account("Main")


def returning(value: str, metadata: str = "value='m'") -> Callable[[], Response]:
    """A form that returns, with a name whose attribute is written like this."""
    fields = f"<input type=hidden name=name {value}><input type=hidden name=metadata {metadata}>"
    return lambda: HTMLResponse(f"<form method=post action='{RETURN_URL}'>{fields}</form>")


@pytest.mark.parametrize(
    ("typed", "attribute", "kept"),
    [
        ('Joe "The" Cook', 'value="Joe "The" Cook"', "Joe "),
        ("Joe's", "value='Joe's'", "Joe"),
        ("Main street", "value=Main street", "Main"),
        ("R&amp;D", 'value="R&amp;D"', "R&D"),
        ("A & B", 'value="A &amp;amp; B"', "A &amp; B"),
        ("A <b>B", 'value="A B"', "A B"),
    ],
)
async def test_a_name_that_was_not_escaped_is_seen(
    integration: ScriptedIntegration, zendesk: Zendesk, typed: str, attribute: str, kept: str
) -> None:
    """SVC-20: what came back stands, and nobody is blamed for it when the form opens again."""
    integration.answers["admin_ui_2"] = returning(attribute)
    account = await zendesk.add_account(typed)
    assert account.name == kept
    assert zendesk.log.of("admin_ui")[-1].rules == {"SVC-20"}
    integration.answers["admin_ui_2"] = returning(f"value='{escape(kept)}'")
    await zendesk.edit_account(account)
    assert all(not exchange.remarks for exchange in zendesk.log.entries[-3:])


@pytest.mark.parametrize(
    "attribute", ["value='Main &amp; Co'", "value='Main &amp; Co, London'", "value=' Main  &amp; Co'"]
)
async def test_a_name_may_be_another_than_was_typed(
    integration: ScriptedIntegration, zendesk: Zendesk, attribute: str
) -> None:
    """SVC-20: a service may have its own mind."""
    integration.answers["admin_ui_2"] = returning(attribute)
    await zendesk.add_account("Main & Co")
    assert not any(exchange.rules for exchange in zendesk.log.entries)


async def test_metadata_that_lost_its_end_is_seen(integration: ScriptedIntegration, zendesk: Zendesk) -> None:
    """SVC-20."""
    integration.returned = {"metadata": '{"shop": "it\'s"}'}
    account = await zendesk.add_account("Main")
    integration.answers["admin_ui_2"] = returning("value='Main'", 'value=\'{"shop": "it\'s"}\'')
    await zendesk.edit_account(account)
    (remark,) = zendesk.log.of("admin_ui")[-1].remarks
    assert (remark.pointer, remark.rules, remark.refused) == ("/metadata", ("SVC-20",), False)


async def test_a_name_that_nobody_can_type_is_the_services_own(
    integration: ScriptedIntegration, zendesk: Zendesk
) -> None:
    """ZEN-12."""
    integration.answers["admin_ui"] = returning("value='Town square'")
    assert (await zendesk.add_account("Main")).name == "Town square"
    assert not any(exchange.remarks for exchange in zendesk.log.entries)


@pytest.mark.parametrize(
    "page",
    [
        "<div id=root></div><script src=app.js></script>",
        "<form action='javascript:save()'><input name=name></form><script>save = 1</script>",
    ],
)
async def test_a_form_that_a_script_builds_is_left_to_browsers(
    integration: ScriptedIntegration, zendesk: Zendesk, page: str
) -> None:
    """ZEN-12: it breaks no rule."""
    integration.answers["admin_ui"] = lambda: HTMLResponse(page)
    with pytest.raises(HandshakeError, match="Open it in a browser"):
        await zendesk.add_account("Main")
    (remark,) = zendesk.log.of("admin_ui")[0].remarks
    assert (remark.rules, remark.refused) == ((), False)
    assert "browser" in remark.remedy
