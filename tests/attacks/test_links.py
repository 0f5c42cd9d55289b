"""Where answers lead: click-throughs to the origin's own pages alone (SVC-53), and nothing to whom a header names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from acme_reviews.origin import Origin
from attacked import ORIGIN, opening

if TYPE_CHECKING:
    from attacked import Attacked

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVIL = "evil.example"

ADDRESSES = {
    "nothing": "",
    "a space": " ",
    "another host": f"https://{EVIL}/",
    "no scheme": f"//{EVIL}/",
    "a path": "/posts/1",
    "backslashes": f"\\\\{EVIL}\\",
    "a backslash in the path": f"{ORIGIN}/\\{EVIL}",
    "http": f"{ORIGIN}/posts/1".replace("https", "http"),
    "script": "javascript:alert(1)",
    "data": "data:text/html,<script>alert(1)</script>",
    "host as a user": f"{ORIGIN}@{EVIL}/",
    "host as user and password": f"{ORIGIN}:443@{EVIL}/",
    "host in front": f"{ORIGIN}.{EVIL}/",
    "host as a path": f"https://{EVIL}/origin.example",
    "a port": f"{ORIGIN}:8443/",
    "a trailing dot": f"{ORIGIN}./",
    "a host below": "https://evil.origin.example/",
    "a tab in the scheme": f"java\tscript:{EVIL}",
    "a header": f"https://{EVIL}/\r\nLocation: https://{EVIL}/",
    "half an address of IPv6": "https://[::1",
    "a host in capitals of another script": "https://or\u0131gin.example/",
}
"""What an origin whose ids are addresses is asked to open."""

PAGES = ("/channel/manifest", "/channel/admin_ui", "/channel/clickthrough")
HEADERS = {
    "Host": EVIL,
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Server": EVIL,
    "X-Forwarded-Proto": f"http://{EVIL}",
    "X-Forwarded-Port": f"80@{EVIL}",
    "X-Forwarded-Prefix": f"//{EVIL}",
    "X-Forwarded-For": EVIL,
    "Forwarded": f"for=1;host={EVIL};proto=http",
    "X-Original-URL": f"https://{EVIL}/metrics",
    "X-Rewrite-URL": f"https://{EVIL}/metrics",
    "X-Host": EVIL,
    "X-HTTP-Method-Override": f"DELETE {EVIL}",
    "Origin": f"https://{EVIL}",
    "Referer": f"https://{EVIL}/",
}


@pytest.mark.parametrize("external_id", ADDRESSES.values(), ids=ADDRESSES)
async def test_a_click_leads_to_the_origin_or_nowhere(attacked: Attacked, external_id: str) -> None:
    answer = await attacked.http.get("/channel/clickthrough", params={"external_id": external_id})

    assert answer.status_code == (404 if external_id else 400)
    assert "location" not in answer.headers
    assert EVIL not in answer.text


@pytest.mark.parametrize("external_id", ADDRESSES.values(), ids=ADDRESSES)
async def test_ids_stay_within_their_part_of_the_demonstrations_addresses(
    attacked: Attacked, external_id: str
) -> None:
    origin = Origin(attacked.http)
    (site,) = origin.link_origins
    address = origin.permalink(external_id)
    assert address
    assert re.fullmatch(rf"{re.escape(site)}/posts/[\w.~%-]+", address)


@pytest.mark.parametrize("address", [f"{ORIGIN}/posts/1", f"{ORIGIN}/?id=1#end"])
async def test_a_click_leads_to_the_post(attacked: Attacked, address: str) -> None:
    answer = await attacked.http.get("/channel/clickthrough", params={"external_id": address})
    assert (answer.status_code, answer.headers["location"]) == (302, address)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("header", "value"), HEADERS.items())
async def test_no_header_changes_an_answer(attacked: Attacked, header: str, value: str, page: str) -> None:
    answers = []
    for headers in ({}, {header: value}):
        method = "POST" if page.endswith("admin_ui") else "GET"
        params = {"external_id": f"{ORIGIN}/posts/1"} if page.endswith("clickthrough") else {}
        data = opening("acme") if method == "POST" else None
        answer = await attacked.http.request(method, page, params=params, data=data, headers=headers)
        secrets = r"nonce[-=][\"']?[\w-]+|ey[\w.-]+|\.eJ[\w.-]+|(?<='content-length', ')\d+"
        told = re.sub(secrets, "", f"{sorted(answer.headers.items())}{answer.text}")
        answers.append((answer.status_code, told))
    assert answers[0] == answers[1]
    assert EVIL not in answers[1][1]
