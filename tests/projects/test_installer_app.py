"""The app that comes with a project: with a sidebar and without, Zendesk takes it and nothing is remarked on."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import threading
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from commands import ROOT
from questionnaire import present_questionnaire
from sandbox.app.packaging import packed_files, zipped
from sandbox.validate.app_package import judge, read_package

if TYPE_CHECKING:
    from pathlib import Path

    from projects import Project

MANIFEST = "https://reviews.acme.dev/channel/manifest"
LANGUAGES = ("de", "en", "es", "fr", "ja", "pt")


@pytest.fixture(params=["default_project", "everything"])
def project(request: pytest.FixtureRequest) -> Project:
    found: Project = request.getfixturevalue(request.param)
    return found


def packed(project: Project) -> dict[str, bytes]:
    return packed_files(project.path / "installer_app", MANIFEST)


def test_nothing_is_wrong_with_the_app_nor_with_its_package(project: Project) -> None:
    assert judge(read_package(project.path / "installer_app")) == []
    package = zipped(packed(project))
    assert judge(read_package(package)) == []
    assert package == zipped(packed(project))


def test_an_app_without_pages_holds_nothing_of_them(default_project: Project) -> None:
    files = packed(default_project)
    manifest = json.loads(files["manifest.json"])
    assert manifest["requirementsOnly"] is True
    assert not {"location", "frameworkVersion"} & set(manifest)
    assert {name for name in files if name.startswith("assets/")} == {
        "assets/logo-small.png",
        "assets/logo.png",
        "assets/logo.svg",
    }


def test_a_sidebar_comes_with_its_texts_in_every_language(everything: Project) -> None:
    """Zendesk serves what lies below assets/ alone."""
    files = packed(everything)
    manifest = json.loads(files["manifest.json"])
    assert "requirementsOnly" not in manifest
    assert manifest["frameworkVersion"] == "2.0"
    place = manifest["location"]["support"]["ticket_sidebar"]
    assert place == {"url": "assets/sidebar.html", "flexible": True}
    texts = json.loads(files["assets/translations.json"])
    assert set(texts) == set(LANGUAGES)
    for language, own in texts.items():
        written = json.loads(files[f"translations/{language}.json"])
        assert own == {key: value for key, value in written.items() if key != "app"}
        assert names(own) == names(texts["en"])
        assert own == texts["en"] or own["sidebar"]["mark"] != texts["en"]["sidebar"]["mark"]


def names(texts: Any, before: str = "") -> set[str]:
    if not isinstance(texts, dict):
        return {before}
    return {name for key, value in texts.items() for name in names(value, f"{before}/{key}")}


def test_the_sidebar_has_words_for_every_refusal_of_the_service(everything: Project) -> None:
    """What only an app that is no app of ours could cause needs none: it reads as that the service is away."""
    refusals = {
        str(call.args[1].value)
        for module in ("actions", "endpoint")
        for call in ast.walk(ast.parse(everything.text(f"{everything.source}/proxy/{module}.py")))
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") == "RequestError"
        and isinstance(call.args[1], ast.Constant)
    }
    texts = json.loads(packed(everything)["assets/translations.json"])["en"]["sidebar"]["problems"]
    assert refusals - set(texts) == {"invalid_json", "too_large"}
    assert "origin_unavailable" in refusals


class Contents(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.integration = self.title = ""
        self._in_title = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self._in_title = tag == "title"
        if values.get("name") == "integration-id":
            self.integration = str(values["content"])

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data.strip()


@pytest.mark.parametrize("name", ["Acme", 'A & B <"Ltd">', "</title><script>'"])
def test_any_name_stands_in_the_page_as_it_is(name: str) -> None:
    form = present_questionnaire()
    id_ = "x:\"'<>&"
    values = form.answer(
        {"origin_name": name, "capabilities": ["pull", "proxy"], "integration_id": id_}
    ).values
    page = (ROOT / "template/installer_app/assets/sidebar.html.jinja").read_text("utf-8")
    shown = Contents(form.render(page, values))
    assert (shown.title, shown.integration) == (name, id_)


def test_the_sidebar_knows_its_own_tickets(everything: Project) -> None:
    identity = ast.parse(everything.text(f"{everything.source}/identity.py"))
    (known,) = [
        ast.literal_eval(node.value)
        for node in identity.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "INTEGRATION_ID"
    ]
    assert Contents(everything.text("installer_app/assets/sidebar.html")).integration == known


SENT = """
(async () => {
  await fetch("https://acme.zendesk.com/api/v2/apps/owned.json");
  await fetch(new URL("https://acme.zendesk.com/api/v2/apps/1"));
  await fetch(new Request("https://acme.zendesk.com/api/v2/apps/uploads.json", { method: "POST", body: "zip" }));
})();
"""


@pytest.mark.skipif(
    not shutil.which("node") and os.environ.get("NODE_TESTS") != "required", reason="Node is not installed."
)
def test_the_script_in_zclis_way_leads_its_calls_to_the_sandbox(
    default_project: Project, tmp_path: Path
) -> None:
    """zcli calls by `fetch`, with a text, a URL or a request."""
    seen: list[str] = []

    class Sandbox(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            seen.append(f"{self.command} {self.path} {body.decode()}".strip())
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    text = (default_project.path / "docs" / "installer_app.md").read_text("utf-8")
    (script,) = re.findall(r"```js\n(.*?)```", text, re.DOTALL)
    with ThreadingHTTPServer(("127.0.0.1", 0), Sandbox) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (tmp_path / "sandbox.js").write_text(script.replace(":8002", f":{server.server_port}"), "utf-8")
        command = ["node", "--require", "./sandbox.js", "-e", SENT]
        subprocess.run(command, cwd=tmp_path, check=True, timeout=30)
        server.shutdown()

    assert seen == ["GET /api/v2/apps/owned.json", "GET /api/v2/apps/1", "POST /api/v2/apps/uploads.json zip"]
