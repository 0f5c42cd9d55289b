"""What app and page say to each other, line by line of `zaf_host.yaml`: our page without a client, our client elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
import yaml
from framed import frame_in
from playwright.async_api import Browser, Frame, Page, expect
from sandbox.browser import PATIENCE, at_localhost, listening, watched
from sandbox.serving import serving
from sandbox.zendesk import Ticket, Zendesk
from scripted_integration import ScriptedIntegration, resource
from starlette.responses import HTMLResponse

pytestmark = pytest.mark.asyncio(loop_scope="session")

HERE = Path(__file__).parents[1]
FACTS: dict[str, Any] = yaml.safe_load((HERE / "zaf_host.yaml").read_text("utf-8"))
LISTS = ("from_app", "to_app")
LINES = [name for name in FACTS if name not in LISTS] + [
    f"{name}: {line.get('key') or line.get('request') or ('error' if 'error' in line else 'result')}"
    for name in LISTS
    for line in FACTS[name]
]
OTHER_HOST = """
<!doctype html>
<meta charset="utf-8">
<body>
<script>
  const heard = [];
  addEventListener("message", ({ data, origin }) => heard.push({ ...JSON.parse(data), origin }));
  async function hear(wanted) {
    const begin = Date.now();
    while (Date.now() - begin < 60000) {
      const found = heard.find((each) => Object.entries(wanted).every(([name, value]) => each[name] === value));
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return null;
  }
  function say(message) {
    frames[0].postMessage(JSON.stringify(message), "*");
  }
</script>
<iframe src="APP/assets/client.html?origin=ORIGIN&app_guid=GUID"></iframe>
"""
"""Somebody else's page around an app of the client's."""


async def until(frame: Frame, expression: str) -> None:
    """Ask from outside: what waits inside of an app evaluates a text, which the policy of its pages forbids."""
    async with asyncio.timeout(PATIENCE / 1000):
        while not await frame.evaluate(expression):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@dataclass
class Stage:
    zendesk: Zendesk
    integration: ScriptedIntegration
    service: str
    ticket: Ticket
    page: Page
    app: Frame
    """Without a client, in our page."""
    other: Page
    client: Frame
    """With our client, in another page."""

    async def ask(self, message: dict[str, Any], wanted: dict[str, Any] | None = None) -> dict[str, Any]:
        found: dict[str, Any] = await self.app.evaluate(
            "([each, wanted]) => ask(each, wanted)", [message, wanted]
        )
        assert found is not None, f"Nothing was answered to {message}."
        return found

    async def hears(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """What the other page hears from our client."""
        found: dict[str, Any] = await self.other.evaluate("wanted => hear(wanted)", wanted)
        assert found is not None, f"Nothing came with {wanted}."
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(browser: Browser) -> AsyncIterator[Stage]:
    integration = ScriptedIntegration(
        posts=[resource("post-1", author={"external_id": "ada", "name": "Ada"})]
    )
    listener, url = listening("127.0.0.1")
    async with (
        serving(integration.app, listener),
        at_localhost(url) as zendesk,
        zendesk,
        watched(browser) as page,
    ):
        await zendesk.install(HERE / "apps" / "wire")
        await zendesk.pull(await zendesk.add_account("Main", key="password-1"))
        ticket = zendesk.tickets[0]
        await page.goto(f"{zendesk.settings.address}/agent/tickets/{ticket.id}")
        app = await frame_in(page)
        other = await page.context.new_page()
        own = f"{urlsplit(app.url).scheme}://{urlsplit(app.url).netloc}"
        html = OTHER_HOST.replace("APP", own).replace("ORIGIN", url).replace("GUID", "guid-1")
        integration.answers["clickthrough"] = lambda: HTMLResponse(html)
        await other.goto(f"{url}/channel/clickthrough")
        yield Stage(zendesk, integration, url, ticket, page, app, other, await frame_in(other))


# --- Where the app is, and whom it believes ---------------------------------------------------------------


async def iframe_url(stage: Stage) -> None:
    url = urlsplit(stage.app.url)
    assert url.path == "/assets/iframe.html"
    assert parse_qs(url.query)["origin"] == [stage.zendesk.settings.address]
    assert parse_qs(url.query)["app_guid"]
    own = f"{url.scheme}://{url.netloc}/assets/client.html"
    lacking = await stage.other.context.new_page()
    await lacking.goto(f"{own}?origin={stage.zendesk.settings.address}")
    assert await lacking.evaluate("client") is False
    await lacking.goto(f"{own}#origin={stage.zendesk.settings.address}&app_guid=a")
    assert await lacking.evaluate("Boolean(client)")
    await lacking.close()


async def allowed_origins(stage: Stage) -> None:
    for origin in ("http://localhost:1", "https://127.0.0.1", "https://acme.zendesk.com"):
        assert await said_to(stage, origin) == "", origin


async def refused_origin(stage: Stage) -> None:
    for origin in ("https://zendesk.com.evil.example", "https://evilzendesk.com", "http://acme.zendesk.com"):
        assert await said_to(stage, origin) == f"Invalid domain {origin}"


async def said_to(stage: Stage, origin: str) -> str:
    url = urlsplit(stage.client.url)
    alone = await stage.other.context.new_page()
    await alone.goto(f"{url.scheme}://{url.netloc}{url.path}?app_guid=a&origin={origin}")
    text = await alone.evaluate("document.body.innerText.trim()")
    await alone.close()
    return str(text)


async def must_match(stage: Stage) -> None:
    """A message from anywhere else is none: not from another window, not from another origin."""
    await stage.client.evaluate("client.on('odd', () => { window.heardOdd = true; })")
    await stage.client.evaluate("postMessage(JSON.stringify({key: 'zaf.odd'}), '*')")
    await stage.page.evaluate(
        "postMessage(JSON.stringify({id: 900, request: 'get', params: ['ticket.id']}), '*')"
    )
    await stage.ask({"id": 901, "request": "get", "params": ["ticket.id"]})
    assert await stage.client.evaluate("window.heardOdd") is None
    assert await stage.app.evaluate("heard.filter(each => each.id === 900)") == []


async def messages_are(stage: Stage) -> None:
    answer = await stage.ask({"id": 1, "request": "get", "params": ["ticket.id"]})
    assert answer["isText"] is True
    await stage.page.evaluate("frames[0].postMessage({}, '*')")
    await stage.app.evaluate("parent.postMessage('{', given.get('origin'))")
    await stage.app.evaluate("parent.postMessage('null', given.get('origin'))")
    assert (await stage.ask({"id": 2, "request": "get", "params": ["ticket.id"]}))["result"]


async def timeouts(stage: Stage) -> None:
    """After five minutes our client gives up."""
    alone = await stage.other.context.new_page()
    await alone.clock.install()
    await alone.goto(stage.other.url)
    frame = await frame_in(alone)
    await frame.evaluate("void client.get('ticket.id').catch((error) => { window.failed = error.message; })")
    await alone.clock.fast_forward(299_000)
    assert await frame.evaluate("window.failed") is None
    await alone.clock.fast_forward(2_000)
    assert await frame.evaluate("window.failed") == "Invocation request timeout"
    await alone.close()


# --- What an app says: as our client sends it, and what our page does -------------------------------------


async def handshake(stage: Stage) -> None:
    sent = await stage.hears({"key": "iframe.handshake"})
    assert isinstance(sent["message"]["version"], str)
    assert (sent["appGuid"], sent["instanceGuid"]) == ("guid-1", "guid-1")
    await stage.app.evaluate("heard.length = 0")
    await stage.ask({"key": "iframe.handshake", "message": {"version": "2.0"}}, {"key": "zaf.app.registered"})


async def on(stage: Stage) -> None:
    await registered(stage)
    await stage.client.evaluate("client.on('ticket.updated', window.first = () => {})")
    assert (await stage.hears({"key": "iframe.on:ticket.updated"}))["message"] == {"subscriberCount": 1}
    await subscribed(stage, "ticket.subject.changed", 1)
    stage.ticket.subject = "Another subject"
    stage.zendesk.changes.note()
    heard = await stage.app.evaluate("hear({key: 'zaf.ticket.subject.changed'})")
    assert heard["message"] == "Another subject"


async def off(stage: Stage) -> None:
    await registered(stage)
    await stage.client.evaluate(
        "client.on('noted', window.second = () => {}); client.off('noted', window.second)"
    )
    assert (await stage.hears({"key": "iframe.off:noted"}))["message"] == {"subscriberCount": 0}
    await subscribed(stage, "ticket.status.changed", 1)
    await stage.app.evaluate("say({key: 'iframe.off:ticket.status.changed', message: {subscriberCount: 0}})")
    await subscribed(stage, "ticket.updated", 1)
    await stage.app.evaluate("heard.length = 0")
    stage.zendesk.set_status(stage.ticket, "open")
    assert await stage.app.evaluate("hear({key: 'zaf.ticket.updated'})")
    assert await stage.app.evaluate("heard.filter(each => each.key === 'zaf.ticket.status.changed')") == []


async def trigger(stage: Stage) -> None:
    await registered(stage)
    await stage.client.evaluate("client.trigger('hello', {to: 'you'})")
    assert (await stage.hears({"key": "iframe.trigger:hello"}))["message"] == {"to": "you"}
    await subscribed(stage, "hello", 1)
    said = {"key": "iframe.trigger:hello", "message": 7}
    assert (await stage.ask(said, {"key": "zaf.hello"}))["message"] == 7


async def get(stage: Stage) -> None:
    await registered(stage)
    await stage.client.evaluate("void client.get(['a', 'b'])")
    assert (await stage.hears({"request": "get"}))["params"] == ["a", "b"]
    answer = await stage.ask({"id": 10, "request": "get", "params": ["ticket.id", "ticket.requester.name"]})
    assert answer["result"] == {"ticket.id": stage.ticket.id, "ticket.requester.name": "Ada", "errors": {}}


async def set_(stage: Stage) -> None:
    await registered(stage)
    await stage.client.evaluate("void client.set('ticket.subject', 'New')")
    assert (await stage.hears({"request": "set"}))["params"] == {"ticket.subject": "New"}
    answer = await stage.ask({"id": 11, "request": "set", "params": {"ticket.subject": "Newer"}})
    assert answer["result"] == {"ticket.subject": "Newer", "errors": {}}
    assert stage.ticket.subject == "Newer"


async def invoke(stage: Stage) -> None:
    await registered(stage)
    await stage.client.evaluate("void client.invoke('notify', 'Done', 'alert')")
    assert (await stage.hears({"request": "invoke"}))["params"] == {"notify": ["Done", "alert"]}
    resize = {"resize": [{"width": "50%", "height": "77px"}]}
    assert (await stage.ask({"id": 12, "request": "invoke", "params": resize}))["result"]["errors"] == {}
    assert await stage.page.locator("iframe.app").evaluate("frame => frame.style.height") == "77px"
    await stage.ask({"id": 13, "request": "invoke", "params": {"notify": ["<b>Well</b> done", "notice"]}})
    await expect(stage.page.get_by_role("status")).to_have_text("Well done")
    await stage.ask({"id": 14, "request": "invoke", "params": {"ticket.comment.appendText": ["By the app"]}})
    await expect(stage.page.get_by_label("Message")).to_have_value("By the app")


async def request_(stage: Stage) -> None:
    await registered(stage)
    options = {"url": "/a.json", "type": "POST", "contentType": "application/json", "data": "{}"}
    await stage.client.evaluate("options => void client.request(options)", options)
    await stage.client.evaluate("new Promise(requestAnimationFrame)")
    assert (
        await stage.other.evaluate("heard.find(each => each.key?.startsWith('request:')).message") == options
    )
    done = await stage.ask({"key": "request:5", "message": like(stage)}, {"key": "zaf.request:5.done"})
    assert done["message"]["responseArgs"][0] == {"liked": True}


def like(stage: Stage) -> dict[str, str]:
    query = f"ticket_id={stage.ticket.id}&post_to_path=./like"
    kind = {"contentType": "application/json", "type": "POST", "data": "{}"}
    return {"url": f"/api/v2/any_channel/proxy.json?{query}", **kind}


async def ignored(stage: Stage, key: str) -> None:
    """It wants no answer, and is no unknown message."""
    before = len(stage.zendesk.log.of("app"))
    await stage.app.evaluate("key => say({key})", key)
    await stage.ask({"id": 20, "request": "invoke", "params": {"resize": [{}]}})
    assert len(stage.zendesk.log.of("app")) == before
    await stage.app.evaluate("say({key: 'made.up'})")
    await stage.ask({"id": 21, "request": "get", "params": ["ticket.id"]})
    assert "none of the framework's" in str([each.remarks for each in stage.zendesk.log.of("app")])


# --- What the page says: as our page sends it, and what our client does -----------------------------------


async def registered(stage: Stage) -> None:
    """Let the other page be our client's host, if it is not yet."""
    message = {
        "metadata": {"appId": 1, "installationId": 2, "settings": {"region": "eu"}},
        "context": {"product": "support", "location": "nav_bar", "instanceGuid": "guid-1"},
    }
    await stage.other.evaluate("message => say({key: 'zaf.app.registered', message})", message)
    assert await stage.client.evaluate("client.metadata()") == message["metadata"]
    assert await stage.client.evaluate("client.context()") == message["context"]


async def app_registered(stage: Stage) -> None:
    await registered(stage)
    said = {"key": "iframe.handshake", "message": {"version": "2.0"}}
    message = (await stage.ask(said, {"key": "zaf.app.registered"}))["message"]
    app = stage.zendesk.state.apps[0]
    assert message["metadata"]["appId"] == message["metadata"]["installationId"] == app.id
    assert message["metadata"]["settings"] == {"title": "Wire", "region": "eu"}
    context = message["context"]
    assert (context["product"], context["location"]) == ("support", "ticket_sidebar")
    assert context["ticketId"] == stage.ticket.id
    assert context["instanceGuid"] == parse_qs(urlsplit(stage.app.url).query)["app_guid"][0]


async def app_activated(stage: Stage) -> None:
    await stage.ask({"key": "iframe.handshake", "message": {"version": "2"}}, {"key": "zaf.app.activated"})
    heard = await stage.app.evaluate("hear({key: 'zaf.app.activated'})")
    assert heard["message"] == {"firstLoad": True}


async def event(stage: Stage) -> None:
    await registered(stage)
    await stage.client.evaluate(
        "client.on('ticket.status.changed', (status) => { window.status_ = status; })"
    )
    await stage.other.evaluate("say({key: 'zaf.ticket.status.changed', message: 'solved'})")
    await until(stage.client, "window.status_ === 'solved'")
    await subscribed(stage, "ticket.status.changed", 1)
    await stage.app.evaluate("heard.length = 0")
    stage.zendesk.set_status(stage.ticket, "solved")
    heard = await stage.app.evaluate("hear({key: 'zaf.ticket.status.changed'})")
    assert heard["message"] == "solved"
    stage.zendesk.set_status(stage.ticket, "open")


async def result(stage: Stage) -> None:
    answer = await stage.ask({"id": 30, "request": "get", "params": ["ticket.id", "ticket.odd"]})
    error = {"name": "APINotFoundError", "message": "does not exist", "path": "ticket.odd"}
    assert answer["result"] == {"ticket.id": stage.ticket.id, "errors": {"ticket.odd": error}}
    assert "APINotFoundError" in str(stage.zendesk.log.of("app")[-1].remarks)
    await registered(stage)
    said = {"ticket.id": 7, "errors": {"ticket.odd": error}}
    assert await answered(stage, "client.get(['ticket.id', 'ticket.odd'])", {"result": said}) == said
    failed = await answered(stage, "client.get('ticket.odd')", {"result": said})
    assert failed == {"name": "APINotFoundError", "message": '"ticket.odd" does not exist'}


async def error(stage: Stage) -> None:
    stage.zendesk.state.tickets.remove(stage.ticket)
    answer = await stage.ask({"id": 40, "request": "get", "params": ["ticket.id"]})
    stage.zendesk.state.tickets.append(stage.ticket)
    assert answer["error"]["message"] == f"There is no ticket {stage.ticket.id}."
    await registered(stage)
    said = {"name": "APINotFoundError", "message": "no such thing"}
    assert await answered(stage, "client.get('ticket')", {"error": said}) == said


async def answered(stage: Stage, call: str, answer: dict[str, Any]) -> Any:
    """Let our client call, and the other page answer; what comes of it, or the error."""
    await stage.other.evaluate("heard.length = 0")
    caught = "(error) => ({name: error.name, message: error.message})"
    await stage.client.evaluate(f"window.outcome = {call}.catch({caught}); 0")
    asked = await stage.hears({"request": "get"})
    await stage.other.evaluate("answer => say(answer)", {"id": asked["id"], **answer})
    return await stage.client.evaluate("window.outcome")


async def done(stage: Stage) -> None:
    heard = await stage.ask({"key": "request:50", "message": like(stage)}, {"key": "zaf.request:50.done"})
    data, status, xhr = heard["message"]["responseArgs"]
    assert (data, status, xhr["status"]) == ({"liked": True}, "success", 200)
    assert await requested(stage, "done", [{"a": 1}, "success", {"status": 200}]) == {"a": 1}


async def fail(stage: Stage) -> None:
    asked = like(stage) | {"url": "/api/v2/none.json"}
    heard = await stage.ask({"key": "request:51", "message": asked}, {"key": "zaf.request:51.fail"})
    xhr, kind, text = heard["message"]["responseArgs"]
    assert (xhr["status"], kind, text) == (404, "error", xhr["statusText"])
    assert xhr["responseJSON"]["error"] == "InvalidEndpoint"
    assert "InvalidEndpoint" in xhr["responseText"]
    failed = {"status": 404, "responseText": "no"}
    assert await requested(stage, "fail", [failed, "error", "Not Found"]) == {"rejected": failed}


async def requested(stage: Stage, end: str, arguments: list[Any]) -> Any:
    await registered(stage)
    await stage.other.evaluate("heard.length = 0")
    call = "window.outcome = client.request('/a').catch((rejected) => ({rejected})); 0"
    await stage.client.evaluate(call)
    await stage.client.evaluate("new Promise(requestAnimationFrame)")
    key = await stage.other.evaluate("heard.find(each => each.key?.startsWith('request:')).key")
    message = {"key": f"zaf.{key}.{end}", "message": {"responseArgs": arguments}}
    await stage.other.evaluate("message => say(message)", message)
    return await stage.client.evaluate("window.outcome")


async def subscribed(stage: Stage, name: str, count: int) -> None:
    await stage.app.evaluate(
        "([key, subscriberCount]) => say({key, message: {subscriberCount}})", [f"iframe.on:{name}", count]
    )
    await stage.ask({"id": 60, "request": "invoke", "params": {"resize": [{}]}})


CHECKS: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "iframe_url": iframe_url,
    "allowed_origins": allowed_origins,
    "refused_origin": refused_origin,
    "must_match": must_match,
    "messages_are": messages_are,
    "timeouts": timeouts,
    "from_app: iframe.handshake": handshake,
    "from_app: iframe.on:<event>": on,
    "from_app: iframe.off:<event>": off,
    "from_app: iframe.trigger:<event>": trigger,
    "from_app: get": get,
    "from_app: set": set_,
    "from_app: invoke": invoke,
    "from_app: request:<n>": request_,
    "from_app: session.live": lambda stage: ignored(stage, "session.live"),
    "from_app: __track__": lambda stage: ignored(stage, "__track__"),
    "to_app: zaf.app.registered": app_registered,
    "to_app: zaf.app.activated": app_activated,
    "to_app: zaf.<event>": event,
    "to_app: result": result,
    "to_app: error": error,
    "to_app: zaf.request:<n>.done": done,
    "to_app: zaf.request:<n>.fail": fail,
}


@pytest.mark.parametrize("line", LINES)
async def test_page_and_client_keep_to_the_wire(line: str, stage: Stage) -> None:
    await CHECKS[line](stage)


async def test_an_app_registers_with_integration_services_by_the_admins_session(stage: Stage) -> None:
    """Also by the account's own address, which leads here and not out."""
    for number, host in enumerate(("", "https://acme.zendesk.com", stage.zendesk.settings.address)):
        name, key = f"acme_{number}", f"request:{100 + number}"
        options = {
            "url": f"{host}/api/services/zis/registry/{name}",
            "type": "POST",
            "contentType": "application/json",
            "data": '{"description": "By an app"}',
        }
        heard = await stage.ask({"key": key, "message": options}, {"key": f"zaf.{key}.done"})
        assert heard["message"]["responseArgs"][2]["status"] == 200
    assert [each.name for each in stage.zendesk.zis.zis.integrations] == ["acme_0", "acme_1", "acme_2"]


async def test_requests_leave_by_the_way_that_their_options_say(stage: Stage) -> None:
    stage.zendesk.apps.configure(stage.zendesk.state.apps[0], {"token": "hush-hush", "region": "eu 1"})
    file = f"{stage.service}/channel/files/a"

    async def sent(number: int, end: str, **options: Any) -> Any:
        key = f"request:{number}"
        heard = await stage.ask({"key": key, "message": options}, {"key": f"zaf.{key}.{end}"})
        return heard["message"]["responseArgs"][0]

    assert await sent(200, "done", url=file, data={"a": "1 2"}) == "file files/a"
    assert stage.integration.requests[-1][:2] == ("GET", "/channel/files/a?a=1+2")
    # The browser asks whether it may, and nobody says so.
    refused = await sent(201, "fail", url=file, cors=True)
    assert refused["status"] == 0
    headers = {"authorization": "Bearer {{setting.token}}"}
    url = f"{file}?region={{{{setting.region}}}}&x=%20"
    await sent(202, "done", url=url, headers=headers, secure=True, type="POST", data={"b": 2})
    method, path, body, kind = stage.integration.requests[-1]
    assert (method, path, body) == ("POST", "/channel/files/a?region=eu%201&x=%20", b"b=2")
    assert kind.startswith("application/x-www-form-urlencoded")
    outgoing = stage.zendesk.log.of("app_request")[-1]
    assert dict(outgoing.request_headers)["authorization"] == "Bearer hush-hush"
    whole = await sent(203, "done", url=file, httpCompleteResponse=True)
    assert (whole["status"], whole["responseText"]) == (200, "file files/a")
    stage.integration.answers["files/a"] = lambda: HTMLResponse("no", 503)
    failed = await sent(204, "fail", url=file)
    assert (failed["status"], failed["responseText"]) == (503, "no")
    failed = await sent(205, "fail", url="http://192.0.2.1/")
    assert failed["status"] == 403
    assert "proxyable" in failed["responseText"]


async def test_an_app_opens_a_modal_talks_with_it_and_hears_that_it_is_closed(
    stage: Stage, page: Page
) -> None:
    stage.zendesk.state.apps[0].places["ticket_sidebar"] = "assets/client.html"
    await page.goto(f"{stage.zendesk.settings.address}/agent/tickets/{stage.ticket.id}")
    app = await frame_in(page)
    made = await app.evaluate(
        "client.invoke('instances.create', {location: 'modal', url: 'assets/client.html', size: {height: '99px'}})"
    )
    (context,) = made["instances.create"]
    assert (context["location"], context["ticketId"]) == ("modal", stage.ticket.id)
    inside = page.get_by_role("dialog").locator("iframe")
    await expect(inside).to_have_css("height", "99px")
    element = await inside.element_handle()
    modal = await element.content_frame() if element else None
    assert modal is not None
    await until(modal, "Boolean(window.client)")
    assert (await modal.evaluate("client.context()"))["location"] == "modal"
    assert await modal.evaluate("client.get('ticket.id')") == {"ticket.id": stage.ticket.id, "errors": {}}
    await modal.evaluate("client.on('hello', (said) => { window.said = said; })")
    await modal.evaluate("client.get('ticket.id')")
    assert len((await app.evaluate("client.get('instances')"))["instances"]) == 2
    await app.evaluate(
        "guid => { window.modal = client.instance(guid); modal.on('modal.close', () => { window.isClosed = true; });"
        " modal.trigger('hello', 'you'); }",
        context["instanceGuid"],
    )
    await until(modal, "window.said === 'you'")
    await page.keyboard.press("Escape")
    await until(app, "window.isClosed")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    again = "client.invoke('instances.create', {location: 'modal', url: 'assets/client.html'})"
    (context,) = (await app.evaluate(again))["instances.create"]
    await app.evaluate("guid => client.instance(guid).invoke('destroy')", context["instanceGuid"])
    await expect(page.get_by_role("dialog")).to_have_count(0)
    refused = await app.evaluate("client.invoke('instances.create', {location: 'top_bar'}).catch(String)")
    assert "modal" in refused
