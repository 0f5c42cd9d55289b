"""Where the admin's browser may be sent, and which account of Zendesk a form may name (SVC-21)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attacked import hidden, opening

if TYPE_CHECKING:
    from attacked import Attacked

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/zendesk/channels/integration_service_instances/editor_finalizer"

RETURN_URLS = {
    "nothing": "",
    "a space": " ",
    "no scheme": f"acme.zendesk.com{PATH}",
    "scheme of the page": f"//acme.zendesk.com{PATH}",
    "a path alone": PATH,
    "http": f"http://acme.zendesk.com{PATH}",
    "http and port 443": f"http://acme.zendesk.com:443{PATH}",
    "ftp": f"ftp://acme.zendesk.com{PATH}",
    "websocket": f"wss://acme.zendesk.com{PATH}",
    "script": "javascript:alert(1)",
    "script in capitals": "JaVaScRiPt:alert(1)",
    "script with the host": "javascript://acme.zendesk.com/%0aalert(1)",
    "script behind a tab": "java\tscript:alert(1)",
    "script behind a control character": "\x01javascript:alert(1)",
    "data": "data:text/html,<script>alert(1)</script>",
    "blob": "blob:https://acme.zendesk.com/1",
    "file": "file:///etc/passwd",
    "view-source": f"view-source:https://acme.zendesk.com{PATH}",
    "two schemes": f"https:https://acme.zendesk.com{PATH}",
    "scheme without slashes": f"https:acme.zendesk.com{PATH}",
    "one slash": f"https:/acme.zendesk.com{PATH}",
    "three slashes": f"https:///acme.zendesk.com{PATH}",
    "four slashes": f"https:////acme.zendesk.com{PATH}",
    "backslashes": f"https:\\\\acme.zendesk.com{PATH}",
    "slash and backslash": f"https:/\\acme.zendesk.com{PATH}",
    "backslash before the host": f"https://evil.example\\@acme.zendesk.com{PATH}",
    "backslash behind the host": "https://acme.zendesk.com\\.evil.example/",
    "backslash in the path": "https://acme.zendesk.com/\\evil.example",
    "another host": f"https://evil.example{PATH}",
    "another account": f"https://umbrella.zendesk.com{PATH}",
    "Zendesk itself": f"https://zendesk.com{PATH}",
    "www": f"https://www.zendesk.com{PATH}",
    "below the account": f"https://evil.acme.zendesk.com{PATH}",
    "host in front": f"https://acme.zendesk.com.evil.example{PATH}",
    "host glued to another": f"https://acme.zendesk.comevil.example{PATH}",
    "letters in front": f"https://evilacme.zendesk.com{PATH}",
    "hyphen in front": f"https://evil-acme.zendesk.com{PATH}",
    "another top level": f"https://acme.zendesk.co{PATH}",
    "dash for dot": f"https://acme-zendesk.com{PATH}",
    "host as a path": f"https://evil.example/acme.zendesk.com{PATH}",
    "host as a query": "https://evil.example/?acme.zendesk.com",
    "host as a fragment": "https://evil.example/#acme.zendesk.com",
    "host as a user": f"https://acme.zendesk.com@evil.example{PATH}",
    "host as user and password": f"https://acme.zendesk.com:443@evil.example{PATH}",
    "user before the host": f"https://evil.example@acme.zendesk.com{PATH}",
    "empty user": f"https://@acme.zendesk.com{PATH}",
    "user and password": f"https://a:b@acme.zendesk.com{PATH}",
    "escaped at sign": f"https://acme.zendesk.com%40evil.example{PATH}",
    "escaped slash": "https://evil.example%2f@acme.zendesk.com/",
    "escaped hash": "https://evil.example%23.acme.zendesk.com/",
    "escaped dot": f"https://acme%2ezendesk.com{PATH}",
    "escaped letter": f"https://%61cme.zendesk.com{PATH}",
    "escaped NUL": "https://acme.zendesk.com%00.evil.example/",
    "a port": f"https://acme.zendesk.com:8443{PATH}",
    "port 443": f"https://acme.zendesk.com:443{PATH}",
    "port 0": f"https://acme.zendesk.com:0{PATH}",
    "empty port": f"https://acme.zendesk.com:{PATH}",
    "a port of letters": f"https://acme.zendesk.com:port{PATH}",
    "trailing dot": f"https://acme.zendesk.com.{PATH}",
    "two dots": f"https://acme..zendesk.com{PATH}",
    "leading dot": f"https://.acme.zendesk.com{PATH}",
    "address": f"https://127.0.0.1{PATH}",
    "address as a number": f"https://2130706433{PATH}",
    "address of IPv6": f"https://[::1]{PATH}",
    "half an address of IPv6": f"https://[acme.zendesk.com{PATH}",
    "host in brackets": f"https://[acme.zendesk.com]{PATH}",
    "Cyrillic letter": f"https://\u0430cme.zendesk.com{PATH}",
    "punycode of a Cyrillic letter": f"https://xn--cme-6cd.zendesk.com{PATH}",
    "full-width letter": f"https://\uff41cme.zendesk.com{PATH}",
    "full-width slash": "https://evil.example\uff0facme.zendesk.com/",
    "ideographic full stop": f"https://acme\u3002zendesk.com{PATH}",
    "soft hyphen": f"https://ac\u00adme.zendesk.com{PATH}",
    "no-break space": f"https://acme.zendesk.com\u00a0{PATH}",
    "line end": f"https://acme.zendesk.com\r\n.evil.example{PATH}",
    "tab in the host": f"https://evil.example\t.acme.zendesk.com{PATH}",
    "leading space": f" https://acme.zendesk.com{PATH}",
    "trailing space": f"https://acme.zendesk.com{PATH} ",
    "line end before the scheme": f"\nhttps://acme.zendesk.com{PATH}",
    "direction of writing": f"https://\u202eacme.zendesk.com{PATH}",
}

SUBDOMAINS = {
    "nothing": "",
    "a space": " ",
    "a slash": "evil.example/",
    "a slash and a query": "evil.example/?",
    "a hash": "evil.example#",
    "a question mark": "evil.example?",
    "a backslash": "evil.example\\",
    "an at sign": "acme@evil.example",
    "a host before an at sign": "evil.example@acme",
    "a colon": "acme:443",
    "a port and an at sign": "acme:80@evil",
    "a dot": "acme.evil",
    "the whole host": "acme.zendesk.com",
    "a trailing dot": "acme.",
    "a leading dot": ".acme",
    "two dots": "..",
    "a star": "*",
    "a leading hyphen": "-acme",
    "an underscore": "ac_me",
    "an escaped slash": "evil.example%2f",
    "an escaped NUL": "acme%00",
    "a line end": "acme\n",
    "two line ends": "acme\r\n\r\n",
    "a header": "acme\r\nSet-Cookie: a=b",
    "a tab": "ac\tme",
    "a space inside": "ac me",
    "another scheme": "javascript:alert(1)//",
    "a Cyrillic letter": "\u0430cme",
    "a full-width letter": "\uff41cme",
    "the Kelvin sign": "\u212aacme",
    "a dotless i": "acm\u0131",
    "a template": "{{7*7}}",
    "64 characters": "a" * 64,
}


@pytest.mark.parametrize("return_url", RETURN_URLS.values(), ids=RETURN_URLS)
async def test_the_browser_is_sent_to_the_accounts_own_zendesk_alone(
    attacked: Attacked, return_url: str
) -> None:
    await _refused(attacked, opening("acme") | {"return_url": return_url})


@pytest.mark.parametrize("subdomain", SUBDOMAINS.values(), ids=SUBDOMAINS)
async def test_a_subdomain_is_one_label(attacked: Attacked, subdomain: str) -> None:
    await _refused(attacked, opening(subdomain))


@pytest.mark.parametrize("subdomain", ["acme", "ACME", "a", "0", "a-1", "a" * 63])
async def test_true_ones_are_taken(attacked: Attacked, subdomain: str) -> None:
    page = await attacked.http.post("/channel/admin_ui", data=opening(subdomain))
    assert page.status_code == 200
    assert hidden(page, "handshake")


async def _refused(attacked: Attacked, opened: dict[str, str]) -> None:
    page = await attacked.http.post("/channel/admin_ui", data=opened)
    assert page.status_code == 400
    assert "This page can only be opened from Zendesk." in page.text
    assert "<form" not in page.text
    assert "evil" not in page.text + str(page.headers)
    assert "alert(" not in page.text
