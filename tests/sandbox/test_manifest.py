"""`sandbox/zendesk/manifest.py` and `installer.py`: an integration is installed from its manifest."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sandbox.zendesk import (
    Account,
    FakeClock,
    Fault,
    FeatureOffError,
    ManifestRefusedError,
    PackageRefusedError,
    ReplyRefusedError,
    Settings,
    Zendesk,
)
from scripted_integration import MANIFEST_URL, ScriptedIntegration, resource
from starlette.responses import JSONResponse, RedirectResponse, Response

TEXTS = ["name", "short_description", "long_description", "installation_instructions"]


async def refused(integration: ScriptedIntegration, url: str = MANIFEST_URL) -> ManifestRefusedError:
    with pytest.raises(ManifestRefusedError) as caught:
        async with Zendesk(url, integration.app, clock=FakeClock()):
            pass
    return caught.value


async def test_relative_urls_lead_from_the_manifest(zendesk: Zendesk) -> None:
    """ZEN-01: the manifest is read by GET, and its relative URLs are made complete."""
    assert zendesk.log.entries[0].method == "GET"
    assert zendesk.manifest.urls["pull_url"] == "https://integration.test/channel/pull"


async def test_a_moved_manifest_is_followed(integration: ScriptedIntegration) -> None:
    """ZEN-01: 301 is followed, and relative URLs lead from where it ended."""
    integration.answers["like"] = lambda: RedirectResponse("/channel/manifest", 301)
    async with Zendesk("https://integration.test/channel/like", integration.app) as zendesk:
        assert zendesk.manifest.url == MANIFEST_URL


async def test_a_manifest_that_moved_twice_is_followed(integration: ScriptedIntegration) -> None:
    """ZEN-01."""
    integration.answers["like"] = lambda: RedirectResponse("/channel/clickthrough", 301)
    integration.answers["clickthrough"] = lambda: RedirectResponse("/channel/manifest", 301)
    async with Zendesk("https://integration.test/channel/like", integration.app) as zendesk:
        assert zendesk.manifest.url == MANIFEST_URL


@pytest.mark.parametrize("location", ["http://integration.test/channel/manifest", "/channel/like"])
async def test_a_manifest_moves_to_https_and_not_in_a_circle(
    integration: ScriptedIntegration, location: str
) -> None:
    """ZEN-01, ZEN-02: and the insecure address is not even asked."""
    integration.answers["like"] = lambda: RedirectResponse(location, 301)
    await refused(integration, "https://integration.test/channel/like")
    assert {request[1] for request in integration.requests} == {"/channel/like"}


@pytest.mark.parametrize(
    "changes", [{"name": 7}, {"version": "x" * 256}, {"create_followup_tickets": "no"}, {"id": "x" * 512}]
)
async def test_a_manifest_is_held_to_its_schema(
    integration: ScriptedIntegration, changes: dict[str, Any]
) -> None:
    """ZEN-01."""
    integration.manifest |= changes
    (remark,) = (await refused(integration)).remarks
    assert remark.pointer == f"/{next(iter(changes))}"


async def test_another_redirect_is_not_followed(integration: ScriptedIntegration) -> None:
    integration.answers["like"] = lambda: RedirectResponse("/channel/manifest", 302)
    error = await refused(integration, "https://integration.test/channel/like")
    assert error.remarks[0].rules == ("SVC-01",)


@pytest.mark.parametrize("key", ["name", "id"])
async def test_a_manifest_without_a_mandatory_key_is_refused(
    integration: ScriptedIntegration, key: str
) -> None:
    """ZEN-02."""
    del integration.manifest[key]
    assert any("SVC-02" in remark.rules for remark in (await refused(integration)).remarks)


async def test_a_manifest_without_an_admin_form_is_refused(integration: ScriptedIntegration) -> None:
    """ZEN-02."""
    del integration.urls["admin_ui"]
    assert any("SVC-02" in remark.rules for remark in (await refused(integration)).remarks)


@pytest.mark.parametrize(
    "url", ["http://integration.test/pull", "http://127.0.0.1/pull", "ftp://x.test/pull"]
)
async def test_a_manifest_with_an_insecure_url_is_refused(integration: ScriptedIntegration, url: str) -> None:
    """ZEN-02: every URL is https."""
    integration.urls["pull_url"] = url
    assert any("SVC-03" in remark.rules for remark in (await refused(integration)).remarks)


async def test_this_machine_may_do_without_https_where_that_is_allowed(
    integration: ScriptedIntegration,
) -> None:
    """ZEN-02: a switch lets loopback addresses pass, and only those."""
    local, settings = "http://127.0.0.1:8000/channel/manifest", Settings(allow_loopback_http=True)
    async with Zendesk(local, integration.app, settings=settings) as zendesk:
        assert zendesk.manifest.urls["pull_url"] == "http://127.0.0.1:8000/channel/pull"
    await refused(integration, local)
    with pytest.raises(ManifestRefusedError):
        async with Zendesk("http://integration.test/channel/manifest", integration.app, settings=settings):
            pass


@pytest.mark.parametrize("host", ["http://integration.test", "http://127.0.0.1:8000"])
async def test_a_manifest_itself_is_served_by_https(integration: ScriptedIntegration, host: str) -> None:
    """ZEN-02: whatever the URLs in it are; nothing is asked of another address."""
    integration.urls = {"admin_ui": "https://integration.test/channel/admin_ui"}
    await refused(integration, f"{host}/channel/manifest")
    assert integration.requests == []


@pytest.mark.parametrize(("allowed", "files"), [(False, 0), (True, 1)])
async def test_a_file_on_this_machine_needs_the_switch_as_well(
    integration: ScriptedIntegration, allowed: bool, files: int
) -> None:
    """ZEN-02, ZEN-35."""
    integration.posts = [resource("a", file_urls=["http://127.0.0.1/channel/files/a.txt"]), resource("b")]
    settings = Settings(allow_loopback_http=allowed)
    async with Zendesk(MANIFEST_URL, integration.app, settings=settings) as zendesk:
        pull = await zendesk.pull(await zendesk.add_account("Main"))
    assert (pull.error is None) == allowed
    assert sum(len(comment.files) for comment in zendesk.state.comments()) == files


async def test_an_unreachable_manifest_is_refused(integration: ScriptedIntegration) -> None:
    zendesk = Zendesk(MANIFEST_URL, integration.app)
    zendesk.faults.add("manifest", Fault(dropped="before"))
    with pytest.raises(ManifestRefusedError, match="SVC-01"):
        async with zendesk:
            pass


async def test_a_changed_manifest_counts_from_the_next_poll(
    integration: ScriptedIntegration, zendesk: Zendesk
) -> None:
    """ZEN-03: a copy is kept for hours, unless a command reads it again."""
    integration.manifest["version"] = "2"
    await zendesk.advance(zendesk.settings.manifest_poll_interval - 1)
    assert zendesk.manifest.version == "1"
    await zendesk.advance(1)
    assert zendesk.manifest.version == "2"
    integration.manifest["version"] = "3"
    assert await zendesk.refresh_manifest()
    assert zendesk.manifest.version == "3"


async def test_a_stale_copy_outlives_its_polls(integration: ScriptedIntegration, zendesk: Zendesk) -> None:
    """ZEN-03."""
    zendesk.faults.stale_manifest = True
    integration.manifest["version"] = "2"
    await zendesk.advance(10 * zendesk.settings.manifest_poll_interval)
    assert zendesk.manifest.version == "1"


async def test_the_copy_stays_when_the_manifest_is_broken(
    integration: ScriptedIntegration, zendesk: Zendesk
) -> None:
    """ZEN-03."""
    integration.answers["manifest"] = lambda: JSONResponse({}, 500)
    assert not await zendesk.refresh_manifest()
    assert zendesk.manifest.version == "1"


async def test_a_feature_without_its_url_is_off(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> None:
    """ZEN-04."""
    integration.posts = [resource("post-1")]
    await zendesk.pull(account)
    integration.urls = {"admin_ui": "./admin_ui"}
    await zendesk.refresh_manifest()
    integration.requests.clear()
    with pytest.raises(FeatureOffError):
        await zendesk.pull(account)
    with pytest.raises(ReplyRefusedError):
        await zendesk.reply(zendesk.tickets[0], "Hello")
    comment = zendesk.tickets[0].comments[0]
    assert zendesk.clickthrough_url(comment) is None
    with pytest.raises(FeatureOffError):
        await zendesk.click_through(comment)
    await zendesk.advance(600)
    await zendesk.deactivate(account)
    assert integration.requests == []


APP_WITH_INTERFACE = {
    "author": {"name": "Ada"},
    "defaultLocale": "en",
    "frameworkVersion": "2.0",
    "location": {"support": {"ticket_sidebar": "assets/iframe.html"}},
    "signedUrls": True,
}


async def test_what_has_no_pull_url_is_not_pulled_by_itself(integration: ScriptedIntegration) -> None:
    """ZEN-04: as services that only push have none."""
    del integration.urls["pull_url"]
    async with Zendesk(MANIFEST_URL, integration.app, clock=FakeClock()) as zendesk:
        await zendesk.add_account("Main")
        assert await zendesk.advance(600) == []
    assert integration.pulled == []


def package(folder: Path, **changes: Any) -> Path:
    """An installer app; a file whose content is None is missing."""
    files: dict[str, Any] = {
        "manifest.json": {
            "name": "Scripted",
            "author": {"name": "Ada"},
            "defaultLocale": "en",
            "requirementsOnly": True,
            "private": True,
            "version": "1.0.0",
        },
        "requirements.json": {"channel_integrations": {"scripted": {"manifest_url": MANIFEST_URL}}},
        "translations/en.json": {"app": dict.fromkeys(TEXTS, "Scripted")},
    } | changes
    for name, content in files.items():
        if content is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(json.dumps(content))
    return folder


async def test_a_channel_is_installed_from_the_folder_of_its_app(
    integration: ScriptedIntegration, tmp_path: Path
) -> None:
    """ZEN-05."""
    async with Zendesk(package(tmp_path / "app"), integration.app) as zendesk:
        assert zendesk.manifest.url == MANIFEST_URL


async def test_a_channel_is_installed_from_the_zip_of_its_app(
    integration: ScriptedIntegration, tmp_path: Path
) -> None:
    """ZEN-05."""
    folder = package(tmp_path / "app")
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        for file in folder.rglob("*.json"):
            archive.write(file, file.relative_to(folder))
    async with Zendesk(tmp_path / "app.zip", integration.app) as zendesk:
        assert zendesk.manifest.url == MANIFEST_URL


async def test_an_app_with_an_interface_installs_a_channel_as_well(
    integration: ScriptedIntegration, tmp_path: Path
) -> None:
    """ZEN-05."""
    app = package(
        tmp_path / "app",
        **{"manifest.json": APP_WITH_INTERFACE, "assets/app.js": "a script", "assets/iframe.html": "a page"},
    )
    async with Zendesk(app, integration.app) as zendesk:
        assert zendesk.manifest.url == MANIFEST_URL


@pytest.mark.parametrize(
    "changes",
    [
        {"requirements.json": None},
        {"manifest.json": None},
        {"translations/en.json": None},
        {
            "requirements.json": {
                "channel_integrations": {
                    "one": {"manifest_url": MANIFEST_URL},
                    "two": {"manifest_url": MANIFEST_URL},
                }
            }
        },
        {"requirements.json": {"channel_integrations": {"one": {}}}},
        {"requirements.json": {"channel_integrations": {"one": {"manifest_url": "http://x.test/"}}}},
        {"manifest.json": {"author": {"name": "A"}, "defaultLocale": "en", "marketingOnly": True}},
        {"manifest.json": None, "app/manifest.json": APP_WITH_INTERFACE},
        {"manifest.json": APP_WITH_INTERFACE | {"frameworkVersion": "1.0"}},
        {"manifest.json": APP_WITH_INTERFACE | {"noTemplate": True}},
        {"manifest.json": APP_WITH_INTERFACE | {"marketingOnly": True}},
        {"manifest.json": APP_WITH_INTERFACE | {"requirementsOnly": True}},
        {"manifest.json": ["no object"]},
        {"assets/app.js": "a script"},
        {"templates/layout.hdbs": "a template"},
    ],
)
async def test_a_package_that_breaks_a_rule_is_refused(
    integration: ScriptedIntegration, tmp_path: Path, changes: dict[str, Any]
) -> None:
    """ZEN-05: the rules of requirements hold."""
    with pytest.raises(PackageRefusedError, match=r"SVC-1[12]"):
        async with Zendesk(package(tmp_path, **changes), integration.app):
            pass


async def test_a_package_above_two_megabytes_is_refused(
    integration: ScriptedIntegration, tmp_path: Path
) -> None:
    """ZEN-05."""
    folder = package(tmp_path / "app")
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        for file in folder.rglob("*.json"):
            archive.write(file, file.relative_to(folder).as_posix())
        archive.writestr("assets/logo.png", b"x" * 2 * 1024 * 1024)
    with pytest.raises(PackageRefusedError, match="2 MB"):
        async with Zendesk(tmp_path / "app.zip", integration.app):
            pass


async def test_installing_and_removing_are_events(integration: ScriptedIntegration, zendesk: Zendesk) -> None:
    """ZEN-06."""
    await zendesk.uninstall()
    assert integration.types() == ["create_integration", "destroy_integration"]
    assert [event["data"] for event in integration.events] == [{"manifest_url": MANIFEST_URL}] * 2


async def test_a_session_goes_on_where_its_file_ends(
    integration: ScriptedIntegration, tmp_path: Path
) -> None:
    integration.posts = [resource("post-1", file_urls=["files/photo.bin"])]
    integration.answers["files/photo.bin"] = lambda: Response(b"\xff\x00")
    file = tmp_path / "session.json"
    async with Zendesk(MANIFEST_URL, integration.app, file=file) as first:
        await first.pull(await first.add_account("Main"))
    async with Zendesk(MANIFEST_URL, integration.app, file=file) as second:
        assert second.state == first.state
        assert second.tickets[0].comments[0].files[0].content == b"\xff\x00"
        assert second.log.masked("metadata=secret-1") == "metadata=(masked)"
    assert file.stat().st_mode & 0o077 == 0
    assert integration.types().count("create_integration") == 1


async def test_a_zip_that_unpacks_to_very_much_is_refused(
    integration: ScriptedIntegration, tmp_path: Path
) -> None:
    """ZEN-05: before anything of it is read."""
    with zipfile.ZipFile(tmp_path / "app.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b" " * 50_000_000)
    assert (tmp_path / "app.zip").stat().st_size < 100_000
    with pytest.raises(PackageRefusedError, match=r"more than .* unpacked"):
        async with Zendesk(tmp_path / "app.zip", integration.app):
            pass
