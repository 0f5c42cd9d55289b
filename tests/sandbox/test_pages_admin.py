"""`sandbox/zendesk/pages/`: Admin Center."""

import zipfile
from pathlib import Path

import httpx2
from sandbox.zendesk import Account, Zendesk
from sandbox.zendesk.forms import Page
from sandbox.zendesk.settings import RETURN_PATH
from scripted_integration import MANIFEST_URL, ScriptedIntegration, resource
from test_manifest import package

FORM = "/admin/accounts/form"


async def test_an_integration_is_installed_by_its_url(
    integration: ScriptedIntegration, zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    integration.urls["dashboard_url"] = "./dashboard"
    await pages.post("/admin/uninstall")
    assert zendesk.state.manifest is None
    answer = await pages.post("/admin/install", data={"manifest": f" {MANIFEST_URL} "})
    assert answer.url.path == "/admin"
    assert zendesk.manifest.name == "Scripted"
    text = Page(answer.text).text
    assert "Channelback on https://integration.test/channel/channelback" in text
    assert "Dashboard on https://integration.test/channel/dashboard" in text
    assert "About off" in text


async def test_an_integration_is_installed_by_its_app(
    tmp_path: Path, zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    """By a folder's path, by a zip's path and as an uploaded zip (ZEN-05)."""
    folder, app = package(tmp_path / "app"), tmp_path / "app.zip"
    with zipfile.ZipFile(app, "w") as archive:
        for file in folder.rglob("*.json"):
            archive.write(file, file.relative_to(folder))
    for path in (folder, app):
        await zendesk.uninstall()
        await pages.post("/admin/install", data={"manifest": str(path)})
        assert zendesk.manifest.url == MANIFEST_URL
    await zendesk.uninstall()
    files = {"package": ("app.zip", app.read_bytes(), "application/zip")}
    await pages.post("/admin/install", files=files)
    assert zendesk.manifest.url == MANIFEST_URL


async def test_a_refused_manifest_is_shown_with_its_faults(
    integration: ScriptedIntegration, zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    await zendesk.uninstall()
    integration.manifest["name"] = "<script>alert(1)</script>" * 20
    answer = await pages.post("/admin/install", data={"manifest": MANIFEST_URL})
    assert answer.status_code == 422
    assert "<code>/name</code>" in answer.text
    assert "SVC-" in answer.text
    assert f'value="{MANIFEST_URL}"' in answer.text
    assert "<script>alert" not in answer.text


async def test_a_package_that_cannot_be_read_is_refused(pages: httpx2.AsyncClient) -> None:
    answer = await pages.post("/admin/install", files={"package": ("app.zip", b"no zip", "application/zip")})
    assert answer.status_code == 422
    assert "File is not a zip file" in answer.text
    answer = await pages.post("/admin/install", data={"manifest": "/no/such/folder"})
    assert answer.status_code == 422
    assert "/no/such/folder" in answer.text


async def test_the_form_opens_with_a_post_only(
    integration: ScriptedIntegration, zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    """Opening it mints a token, and may void the one before."""
    integration.manifest["push_client_id"] = "zdg-scripted"
    await zendesk.refresh_manifest()
    assert "No form is open" in (await pages.get(FORM)).text
    answer = await pages.post("/admin/accounts/new")
    (form,) = [form for form in Page(answer.text).forms if "return_url" in form.names]
    assert form.action == zendesk.manifest.urls["admin_ui"]
    posted = form.filled({})
    assert posted["zendesk_access_token"] == zendesk.state.tokens[-1].text
    assert posted["return_url"] == zendesk.settings.return_url
    assert "form-action http: https:" in answer.headers["content-security-policy"]
    # What people see of it is masked.
    assert answer.text.count(posted["zendesk_access_token"]) == 1


async def test_the_end_of_the_form_leads_the_whole_window_on(
    zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    await pages.post("/admin/accounts/new")
    refused = await pages.post(RETURN_PATH, data={"name": "Main"})
    assert refused.status_code == 422
    assert "data-onward" not in refused.text
    saved = await pages.post(
        RETURN_PATH,
        data={"name": "Main", "metadata": "secret-1"},
        headers={"origin": "https://integration.test", "sec-fetch-site": "cross-site"},
    )
    assert 'data-onward="/admin"' in saved.text
    assert "frame-ancestors 'self'" in saved.headers["content-security-policy"]
    assert [account.name for account in zendesk.accounts] == ["Main"]
    assert "No form is open" in (await pages.get(FORM)).text


async def test_a_form_that_no_frame_shows_is_found_out(
    integration: ScriptedIntegration, pages: httpx2.AsyncClient
) -> None:
    assert (await pages.post(f"{FORM}/check")).status_code == 404
    await pages.post("/admin/accounts/new")
    well = await pages.post(f"{FORM}/check")
    assert well.url.path.startswith("/exchanges/")
    integration.admin_headers = {"x-frame-options": "DENY"}
    blocked = await pages.post(f"{FORM}/check")
    assert blocked.status_code == 422
    assert "X-Frame-Options: DENY" in blocked.text


async def test_an_account_is_edited_in_its_own_form(account: Account, pages: httpx2.AsyncClient) -> None:
    answer = await pages.post(f"/admin/accounts/{account.id}/edit")
    assert "<title>Edit Main – " in answer.text
    (form,) = [form for form in Page(answer.text).forms if "return_url" in form.names]
    assert form.filled({})["metadata"] == "secret-1"


async def test_accounts_are_acted_upon(zendesk: Zendesk, account: Account, pages: httpx2.AsyncClient) -> None:
    base = f"/admin/accounts/{account.id}"
    await pages.post(f"{base}/deactivate")
    assert not account.active
    await pages.post(f"{base}/activate")
    assert account.active
    tokens = len(zendesk.state.tokens)
    await pages.post(f"{base}/rotate")
    assert len(zendesk.state.tokens) == tokens + 1
    await pages.post(f"{base}/delete")
    assert zendesk.accounts == []


async def test_trouble_of_an_account_is_seen(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, pages: httpx2.AsyncClient
) -> None:
    """ZEN-18, ZEN-23."""
    integration.pull_answer = {"metadata_needs_update": True}
    await zendesk.pull(account)
    zendesk.manifest.urls["pull_url"] = "https://integration.test/nothing"
    await zendesk.pull(account)
    text = Page((await pages.get("/admin")).text).text
    assert "Needs attention" in text
    assert "1 in a row the pull was answered with 404" in text


async def test_a_user_is_erased(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account, pages: httpx2.AsyncClient
) -> None:
    """ZEN-57."""
    author = {"external_id": "ada", "name": "Ada <b>Lovelace</b>", "locale": "en"}
    integration.posts = [resource("post-1", author=author)]
    await zendesk.pull(account)
    shown = (await pages.get("/admin/users")).text
    assert "Ada &lt;b&gt;Lovelace&lt;/b&gt;" in shown
    await pages.post(f"/admin/users/{zendesk.state.users[0].id}/erase")
    assert zendesk.state.users == []
    assert integration.types()[-1] == "destroy_user_identity"
