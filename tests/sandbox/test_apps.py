"""`sandbox/zendesk/installer.py`: apps are uploaded and installed, in Admin Center and by the API that zcli uses."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sandbox.app.packaging import zipped as packed
from sandbox.zendesk import PackageRefusedError, Settings, Zendesk
from sandbox.zendesk.forms import Page
from sandbox.zendesk.installer import open_package
from scripted_integration import MANIFEST_URL, ScriptedIntegration
from test_app_package import CORPUS, zipped
from test_manifest import package

ADMIN = {"authorization": "Basic YWRhQGFjbWUuZXhhbXBsZS90b2tlbjpzZWNyZXQ="}
SETTINGS = {
    "name": "Scripted",
    "author": {"name": "Ada"},
    "defaultLocale": "en",
    "requirementsOnly": True,
    "private": True,
    "version": "1.0.0",
    "parameters": [
        {"name": "region", "type": "text", "default": "eu"},
        {"name": "shop", "type": "text", "secure": True, "scopes": ["header"]},
    ],
}


@pytest.mark.parametrize("name", CORPUS)
def test_an_upload_gets_zendesks_verdict(name: str) -> None:
    """ZEN-05. What can be uploaded and fails when it is installed is refused as well."""
    if CORPUS[name]["verdict"] or name == "req_http":
        with pytest.raises(PackageRefusedError) as refused:
            open_package(zipped(name), Settings())
        assert all(remark.remedy or "zip" in remark.message for remark in refused.value.remarks)
    else:
        open_package(zipped(name), Settings())


def test_an_address_of_this_machine_is_taken_where_that_is_allowed(tmp_path: Path) -> None:
    url = "http://127.0.0.1:8000/channel/manifest"
    folder = package(
        tmp_path, **{"requirements.json": {"channel_integrations": {"a": {"manifest_url": url}}}}
    )
    assert open_package(folder, Settings(allow_loopback_http=True)).manifest_url == url
    with pytest.raises(PackageRefusedError, match="no https URL"):
        open_package(folder, Settings(allow_loopback_http=False))


async def uploaded(
    pages: httpx2.AsyncClient, content: bytes, field: str = "uploaded_data"
) -> httpx2.Response:
    files = {field: ("app.zip", content, "application/zip")}
    path = "/api/v2/apps/uploads.json" if field == "uploaded_data" else "/api/v2/apps/validate"
    return await pages.post(path, files=files, headers=ADMIN)


async def test_a_form_with_more_than_a_package_is_refused(pages: httpx2.AsyncClient) -> None:
    many = {str(number): "x" for number in range(10)}
    answer = await pages.post("/api/v2/apps/validate", data=many, headers=ADMIN)
    assert answer.status_code == 422


async def created(pages: httpx2.AsyncClient, content: bytes, **more: Any) -> dict[str, Any]:
    upload = await uploaded(pages, content)
    assert upload.status_code == 201
    answer = await pages.post(
        "/api/apps.json", json={"upload_id": upload.json()["id"], **more}, headers=ADMIN
    )
    job = await pages.get(f"/api/v2/apps/job_statuses/{answer.json()['job_id']}", headers=ADMIN)
    status: dict[str, Any] = job.json()
    return status


def channel_app(tmp_path: Path, **changes: Any) -> bytes:
    folder = package(tmp_path / "app", **changes)
    return packed(
        {
            file.relative_to(folder).as_posix(): file.read_bytes()
            for file in folder.rglob("*")
            if file.is_file()
        }
    )


async def test_an_app_is_uploaded_and_installed_by_the_api(
    tmp_path: Path, zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    await zendesk.uninstall()
    status = await created(pages, channel_app(tmp_path), name="Scripted for tests")
    assert status["status"] == "completed"
    assert zendesk.state.manifest is None
    installation = {"app_id": str(status["app_id"]), "settings": {"name": "Scripted for tests"}}
    answer = await pages.post("/api/support/apps/installations.json", json=installation, headers=ADMIN)
    assert answer.status_code == 201
    assert zendesk.manifest.url == MANIFEST_URL
    assert "Scripted for tests installed" in Page((await pages.get("/admin")).text).text


async def test_a_refused_upload_fails_its_job(pages: httpx2.AsyncClient, zendesk: Zendesk) -> None:
    status = await created(pages, zipped("no_author"))
    assert status["status"] == "failed"
    assert "`author` is missing" in status["message"]
    assert zendesk.state.apps == []
    assert "author" in str(zendesk.log.of("apps")[-2].remarks)
    assert (await uploaded(pages, zipped("no_author"), "file")).status_code == 400
    assert (await uploaded(pages, zipped("requirements_only"), "file")).status_code == 200


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        ("/api/v2/apps/uploads.json", {"content": b"no form"}, 422),
        ("/api/v2/apps/uploads.json", {"data": {"uploaded_data": "no file"}}, 422),
        ("/api/apps.json", {"content": b"{"}, 422),
        ("/api/apps.json", {"json": {"upload_id": 999}}, 422),
        ("/api/apps.json", {"json": {"upload_id": "9" * 400}}, 422),
        ("/api/support/apps/installations.json", {"json": {"app_id": 999}}, 422),
        ("/api/support/apps/installations.json", {"json": [1]}, 422),
    ],
)
async def test_a_wrong_call_is_told_what_is_wrong(
    pages: httpx2.AsyncClient, path: str, sent: dict[str, Any], status: int
) -> None:
    answer = await pages.post(path, headers=ADMIN, **sent)
    assert answer.status_code == status
    assert answer.json()["description"]
    assert (await pages.post(path, **sent)).status_code == 401
    assert (await pages.get("/api/v2/apps/job_statuses/none", headers=ADMIN)).status_code == 404


async def test_an_app_without_a_channel_is_installed_by_itself(
    zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    files = {"package": ("app.zip", zipped("ui_sidebar_no_requirements"), "application/zip")}
    assert (await pages.post("/admin/install", files=files)).url.path == "/admin"
    (app,) = zendesk.state.apps
    assert app.installed
    assert "Installs no channel" in (await pages.get("/admin")).text
    assert zendesk.manifest.url == MANIFEST_URL
    await pages.post(f"/admin/apps/{app.id}/remove")
    assert zendesk.state.apps == []
    assert zendesk.manifest.url == MANIFEST_URL


async def test_settings_are_shown_and_changed_and_secrets_are_not_shown(
    tmp_path: Path, zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    files = {"package": ("app.zip", channel_app(tmp_path, **{"manifest.json": SETTINGS}), "application/zip")}
    await pages.post("/admin/install", files=files)
    (app,) = zendesk.state.apps
    await pages.post(f"/admin/apps/{app.id}/settings", data={"region": "us", "shop": "hush-hush", "odd": "1"})
    assert app.settings == {"region": "us", "shop": "hush-hush"}
    text = (await pages.get("/admin")).text
    assert 'value="us"' in text
    assert "hush-hush" not in text
    await pages.post(f"/admin/apps/{app.id}/settings", data={"region": "eu", "shop": ""})
    assert app.settings == {"region": "eu", "shop": "hush-hush"}
    again = {"app_id": app.id, "settings": {"region": "jp"}}
    answer = await pages.post("/api/support/apps/installations.json", json=again, headers=ADMIN)
    assert answer.json()["settings"] == {"name": "Scripted", "region": "jp"}
    await pages.post("/admin/install", files=files)
    assert [each.settings["shop"] for each in zendesk.state.apps] == ["hush-hush"]


async def test_a_logo_is_shown_and_the_channel_goes_with_its_app(
    tmp_path: Path, integration: ScriptedIntegration, zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    folder = package(tmp_path / "app")
    (folder / "assets").mkdir()
    (folder / "assets/logo.png").write_bytes(b"a drawing")
    await pages.post("/admin/install", data={"manifest": str(folder)})
    (app,) = zendesk.state.apps
    assert f'src="/admin/apps/{app.id}/logo.png"' in (await pages.get("/admin")).text
    assert (await pages.get(f"/admin/apps/{app.id}/logo.png")).content == b"a drawing"
    await pages.post(f"/admin/apps/{app.id}/remove")
    assert zendesk.state.manifest is None
    assert integration.types()[-1] == "destroy_integration"


async def test_an_uploaded_app_waits_for_its_installation_through_a_restart(
    tmp_path: Path, integration: ScriptedIntegration
) -> None:
    file = tmp_path / "session.json"
    async with Zendesk(MANIFEST_URL, integration.app, file=file) as first:
        first.apps.add(open_package(package(tmp_path / "app"), first.settings))
        first.changes.note()
    async with Zendesk(file=file, service=integration.app) as second:
        assert second.state.apps == first.state.apps
        assert not second.state.apps[0].installed
    assert json.loads(file.read_text("utf-8"))["apps"][0]["manifest_url"] == MANIFEST_URL


async def test_an_app_is_updated_and_configured_by_the_api(
    tmp_path: Path, zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    """As `zcli apps:update` does: the app keeps its number, its settings and its channel."""
    first = await created(pages, channel_app(tmp_path / "1", **{"manifest.json": SETTINGS}))
    number = first["app_id"]
    settings = {"region": "us", "shop": "hush-hush"}
    await pages.post(
        "/api/support/apps/installations.json", json={"app_id": number, "settings": settings}, headers=ADMIN
    )
    newer = {**SETTINGS, "name": "Renamed", "version": "1.1.0"}
    upload = await uploaded(pages, channel_app(tmp_path / "2", **{"manifest.json": newer}))
    answer = await pages.put(f"/api/v2/apps/{number}", json={"upload_id": upload.json()["id"]}, headers=ADMIN)
    job = await pages.get(f"/api/v2/apps/job_statuses/{answer.json()['job_id']}.json", headers=ADMIN)
    assert job.json() == {"status": "completed", "message": "", "app_id": number}
    (app,) = zendesk.state.apps
    assert (app.id, app.version, app.installed, app.settings) == (number, "1.1.0", True, settings)
    listed = (await pages.get("/api/support/apps/installations.json", headers=ADMIN)).json()
    assert [(each["app_id"], each["settings"]["region"]) for each in listed["installations"]] == [
        (number, "us")
    ]
    assert "hush-hush" not in str(listed)
    path = f"/api/support/apps/installations/{listed['installations'][0]['id']}.json"
    changed = await pages.put(path, json={"settings": {"name": "Renamed", "region": "jp"}}, headers=ADMIN)
    assert changed.json() == (await pages.get(path, headers=ADMIN)).json()
    assert app.settings["region"] == "jp"


async def test_an_app_is_uninstalled_and_deleted_by_the_api(
    tmp_path: Path, zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    await zendesk.uninstall()
    number = (await created(pages, channel_app(tmp_path)))["app_id"]
    await pages.post("/api/support/apps/installations.json", json={"app_id": number}, headers=ADMIN)
    assert zendesk.manifest.url == MANIFEST_URL
    installation, app = f"/api/support/apps/installations/{number}.json", f"/api/v2/apps/{number}.json"
    assert (await pages.delete(installation)).status_code == 401
    assert (await pages.delete(installation, headers=ADMIN)).status_code == 204
    assert zendesk.state.manifest is None
    assert (await pages.get(installation, headers=ADMIN)).status_code == 404
    owned = (await pages.get("/api/v2/apps/owned.json", headers=ADMIN)).json()["apps"]
    assert owned == [(await pages.get(app, headers=ADMIN)).json()]
    assert (await pages.delete(app, headers=ADMIN)).status_code == 204
    assert (await pages.get(app, headers=ADMIN)).status_code == 404
    assert zendesk.state.apps == []


async def test_an_update_that_is_refused_leaves_the_app_as_it_is(
    tmp_path: Path, integration: ScriptedIntegration, zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    await pages.post("/admin/install", data={"manifest": str(package(tmp_path / "folder"))})
    (before,) = zendesk.state.apps
    integration.manifest["id"] = ""
    integration.manifest["name"] = None
    upload = await uploaded(pages, channel_app(tmp_path))
    answer = await pages.put(
        f"/api/v2/apps/{before.id}.json", json={"upload_id": upload.json()["id"]}, headers=ADMIN
    )
    job = await pages.get(f"/api/v2/apps/job_statuses/{answer.json()['job_id']}", headers=ADMIN)
    assert job.json()["status"] == "failed"
    assert zendesk.state.apps == [before]
    assert before.installed


async def test_parameters_are_edited_as_what_they_are(
    tmp_path: Path, zendesk: Zendesk, pages: httpx2.AsyncClient
) -> None:
    parameters = [
        {"name": "is_loud", "type": "checkbox", "default": True},
        {"name": "limit", "type": "number", "required": True},
        {"name": "greeting", "type": "multiline"},
        {"name": "internal", "type": "hidden", "default": "a"},
    ]
    manifest = SETTINGS | {"parameters": parameters}
    await pages.post(
        "/admin/install", data={"manifest": str(package(tmp_path, **{"manifest.json": manifest}))}
    )
    (app,) = zendesk.state.apps
    html = (await pages.get("/admin")).text
    assert 'type="checkbox" name="is_loud" value="true" checked' in html
    assert 'name="limit" spellcheck="false" type="number" required' in html
    assert "<textarea" in html
    assert 'name="internal"' not in html
    await pages.post(f"/admin/apps/{app.id}/settings", data={"limit": "7", "greeting": "Hi"})
    assert app.settings == {"is_loud": False, "limit": "7", "greeting": "Hi", "internal": "a"}
