"""`sandbox/zendesk/exchanges.py`: secrets stay secret, however a service in any language writes them."""

import html
import json
import re
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from sandbox.zendesk import Account, HandshakeError, ReplyRefusedError, Zendesk
from sandbox.zendesk.exchanges import LONGEST_SHOWN
from sandbox.zendesk.har import har
from scripted_integration import ScriptedIntegration, resource
from starlette.responses import JSONResponse, RedirectResponse, Response

SECRET = """top/secret & <ü "'> ~* é日本 +=%"""

WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a URL": lambda text: quote(text, safe=""),
    "in a form": quote_plus,
    "in JSON": lambda text: json.dumps(text, ensure_ascii=False),
    "in JSON as ASCII": json.dumps,
    "in HTML": html.escape,
    "in HTML by Flask": lambda text: html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
}
WAYS_ELSEWHERE: dict[str, Callable[[str], str]] = {
    "in a form by a browser": lambda text: quote_plus(text).replace("~", "%7E").replace("%2A", "*"),
    "in a form by JavaScript": lambda text: quote(text, safe="~*'()!"),
    "in small letters": lambda text: re.sub("%..", lambda found: found[0].lower(), quote_plus(text)),
    "in JSON by PHP": lambda text: json.dumps(text).replace("/", "\\/"),
    "in JSON by Go": lambda text: (
        json.dumps(text, ensure_ascii=False)
        .replace("&", "\\u0026")
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
    ),
    "in JSON by .NET": lambda text: re.sub(
        r"\\u[0-9a-f]{4}", lambda found: "\\u" + found[0][2:].upper(), json.dumps(text)
    ),
    "in HTML by PHP": lambda text: html.escape(text).replace("&#x27;", "&#039;"),
    "in HTML by Rails": lambda text: html.escape(text).replace("&#x27;", "&#39;"),
    "in HTML by Pug": lambda text: html.escape(text, quote=False).replace('"', "&quot;"),
}


def shown(zendesk: Zendesk) -> str:
    """Everything that leaves the log as text."""
    return "\n".join([*map(zendesk.log.text_of, zendesk.log.entries), json.dumps(har(zendesk.log))])


@pytest.mark.parametrize("way", [*WAYS, *WAYS_ELSEWHERE])
async def test_a_secret_is_masked_in_whatever_way_it_is_written(zendesk: Zendesk, way: str) -> None:
    zendesk.log.hide(SECRET)
    masked = zendesk.log.masked(f"before {(WAYS | WAYS_ELSEWHERE)[way](SECRET)} after")
    assert "secret" not in masked
    assert (masked.split()[0], masked.split()[-1]) == ("before", "after")


async def test_a_shorter_secret_does_not_uncover_a_longer(zendesk: Zendesk) -> None:
    zendesk.log.hide("secret", "secret-and-more")
    assert zendesk.log.masked("secret-and-more, secret") == "(masked), (masked)"


async def test_metadata_that_is_refused_is_masked_as_well(
    integration: ScriptedIntegration, zendesk: Zendesk
) -> None:
    integration.returned = {"metadata": "hunter2" * 1000}
    with pytest.raises(HandshakeError):
        await zendesk.add_account("Main")
    assert "hunter2" not in shown(zendesk)


@pytest.mark.parametrize("endpoint", ["pull", "channelback"])
async def test_metadata_of_a_refused_answer_is_masked_as_well(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, endpoint: str
) -> None:
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    integration.answers[endpoint] = lambda: JSONResponse({"metadata": "hunter2", "external_id": 1})
    await zendesk.pull(account)
    await zendesk.reply(zendesk.tickets[0], "Hello")
    assert "hunter2" not in shown(zendesk)


async def test_metadata_with_a_status_of_failure_is_masked_as_well(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    answer = {"external_resources": [], "metadata": "hunter2"}
    integration.answers["pull"] = lambda: JSONResponse(answer, 503)
    await zendesk.pull(account)
    assert "hunter2" not in shown(zendesk)


async def test_a_remark_does_not_repeat_a_secret(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    integration.posts = [resource("post-1", created_at="secret-1")]
    await zendesk.pull(account)
    assert "secret-1" not in shown(zendesk)


async def test_a_failed_reply_does_not_show_a_secret(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """Agents read it on the comment; the log masks its beginning as well, where the end is cut off."""
    account.metadata = "s3cret" + "-" * 600
    zendesk.log.hide(account.metadata)
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    integration.answers["channelback"] = lambda: Response(f"wrong: {account.metadata}", 400)
    comment = await zendesk.reply(zendesk.tickets[0], "Hello")
    assert "s3cret" not in str(comment.error)


async def test_credentials_in_a_clickthrough_stay_out_of_the_log(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    integration.answers["clickthrough"] = lambda: RedirectResponse("https://x.test/?key=secret-1", 302)
    await zendesk.click_through(zendesk.tickets[0].comments[0])
    assert "secret-1" not in shown(zendesk)


async def test_a_closed_ticket_is_told_without_its_metadata(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    zendesk.tickets[0].status = "closed"
    with pytest.raises(ReplyRefusedError) as refused:
        await zendesk.reply(zendesk.tickets[0], "Hello")
    assert "secret-1" not in str(refused.value)


async def test_metadata_that_a_reply_brought_is_masked(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """Also where it was told first."""
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    integration.answers["channelback"] = lambda: JSONResponse({"external_id": "r", "metadata": "hunter2"})
    await zendesk.reply(zendesk.tickets[0], "Hello")
    await zendesk.pull(account)
    assert integration.pulled[-1]["metadata"] == ["hunter2"]
    assert "hunter2" not in shown(zendesk)


HEAVY: dict[str, tuple[str, str]] = {
    "a long one of special characters": ("&<é日 \"'" * 700, "&<é日 \"'" * 60_000),
    "one that nearly recurs": ("a&" * 2000 + "b", "a&" * 400_000),
    "one that nearly recurs, in URLs": ("a&" * 2000 + "b", "a%26" * 200_000),
    "one without a plain part": ("日&" * 2000, "日&" * 200_000),
    "one that Zendesk would refuse": ("é<" * 500_000, "é<" * 400_000),
    "one that is an entity's beginning": ("&#0" * 1000, "&#0" * 200_000),
}


@pytest.mark.parametrize("heavy", HEAVY)
async def test_no_message_holds_the_log_up(zendesk: Zendesk, heavy: str) -> None:
    """Whoever may send one request may send this one."""
    secret, text = HEAVY[heavy]
    zendesk.log.hide(secret)
    start = time.process_time()
    zendesk.log.body(text.encode())
    assert time.process_time() - start < 5


async def test_many_secrets_and_messages_are_searched_at_once(zendesk: Zendesk) -> None:
    zendesk.log.hide(*(f"{number:06} secret & more" * 40 for number in range(500)))
    for number in range(500):
        body = json.dumps({"message": "nothing of it " * 300, "metadata": f"known-{number}"}).encode()
        exchange = zendesk.log.open(
            "pull", "to service", zendesk.clock.now(), "POST", "https://a.test/", [], body
        )
        zendesk.log.close(exchange, 0)
    start = time.process_time()
    assert len(zendesk.log.containing("nothing of it")) == 500
    assert not zendesk.log.containing("known-499")
    assert time.process_time() - start < 5


async def test_a_long_secret_is_masked_to_its_end(zendesk: Zendesk) -> None:
    """So is one that the end of what is shown would halve."""
    secret = "s3cret & " * 500
    zendesk.log.hide(secret)
    for way in (WAYS | WAYS_ELSEWHERE).values():
        assert "s3cret" not in zendesk.log.masked(f"before {way(secret)} after {way(secret)}")
    assert "s3cret" not in zendesk.log.body(b"x" * (LONGEST_SHOWN - 100) + secret.encode() + b"y" * 100)
