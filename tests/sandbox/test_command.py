"""`python -m sandbox`, as people start it: in processes of its own, on this machine."""

import asyncio
import json
import re
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest
from click.testing import CliRunner, Result
from projects import Project
from running_command import PATIENCE, free_ports, over_http, running, with_signals
from sandbox.__main__ import main
from sandbox.installation import Installation, RefusedError
from sandbox.zendesk import Zendesk
from sandbox.zendesk.forms import Page
from sandbox.zendesk.model import Account, State
from sandbox.zendesk.state import save
from scripted_integration import MANIFEST_URL, ScriptedIntegration, resource

FOREIGN = Path(__file__).parent / "apps" / "foreign"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def session(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_bytes())
    return document


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A session with an account that is due for a pull."""
    account = Account(1, "Main", "secret-1", "", "push-id", datetime(2026, 1, 1, tzinfo=UTC))
    save(tmp_path / "session.json", State(accounts=[account], last_id=1))
    return tmp_path / "session.json"


@pytest.fixture
def write(code: Path) -> Callable[[str], object]:
    """Puts a line below the module that names the channel, in place of the line before."""
    (identity,) = code.glob("*/identity.py")
    text = identity.read_text("utf-8")
    return lambda line: identity.write_text(f"{text}\n{line}\n", "utf-8")


async def add_account(browser: httpx2.AsyncClient, zendesk: str) -> None:
    """Fill in the form of a project that is as it was generated."""
    typed = {"name": "Café", "business": "corner-cafe", "api_key": "demo-key"}
    page = await browser.post(f"{zendesk}/admin/accounts/new")
    for _ in range(3):
        form = next(each for each in Page(page.text).forms if "/admin/" not in each.action)
        page = await browser.post(urljoin(str(page.url), form.action), data=form.filled(typed))
    assert "The account is saved" in page.text


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@with_signals
@pytest.mark.usefixtures("code")
async def test_three_addresses_answer_and_the_channel_is_installed(tmp_path: Path) -> None:
    async with running(*free_ports(), "--file", "session.json") as command:
        await command.says("Press Ctrl-C")
        zendesk, site, service = re.findall(r"^  [A-Z].* (http://\S+)", command.said, re.MULTILINE)
        async with httpx2.AsyncClient(trust_env=False) as browser:
            assert (await browser.get(zendesk)).is_success
            assert (await browser.get(site)).is_success
            manifest = (await browser.get(service)).json()
        await until(lambda: session(tmp_path / "session.json")["manifest"] is not None)
        assert await command.ends(signal.SIGINT) == 0
    assert zendesk.startswith("http://localhost:")
    assert f"{manifest['name']} is installed" in command.said
    kept = session(tmp_path / "session.json")["manifest"]
    assert kept["url"] == service
    assert kept["urls"] == manifest["urls"]
    # A project that pushes gets what it needs for that.
    assert kept["push_client_id"] == manifest.get("push_client_id")


@with_signals
async def test_changed_code_is_served_and_broken_code_waits_for_the_next_change(
    write: Callable[[str], object], tmp_path: Path
) -> None:
    async with running(*free_ports(), "--file", "session.json") as command:
        await command.says("Press Ctrl-C")
        write("NAME =")
        await command.says("ended by itself with exit code 1")
        await command.says("src/")
        write('NAME = "Renamed"')
        await command.says("runs again")
        await until(lambda: session(tmp_path / "session.json")["manifest"]["name"] == "Renamed")
        assert await command.ends(signal.SIGTERM) == 0


@with_signals
async def test_without_reload_the_service_ends_the_command(
    write: Callable[[str], object],
) -> None:
    write("raise SystemExit(7)")
    async with running(*free_ports(), "--no-reload") as command:
        assert await command.ends() == 7
    assert "ended by itself with exit code 7" in command.said


async def test_a_manifest_that_gets_worse_is_explained_while_its_copy_stays(
    integration: ScriptedIntegration,
) -> None:
    async with Zendesk(service=integration.app) as zendesk:
        installation = Installation(zendesk, MANIFEST_URL)
        await installation.follow()
        integration.manifest["id"] = ""
        with pytest.raises(RefusedError, match=r"(?s)keeps its copy.*SVC-02.*/id: "):
            await installation.follow()
        integration.manifest |= {"id": "scripted", "name": "Renamed"}
        await installation.follow()
        assert zendesk.manifest.name == "Renamed"
        await zendesk.uninstall()
        await installation.follow()
        assert zendesk.state.manifest is None


@with_signals
async def test_a_killed_session_goes_on_from_its_file(file: Path, integration: ScriptedIntegration) -> None:
    integration.posts = [resource("post-1")]
    integration.pull_answer = {"state": "state-2"}
    *_, port = free_ports()
    options = ["--allow-http", "--file", str(file), "--zendesk-port", port, "--pull-interval", "0"]
    async with over_http(integration) as url:
        async with running("--manifest", url, *options) as command:
            await command.says("Press Ctrl-C")
            await until(lambda: session(file)["tickets"] != [] and session(file)["manifest"] is not None)
            await command.ends(signal.SIGKILL)
        integration.pulled.clear()
        async with running("--manifest", url, *options) as command:
            await command.says("Press Ctrl-C")
            await until(lambda: bool(integration.pulled))
            assert await command.ends(signal.SIGTERM) == 0
    assert integration.pulled[0]["state"] == ["state-2"]
    assert len(session(file)["tickets"]) == 1
    assert integration.types().count("create_integration") == 1


@with_signals
async def test_settings_and_faults_of_the_command_line_happen(
    file: Path, integration: ScriptedIntegration
) -> None:
    *_, port = free_ports()
    async with over_http(integration) as url:
        options = ["--allow-http", "--file", str(file), "--zendesk-port", port]
        wrong = ["--set", "failures_before_deactivation=1", "--fault", "pull=503", "--duplicate-events"]
        wrong += ["--app", str(FOREIGN)]
        async with running("--manifest", url, *options, *wrong) as command:
            await until(lambda: session(file)["accounts"][0]["active"] is False)
            assert await command.ends(signal.SIGTERM) == 0
    assert "503" in session(file)["accounts"][0]["last_error"]
    assert session(file)["apps"][0]["installed"]
    assert integration.pulled == []
    assert integration.types().count("deactivate_integration_instance") == 2


@with_signals
async def test_a_refused_manifest_is_explained_and_ends_the_command(integration: ScriptedIntegration) -> None:
    *_, port = free_ports()
    integration.urls["pull_url"] = "http://origin.test/pull"
    async with (
        over_http(integration) as url,
        running("--manifest", url, "--zendesk-port", port, "--allow-http") as command,
    ):
        assert await command.ends() == 1
    assert "SVC-03, SVC-10, SVC-26: /urls/pull_url: " in command.said
    assert "Traceback" not in command.said


@with_signals
@pytest.mark.parametrize("client", [None, "any-text"])
async def test_a_service_in_another_process_is_told_where_this_zendesk_is(
    integration: ScriptedIntegration, client: str | None
) -> None:
    *_, port = free_ports()
    integration.manifest |= {"push_client_id": client} if client else {}
    async with (
        over_http(integration) as url,
        running("--manifest", url, "--zendesk-port", port, "--allow-http") as command,
    ):
        await command.says("Press Ctrl-C")
    here = f"http://localhost:{port}"
    assert f" {here}/zendesk/channels/integration_service_instances/editor_finalizer\n" in command.said
    assert (f" {here}/api/v2/any_channel/push\n" in command.said) == (client is not None)


@with_signals
async def test_a_service_in_another_process_pushes_as_the_manual_says(
    with_webhooks: Project, code: Path, tmp_path: Path
) -> None:
    options = free_ports()
    section = with_webhooks.text("docs/sandbox.md").partition("## A service in another process")[2]
    for known, port in zip(("8000", "8001", "8002"), options[1::2], strict=True):
        section = section.replace(f":{known}", f":{port}")
    settings = dict(each.split("=", 1) for each in section.partition("export ")[2].splitlines()[0].split())
    arguments = section.partition(" sandbox ")[2].splitlines()[0].split()
    name, _, host = section.partition("here by `")[2].partition("`")[0].partition("=")
    settings |= {"PORT": options[1], "ORIGIN_URL": f"http://{host}", name: host}
    async with (
        running("--origin-only", *options[2:4]) as origin,
        running("serve", module=with_webhooks.package, **settings) as service,
        httpx2.AsyncClient(trust_env=False, follow_redirects=True) as browser,
    ):
        await origin.says("Press Ctrl-C")
        await service.says("running on")
        async with running(*arguments, *options[4:], "--file", "session.json") as command:
            await command.says("Press Ctrl-C")
            await add_account(browser, settings["ZENDESK_URL"])
            # Whatever comes after the first pull has been pushed.
            await until(lambda: len(session(tmp_path / "session.json")["tickets"]) == 3)
            review = {"name": "Kim", "stars": "4", "title": "Good soup", "text": "Warm."}
            await browser.post(f"{settings['ORIGIN_URL']}/businesses/corner-cafe/reviews", data=review)
            await until(lambda: "Good soup" in (tmp_path / "session.json").read_text("utf-8"))
            log = await browser.get(f"{settings['ZENDESK_URL']}/exchanges?endpoint=push&wrong=")
            assert "data-row" in log.text


@with_signals
@pytest.mark.usefixtures("code")
async def test_no_proxy_stands_between_the_addresses_of_this_machine(tmp_path: Path) -> None:
    """The first account is added, and its tickets come, whatever proxy leads to other hosts."""
    nowhere = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    async with (
        running(*free_ports(), "--file", "session.json", **nowhere, NO_PROXY="", no_proxy="") as command,
        httpx2.AsyncClient(trust_env=False, follow_redirects=True) as browser,
    ):
        await command.says("Press Ctrl-C")
        zendesk, *_ = re.findall(r"^  [A-Z].* (http://\S+)", command.said, re.MULTILINE)
        await add_account(browser, zendesk.rstrip("/"))
        await until(lambda: len(session(tmp_path / "session.json")["tickets"]) == 3)


@with_signals
async def test_the_origin_runs_alone() -> None:
    _, _, option, port, *_ = free_ports()
    async with running("--origin-only", option, port) as command:
        await command.says("Press Ctrl-C")
        async with httpx2.AsyncClient(trust_env=False) as browser:
            assert (await browser.get(f"http://127.0.0.1:{port}/")).is_success
        assert await command.ends(signal.SIGTERM) == 0


def test_a_service_of_this_machine_is_refused_until_it_is_allowed() -> None:
    result = run("--manifest", "http://127.0.0.1:1/manifest", *free_ports())
    assert result.exit_code == 1
    assert "SVC-03" in result.stderr
    assert "--allow-http" in result.stderr


def test_a_refused_app_beside_the_service_ends_the_command(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "Acme"}', "utf-8")
    result = run("--app", str(tmp_path), "--no-demonstration-origin", *free_ports())
    assert result.exit_code == 1
    assert "`author` is missing" in result.stderr


def test_a_refused_installer_app_is_explained(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "Acme"}', "utf-8")
    result = run("--manifest", str(tmp_path), *free_ports())
    assert result.exit_code == 1
    assert "SVC-12: (whole message): manifest.json: `author` is missing" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--manifest", "nowhere"], "nowhere"),
        (["--manifest", "nowhere", "--origin-only"], "--origin-only"),
        (["--set", "pull_intervall=1"], "pull_interval"),
        (["--fault", "pul=500"], "pull"),
        (["--push-result", "post-1=lost"], "halted"),
        (["--host", "192.0.2.1"], "0.0.0.0"),  # noqa: S104
    ],
)
def test_a_wrong_option_says_what_would_be_right(arguments: list[str], told: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "some other document"}', '{"accounts": [{}]}'])
def test_a_file_that_is_no_session_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    (tmp_path / "session.json").write_text(content, "utf-8")
    result = run("--file", "session.json")
    assert result.exit_code == 1
    assert "session.json cannot be read as a session" in result.stderr
    assert (tmp_path / "session.json").read_text("utf-8") == content


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no such rights.")
def test_a_session_is_readable_by_its_owner_alone(file: Path) -> None:
    file.chmod(0o644)
    save(file, State())
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written_is_said_before_anything_is_lost() -> None:
    result = run("--file", "nowhere/session.json", *free_ports())
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_a_folder_without_a_service_is_told_apart(tmp_path: Path) -> None:
    result = run(*free_ports())
    assert result.exit_code == 1
    assert "There are 0 packages" in result.stderr
    assert "--manifest" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_taken_port_is_named_with_its_option(number: int) -> None:
    ports = free_ports()
    option, port = ports[2 * number : 2 * number + 2]
    with socket.create_server(("127.0.0.1", int(port))):
        result = run(*ports)
    assert result.exit_code == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in result.stderr
    assert option in result.stderr


def test_letting_others_in_comes_with_a_warning() -> None:
    ports = free_ports()
    with socket.create_server(("127.0.0.1", int(ports[3]))):
        result = run(*ports, "--host", "0.0.0.0")  # noqa: S104
    assert result.exit_code == 1
    assert "Warning" in result.stderr


@pytest.fixture
def own_origin(code: Path) -> Path:
    """An origin.py that its author has written anew: it says where it looks."""
    (file,) = code.glob("*/origin.py")
    text = file.read_text("utf-8").replace('"http://127.0.0.1:8001"', '"https://api.example.com"')
    file.write_text(
        f'{text}\n\nprint("ORIGIN URL", OriginSettings().url, flush=True)  # was http://127.0.0.1:8001\n',
        "utf-8",
    )
    return file


@with_signals
@pytest.mark.usefixtures("own_origin")
@pytest.mark.parametrize("url", ["", "https://other.example.com"])
async def test_an_origin_of_ones_own_is_left_alone(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Nothing then speaks of reviews, nor is their port needed."""
    if url:
        monkeypatch.setenv("ORIGIN_URL", url)
    ports = free_ports()
    with socket.create_server(("127.0.0.1", int(ports[3]))):
        async with running(*ports) as command:
            await command.says("Press Ctrl-C")
            async with httpx2.AsyncClient(trust_env=False, follow_redirects=True) as browser:
                zendesk = f"http://localhost:{ports[5]}"
                pages = [(await browser.get(f"{zendesk}{path}")).text for path in ("/", "/admin", "/agent")]
                pages.append((await browser.post(f"{zendesk}/admin/accounts/new")).text)
            assert await command.ends(signal.SIGTERM) == 0
    assert f"ORIGIN URL {url or 'https://api.example.com'}\n" in command.said
    for text in (command.said, *pages):
        assert not re.search("review site|corner-cafe|demo-key", text, re.IGNORECASE)


@with_signals
@pytest.mark.usefixtures("code")
@pytest.mark.parametrize(
    ("option", "setting", "is_started"),
    [
        ([], "", True),
        ([], "http://127.0.0.1:8001", True),
        ([], "https://api.example.com", False),
        (["--no-demonstration-origin"], "", False),
        (["--demonstration-origin"], "https://api.example.com", True),
    ],
)
async def test_whether_the_demonstration_origin_starts(
    tmp_path: Path, option: list[str], setting: str, is_started: bool
) -> None:
    """As the code asks for it, which `.env` overrules, which the command line overrules."""
    (tmp_path / ".env").write_text(f"ORIGIN_URL={setting}\n" if setting else "", "utf-8")
    async with running(*free_ports(), *option) as command:
        await command.says("Press Ctrl-C")
        assert await command.ends(signal.SIGTERM) == 0
    assert ("Review site" in command.said, "corner-cafe" in command.said) == (is_started, is_started)


@with_signals
@pytest.mark.usefixtures("code")
async def test_the_service_ends_with_a_command_that_is_killed() -> None:
    ports = free_ports()
    async with running(*ports) as command:
        await command.says("Press Ctrl-C")
        command.process.kill()
        await command.process.wait()

        def is_free() -> bool:
            with suppress(OSError), socket.create_server(("127.0.0.1", int(ports[1]))):
                return True
            return False

        await until(is_free)
