"""`sandbox/zendesk/zaf/`: what the page around an app is told by the server, and which files an app has."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sandbox.installation import Installation, RefusedError
from sandbox.zendesk import Account, Ticket, Zendesk
from sandbox.zendesk.model import App
from sandbox.zendesk.zaf.assets import CLIENT, NoFileError, file_of, with_own_client
from scripted_integration import ScriptedIntegration, resource
from test_app_package import zipped

FOREIGN = Path(__file__).parent / "apps" / "foreign"
PUBLIC = "https://static.zdassets.com/zendesk_app_framework_sdk/2.0/zaf_sdk.min.js"


@pytest.fixture
async def app(zendesk: Zendesk) -> App:
    await zendesk.install(FOREIGN)
    return zendesk.state.apps[-1]


@pytest.fixture
async def ticket(zendesk: Zendesk, account: Account, integration: ScriptedIntegration) -> Ticket:
    about = {"type": "acme.review", "data": {"stars": 2}}
    integration.posts = [
        resource("post-1", author={"external_id": "ada", "name": "Ada"}, display_info=[about])
    ]
    await zendesk.pull(account)
    return zendesk.tickets[0]


Asks = Callable[..., Any]


@pytest.fixture
def asks(pages: httpx2.AsyncClient, app: App, ticket: Ticket) -> Asks:
    async def ask(what: str, asked: Any, **headers: str) -> httpx2.Response:
        return await pages.post(
            f"/agent/apps/{app.id}/{what}?ticket={ticket.id}", json=asked, headers=headers
        )

    return ask


# --- What an app reads and changes ------------------------------------------------------------------------


async def test_paths_lead_to_what_the_ticket_and_the_agent_have(asks: Asks, ticket: Ticket) -> None:
    ticket.fields["24100"] = "bulk"
    expected = {
        "ticket.id": ticket.id,
        "ticket.subject": "post post-1",
        "ticket.status": "new",
        "ticket.requester.name": "Ada",
        "ticket.requester.externalId": "ada",
        "ticket.customField:custom_field_24100": "bulk",
        "ticket.via.channel": "any_channel",
        "ticket.comments.0.value": "post post-1",
        "ticket.comments.0.channelDisplayInfo": {"acme.review": {"stars": 2}},
        "currentUser.locale": "en-US",
        "currentUser.role": "admin",
        "currentAccount.subdomain": "acme",
    }
    answer = (await asks("get", list(expected))).json()
    assert answer == expected | {"errors": {}}
    assert (await asks("get", ["ticket"])).json()["ticket"]["requester"]["name"] == "Ada"


@pytest.mark.parametrize("path", ["ticket.odd", "ticket.comments.9", "ticket.id.odd", "odd", "", "ticket."])
async def test_what_nobody_knows_is_answered_as_zendesk_answers_and_logged(
    path: str, asks: Asks, zendesk: Zendesk
) -> None:
    answer = (await asks("get", [path])).json()
    assert answer["errors"] == {path: {"name": "APINotFoundError", "message": "does not exist", "path": path}}
    assert "APINotFoundError" in str(zendesk.log.of("app")[-1].remarks)
    assert (await asks("invoke", {"odd": [1]})).json()["errors"]["odd"]["name"] == "APINotFoundError"
    assert (await asks("set", {"currentUser.name": "Bob"})).json()["errors"]


async def test_what_is_set_is_the_tickets(asks: Asks, ticket: Ticket) -> None:
    asked = {"ticket.status": "solved", "ticket.subject": "Mended", "ticket.customField:custom_field_7": 8}
    assert (await asks("set", asked)).json() == asked | {"errors": {}}
    assert (ticket.status, ticket.subject, ticket.fields["7"]) == ("solved", "Mended", 8)
    refused = (await asks("set", {"ticket.status": "odd"})).json()["errors"]["ticket.status"]
    assert "solved" in refused["message"]
    assert ticket.status == "solved"


async def test_there_is_no_ticket_on_other_pages(pages: httpx2.AsyncClient, app: App) -> None:
    answer = await pages.post(f"/agent/apps/{app.id}/get", json=["ticket.id", "currentUser.id"])
    assert list(answer.json()["errors"]) == ["ticket.id"]
    changed = await pages.post(f"/agent/apps/{app.id}/set", json={"ticket.subject": "x"})
    assert list(changed.json()["errors"]) == ["ticket.subject"]


@pytest.mark.parametrize(
    "headers", [{"origin": "http://7.apps.localhost:8002"}, {"sec-fetch-site": "cross-site"}]
)
async def test_a_frame_asks_the_page_around_it_and_never_the_server(
    headers: dict[str, str], asks: Asks, pages: httpx2.AsyncClient, ticket: Ticket
) -> None:
    assert (await asks("set", {"ticket.subject": "x"}, **headers)).status_code == 403
    assert ticket.subject == "post post-1"
    proxied = f"/api/v2/any_channel/proxy.json?ticket_id={ticket.id}&post_to_path=./like"
    assert (await pages.post(proxied, content="{}", headers=headers)).status_code == 403
    assert (await pages.post(proxied, content="{}")).json() == {"liked": True}


@pytest.mark.parametrize("content", ["{", "ticket=1"])
async def test_what_is_no_json_is_refused(content: str, pages: httpx2.AsyncClient, app: App) -> None:
    assert (await pages.post(f"/agent/apps/{app.id}/get", content=content)).status_code == 404
    assert (await pages.post("/agent/apps/99/get", json=[])).status_code == 404
    assert (await pages.post(f"/agent/apps/{app.id}/get?ticket=99", json=[])).status_code == 404


# --- Requests to elsewhere --------------------------------------------------------------------------------


async def test_settings_are_put_in_where_nobody_sees_them(
    asks: Asks, app: App, zendesk: Zendesk, integration: ScriptedIntegration
) -> None:
    zendesk.apps.configure(app, {"secret": "hush-hush", "greeting": "Hi"})
    app.domains = ["*.test"]
    asked = {
        "url": "https://integration.test/channel/files/a?g={{setting.greeting}}",
        "method": "POST",
        "headers": {"authorization": "Bearer {{setting.secret}}", "host": "elsewhere", "cookie": "a=b"},
        "body": '{"g": "{{ setting.greeting }}"}',
        "secure": True,
    }
    answer = (await asks("request", asked)).json()
    assert (answer["status"], answer["body"]) == (200, "file files/a")
    method, path, body, _ = integration.requests[-1]
    assert (method, path, body) == ("POST", "/channel/files/a?g=Hi", b'{"g": "Hi"}')
    sent = dict(zendesk.log.of("app_request")[-1].request_headers)
    assert sent["authorization"] == "Bearer hush-hush"
    assert sent["host"] == "integration.test"
    assert "cookie" not in sent
    assert "hush-hush" not in zendesk.log.text_of(zendesk.log.of("app_request")[-1])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"body": "{{setting.secret}}"}, "scopes of the parameter secret"),
        ({"url": "https://evil.test/"}, "domainWhitelist"),
        ({"url": "https://integration.test.evil.test/"}, "domainWhitelist"),
        ({"url": "http://integration.test/"}, "https"),
    ],
)
async def test_a_secret_goes_nowhere_else(
    changes: dict[str, str], reason: str, asks: Asks, app: App, integration: ScriptedIntegration
) -> None:
    app.domains, app.settings["secret"] = ["integration.test"], "hush-hush"
    count = len(integration.requests)
    answer = await asks(
        "request", {"url": "https://integration.test/channel/files/a", "secure": True} | changes
    )
    assert answer.status_code == 403
    assert reason in answer.json()["description"]
    assert len(integration.requests) == count


async def test_a_request_that_wants_a_token_of_its_own_is_told_that_there_is_none(
    asks: Asks, integration: ScriptedIntegration
) -> None:
    count = len(integration.requests)
    asked = {"url": "https://integration.test/channel/files/a", "secure": True, "jwt": {"algorithm": "HS256"}}
    answer = await asks("request", asked)
    assert (answer.status_code, "signs no jwt" in answer.json()["description"]) == (501, True)
    assert len(integration.requests) == count


async def test_a_plain_request_shows_no_settings(
    asks: Asks, app: App, integration: ScriptedIntegration
) -> None:
    app.settings["secret"] = "hush-hush"
    await asks("request", {"url": "https://integration.test/channel/files/a?s={{setting.secret}}"})
    assert "hush" not in integration.requests[-1][1]


# --- An app's files ---------------------------------------------------------------------------------------


@pytest.fixture
async def files(zendesk: Zendesk, app: App) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(zendesk.app), base_url=f"http://{app.id}.apps.localhost:8002"
    )


async def test_each_app_has_an_origin_that_serves_its_assets_and_nothing_else(
    files: httpx2.AsyncClient, zendesk: Zendesk
) -> None:
    page = await files.get("/assets/iframe.html?origin=a")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert PUBLIC not in page.text
    assert f'src="{CLIENT}"' in page.text
    assert "ZAFClient" in (await files.get(CLIENT)).text
    assert (await files.get("/assets/main.css")).headers["content-type"].startswith("text/css")
    for path in ("/admin", "/agent", "/api/v2/users/me.json", "/", "/manifest.json", "/translations/en.json"):
        assert (await files.get(path)).status_code == 404, path
    assert (await files.post("/admin/uninstall")).status_code in (404, 405)
    other = await files.get("http://99.apps.localhost:8002/assets/iframe.html")
    assert other.status_code == 404


async def test_a_missing_file_is_told_in_words_and_in_the_log(
    files: httpx2.AsyncClient, zendesk: Zendesk, pages: httpx2.AsyncClient, ticket: Ticket
) -> None:
    answer = await files.get("/assets/Main.js")
    assert answer.status_code == 404
    assert "There is no file assets/Main.js" in answer.text
    assert "assets/Main.js" in str(zendesk.log.of("app")[-1].remarks)
    path = f"/agent/tickets/{ticket.id}"
    assert "There is no file assets/Main.js" in (await pages.get(path)).text
    count = len(zendesk.log.entries)
    assert (await files.get("/assets/main.js.map")).status_code == 404
    assert len(zendesk.log.entries) == count
    await files.get("/assets/iframe.html")
    assert "There is no file assets/Main.js" not in (await pages.get(path)).text


async def test_no_path_and_no_link_leads_out_of_an_app(
    tmp_path: Path, zendesk: Zendesk, files: httpx2.AsyncClient
) -> None:
    folder = tmp_path / "app"
    shutil.copytree(FOREIGN, folder)
    (tmp_path / "secret").write_text("secret", "utf-8")
    await zendesk.install(folder)
    (folder / "assets" / "link").symlink_to(tmp_path / "secret")
    for path in ("/assets/link", "/assets/%2e%2e/%2e%2e/secret", "/assets/..%5c..%5csecret", "/assets/%00"):
        answer = await files.get(path)
        assert answer.status_code == 404, path
        assert answer.text != "secret"


async def test_a_folder_is_read_each_time_and_a_zip_once(
    tmp_path: Path, zendesk: Zendesk, files: httpx2.AsyncClient
) -> None:
    folder = tmp_path / "app"
    shutil.copytree(FOREIGN, folder)
    await zendesk.install(folder)
    (folder / "assets" / "main.css").write_text("a { color: red }", "utf-8")
    assert (await files.get("/assets/main.css")).text == "a { color: red }"
    shutil.rmtree(folder)
    assert "There is no file" in (await files.get("/assets/main.css")).text


async def test_zendesks_own_client_is_left_in_where_that_is_wanted(
    files: httpx2.AsyncClient, zendesk: Zendesk
) -> None:
    zendesk.settings.framework_client_from_zendesk = True
    assert PUBLIC in (await files.get("/assets/iframe.html")).text


@pytest.mark.parametrize(
    ("page", "served"),
    [
        (f"<script src='{PUBLIC}'>", f"<script src='{CLIENT}'>"),
        (f'<SCRIPT integrity="sha384-a" src="{PUBLIC}" crossorigin>', f'<SCRIPT src="{CLIENT}">'),
        (f'<script src="{PUBLIC[6:]}" crossorigin=anonymous>', f'<script src="{CLIENT}">'),
        ('<script src="//assets.zendesk.com/apps/sdk/2.0/zaf_sdk.js">', f'<script src="{CLIENT}">'),
        (f'load("{PUBLIC.replace("2.0", "2.0.41")}")', f'load("{CLIENT}")'),
        ('<script integrity="sha384-a" src="https://cdn.example/a.js">', None),
        ("<p>zaf_sdk.min.js</p>\u2028\ud800", None),
    ],
)
def test_pages_load_the_client_from_here(page: str, served: str | None) -> None:
    content = page.encode("utf-8", "surrogatepass")
    assert with_own_client(content) == (content if served is None else served.encode())


# --- Where an app is shown --------------------------------------------------------------------------------


async def test_an_app_is_shown_where_it_says_and_while_it_is_installed(
    zendesk: Zendesk, pages: httpx2.AsyncClient, ticket: Ticket, app: App
) -> None:
    beside, page = f"/agent/tickets/{ticket.id}", f"/agent/apps/{app.id}"
    shown = (await pages.get(beside)).text
    assert f"{app.id}.apps.localhost" in shown
    assert (await pages.get(page)).status_code == 404
    assert page not in (await pages.get("/admin")).text.replace(f"{page}/settings", "")
    app.places = {"nav_bar": "assets/iframe.html"}
    assert "apps.localhost" not in (await pages.get(beside)).text
    assert f"{app.id}.apps.localhost" in (await pages.get(page)).text
    assert page in (await pages.get("/")).text
    app.installed = False
    assert (await pages.get(page)).status_code == 404
    assert page not in (await pages.get("/")).text


async def test_an_app_in_the_bar_above_and_in_the_background_is_shown(
    zendesk: Zendesk, pages: httpx2.AsyncClient, ticket: Ticket, app: App
) -> None:
    app.places = dict.fromkeys(("top_bar", "background"), "assets/iframe.html")
    page = f"/agent/apps/{app.id}?place=top_bar"
    assert page in (await pages.get("/")).text
    shown = (await pages.get(page)).text
    assert shown.count("<iframe") - shown.count("<template") == 2
    assert f"{app.name} in the background" in (await pages.get(f"/agent/tickets/{ticket.id}")).text
    assert (await pages.get(f"/agent/apps/{app.id}")).status_code == 404
    assert (await pages.get(f"/agent/apps/{app.id}?place=background")).status_code == 404


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("user_sidebar", "This Zendesk has no user_sidebar: nobody sees that page here."),
        ("new_ticket_sidebar", "This Zendesk has no new_ticket_sidebar: nobody sees that page here."),
        ("top_bar", "Shown in top_bar"),
    ],
)
async def test_the_gallery_says_where_an_app_is_seen(
    tmp_path: Path, zendesk: Zendesk, pages: httpx2.AsyncClient, place: str, said: str
) -> None:
    shutil.copytree(FOREIGN, tmp_path / "app")
    manifest = json.loads((FOREIGN / "manifest.json").read_bytes()) | {
        "location": {"support": {place: "assets/iframe.html"}}
    }
    (tmp_path / "app" / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    await zendesk.install(tmp_path / "app")
    gallery = (await pages.get("/admin")).text
    assert said in gallery
    assert gallery.count("Shown in") == (place == "top_bar")


async def test_a_page_lets_in_the_frames_of_its_apps_and_no_other(
    pages: httpx2.AsyncClient, ticket: Ticket, app: App
) -> None:
    app.places = {"ticket_sidebar": "https://apps.example/side.html?a=b"}
    answer = await pages.get(f"/agent/tickets/{ticket.id}")
    assert "frame-src 'self' https://apps.example;" in answer.headers["content-security-policy"]
    assert "https://apps.example/side.html?a=b" in answer.text
    for path in ("/agent", "/admin"):
        assert "apps.example" not in (await pages.get(path)).headers["content-security-policy"]


async def test_an_app_from_a_zip_survives_a_restart(tmp_path: Path, integration: ScriptedIntegration) -> None:
    file = tmp_path / "session.json"
    async with Zendesk(service=integration.app, file=file) as first:
        await first.install(zipped("ui_sidebar_no_requirements"))
        first.changes.note()
    async with Zendesk(service=integration.app, file=file) as second:
        assert second.state.apps == first.state.apps
        assert second.state.apps[0].files
    assert json.loads(file.read_text("utf-8"))["apps"][0]["places"]


@pytest.fixture
def own_app(folder: Path) -> Path:
    """Where a project has its app."""
    shutil.copytree(FOREIGN, folder / "installer_app")
    channel = {"channel_integrations": {"scripted": {"manifest_url": "https://reviews.example.com/manifest"}}}
    (folder / "installer_app" / "requirements.json").write_text(json.dumps(channel), "utf-8")
    texts = json.loads((FOREIGN / "translations" / "en.json").read_bytes()) | {"sidebar": {"like": "Like"}}
    (folder / "installer_app" / "translations" / "en.json").write_text(json.dumps(texts), "utf-8")
    return folder / "installer_app"


async def test_the_projects_own_app_is_shown_with_what_is_added_when_it_is_packed(
    own_app: Path, zendesk: Zendesk
) -> None:
    for _ in range(2):
        Installation(zendesk, zendesk.manifest.url).show_own_app()
    (app,) = zendesk.state.apps
    assert (app.installed, app.manifest_url, app.places) == (
        True,
        zendesk.manifest.url,
        {"ticket_sidebar": "assets/iframe.html"},
    )
    assert json.loads(file_of(app, "assets/translations.json")) == {"en": {"sidebar": {"like": "Like"}}}
    (own_app / "assets" / "main.css").write_text("a { color: red }", "utf-8")
    assert file_of(app, "assets/main.css") == b"a { color: red }"
    with pytest.raises(NoFileError, match=r"There is no file assets/odd\.js"):
        file_of(app, "assets/odd.js")


async def test_an_own_app_that_is_wrong_is_explained_and_the_rest_runs(
    own_app: Path, zendesk: Zendesk
) -> None:
    (own_app / "assets" / "iframe.html").unlink()
    with pytest.raises(RefusedError, match=r"installer_app is not shown:\n.*iframe\.html"):
        Installation(zendesk, zendesk.manifest.url).show_own_app()
    (own_app / "requirements.json").write_text("{}", "utf-8")
    with pytest.raises(RefusedError, match=r"requirements\.json does not name one channel"):
        Installation(zendesk, zendesk.manifest.url).show_own_app()
    assert zendesk.state.apps == []


# --- The API for tickets and users ------------------------------------------------------------------------


async def session(pages: httpx2.AsyncClient, ticket: Ticket) -> dict[str, str]:
    """What a page with an app sends with a request for it."""
    page = await pages.get(f"/agent/tickets/{ticket.id}")
    return {"x-csrf-token": page.text.split('data-csrf="')[1].split('"')[0]}


async def test_an_app_reads_tickets_by_the_agents_session(
    zendesk: Zendesk, pages: httpx2.AsyncClient, ticket: Ticket, app: App
) -> None:
    pages.cookies.clear()
    assert (await pages.get("/api/v2/users/me.json")).status_code == 401
    await session(pages, ticket)
    assert (await pages.get("/api/v2/users/me.json")).json()["user"]["role"] == "admin"
    shown = (await pages.get(f"/api/v2/tickets/{ticket.id}.json")).json()["ticket"]
    assert shown == (await pages.get("/api/v2/tickets")).json()["tickets"][0]
    info = shown["via"]["source"]["from"]["service_info"]
    assert info["registered_integration_service_external_id"] == zendesk.manifest.id
    (comment,) = (await pages.get(f"/api/v2/tickets/{ticket.id}/comments.json")).json()["comments"]
    author = (await pages.get(f"/api/v2/users/{comment['author_id']}.json")).json()["user"]
    assert (author["name"], comment["body"]) == ("Ada", "post post-1")
    for path in ("/api/v2/tickets/99.json", "/api/v2/users/99", "/api/v2/tickets/99/comments"):
        assert (await pages.get(path)).status_code == 404


async def test_an_app_changes_a_ticket_by_the_agents_session(
    pages: httpx2.AsyncClient, ticket: Ticket, app: App, integration: ScriptedIntegration
) -> None:
    path, headers = f"/api/v2/tickets/{ticket.id}.json", await session(pages, ticket)
    change: dict[str, Any] = {"status": "solved", "custom_fields": [{"id": 7, "value": "a"}]}
    assert (await pages.put(path, json={"ticket": change})).status_code == 403
    assert (await pages.put(path, json={"ticket": change}, headers=headers)).status_code == 200
    assert (ticket.status, ticket.fields["7"]) == ("solved", "a")
    reply = {"ticket": {"comment": {"body": "Thank you"}}}
    note = {"ticket": {"comment": {"body": "Watch out", "public": False}}}
    for each in (reply, note):
        assert (await pages.put(path, json=each, headers=headers)).status_code == 200
    assert [form["message"] for form in integration.replies] == [["Thank you"]]
    assert [(each.body, each.public) for each in ticket.comments[1:]] == [
        ("Thank you", True),
        ("Watch out", False),
    ]


@pytest.mark.parametrize(
    "sent", [{}, [], {"ticket": 1}, {"ticket": {"status": "odd"}}, {"ticket": {"comment": 1}}]
)
async def test_a_change_that_is_none_is_refused(
    sent: Any, pages: httpx2.AsyncClient, ticket: Ticket, app: App
) -> None:
    headers = await session(pages, ticket)
    answer = await pages.put(f"/api/v2/tickets/{ticket.id}", json=sent, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["description"]
