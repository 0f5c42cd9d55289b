"""The files for continuous integration, judged by their platforms' own validators and run as far as they can be."""

from __future__ import annotations

import json
import re
import shutil
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
import yaml
from commands import ROOT, run, tool, uv_binary
from mistakes import Mistake, Validator, broken, named, program, schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Generate, Hosted
    from projects import Project, Template

GITHUB = ".github/workflows/ci.yml"
DEPENDABOT = ".github/dependabot.yml"
GITLAB = ".gitlab-ci.yml"
RENOVATE = "renovate.json"

ZIZMOR = ("zizmor", "--offline", "--no-progress", "--no-config")


def secure(file: Path) -> str:
    """What may be done to a workflow by somebody who opens a pull request, or owns an action that it uses."""
    return program(*ZIZMOR, "--persona=pedantic", file=file)


VALIDATORS: dict[str, list[Validator]] = {
    GITHUB: [
        partial(schema, builtin="vendor.github-workflows"),
        partial(schema, builtin="custom.github-workflows-require-timeout"),
        secure,
    ],
    DEPENDABOT: [partial(schema, builtin="vendor.dependabot")],
    GITLAB: [partial(schema, builtin="vendor.gitlab-ci", transform="gitlab-ci")],
    RENOVATE: [partial(schema, builtin="vendor.renovate")],
}

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
MATRIX = '- PYTHON: ["3.11", "3.13", "3.14"]'

MISTAKES = [
    Mistake("misspells an event", GITHUB, "pull_request:", "pull_requests:", "pull_requests"),
    Mistake("asks for too much", GITHUB, "contents: read", "contents: everything", "everything"),
    Mistake("runs nowhere", GITHUB, "    runs-on: ubuntu-latest\n", "", "'runs-on' is a required property"),
    Mistake(
        "may hang for hours",
        GITHUB,
        "    timeout-minutes: 5\n",
        "",
        "'timeout-minutes' is a required property",
    ),
    Mistake("does nothing in a step", GITHUB, "- run: uv sync", "- runs: uv sync", "required property"),
    Mistake("trusts a tag", GITHUB, f"{CHECKOUT}\n", "actions/checkout@v7\n", "unpinned-uses"),
    Mistake("leaves credentials behind", GITHUB, "persist-credentials: false", "clean: true", "artipacked"),
    Mistake("may write", GITHUB, "  contents: read", "  contents: write", "excessive-permissions"),
    Mistake(
        "runs titles", GITHUB, "uv sync --locked", "echo ${{ github.event.pull_request.title }}", "injection"
    ),
    Mistake("lets strangers in", GITHUB, "  pull_request:", "  pull_request_target:", "dangerous-triggers"),
    Mistake("names a language", DEPENDABOT, "ecosystem: uv", "ecosystem: python", "'python'"),
    Mistake("invents an interval", DEPENDABOT, "weekly", "fortnightly", "'fortnightly'"),
    Mistake("looks nowhere", DEPENDABOT, "    directory: /deploy\n", "", "'directories'"),
    Mistake("writes days in words", DEPENDABOT, "days: 7", "days: a week", "'a week'"),
    Mistake("misspells a pause", DEPENDABOT, "cooldown:", "cool-down:", "'cool-down'"),
    Mistake("misspells the script", GITLAB, "  script:", "  scripts:", "'scripts' was unexpected"),
    Mistake("invents a condition", GITLAB, "when: never", "when: sometimes", "'sometimes'"),
    Mistake("multiplies by no list", GITLAB, MATRIX, 'PYTHON: "3.11"', "'array'"),
    Mistake("cancels as it likes", GITLAB, "commit: interruptible", "commit: always", "'always'"),
    Mistake("waits for a number", RENOVATE, '"7 days"', "7", "'string'"),
    Mistake("groups by a number", RENOVATE, '"groupName": "uv"', '"groupName": 1', "'string'"),
    Mistake("invents a manager", RENOVATE, '"regex"', '"regexp"', "'regexp'"),
    Mistake("searches for one text", RENOVATE, '["\\\\buv==', '"\\\\buv==', "Failed to parse"),
    Mistake("comes every so often", RENOVATE, '["* 0-5 * * 1"]', "7", "'array'"),
    Mistake("keeps a folder", GITLAB, "paths: [.uv-cache]", "paths: .uv-cache", "'.uv-cache'"),
]


@pytest.fixture(scope="session")
def gitlab_project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    answers = {"origin_name": "Acme Reviews", "continuous_integration": "gitlab"}
    return template.copy(tmp_path_factory.mktemp("gitlab") / "project", answers)


@pytest.fixture
def holder(default_project: Project, gitlab_project: Project) -> Callable[[str], Project]:
    """Return the project that has a file."""
    return lambda file: gitlab_project if file in {GITLAB, RENOVATE} else default_project


@pytest.mark.parametrize("file", VALIDATORS)
def test_the_platform_accepts(file: str, holder: Callable[[str], Project]) -> None:
    for validate in VALIDATORS[file]:
        assert not validate(holder(file).path / file)


@pytest.mark.parametrize("mistake", named(MISTAKES))
def test_the_platform_refuses(mistake: Mistake, holder: Callable[[str], Project], tmp_path: Path) -> None:
    file = tmp_path / Path(mistake.file).name
    file.write_text(broken(holder(mistake.file), mistake), "utf-8")
    complaints = [validate(file) for validate in VALIDATORS[mistake.file]]
    assert mistake.complaint in "\n".join(complaints)


@pytest.mark.parametrize("file", VALIDATORS)
def test_no_validator_is_silent(file: str) -> None:
    assert len([mistake for mistake in MISTAKES if mistake.file == file]) >= 5


def github_job(project: Project, name: str) -> dict[str, Any]:
    job: dict[str, Any] = yaml.safe_load(project.text(GITHUB))["jobs"][name]
    return job


def github_commands(project: Project, name: str) -> list[str]:
    return [step["run"].strip() for step in github_job(project, name)["steps"] if "run" in step]


def gitlab_job(project: Project, name: str) -> dict[str, Any]:
    job: dict[str, Any] = yaml.safe_load(project.text(GITLAB))[name]
    return job


def test_both_providers_check_the_same(default_project: Project, gitlab_project: Project) -> None:
    gate = github_commands(default_project, "gate")
    assert gate == ["uv sync --locked", "uv run poe gate"]
    assert gitlab_job(gitlab_project, "gate")["script"][: len(gate)] == gate
    leftovers = [command.strip() for command in gitlab_job(gitlab_project, "leftovers")["script"]]
    assert leftovers == github_commands(default_project, "leftovers")
    assert gitlab_job(gitlab_project, "audit")["script"] == github_commands(default_project, "audit")
    pythons = github_job(default_project, "gate")["strategy"]["matrix"]["python"]
    assert gitlab_job(gitlab_project, "gate")["parallel"]["matrix"] == [{"PYTHON": pythons}]


def test_the_gate_runs_on_the_oldest_python_and_on_the_images(default_project: Project) -> None:
    pythons = github_job(default_project, "gate")["strategy"]["matrix"]["python"]
    assert default_project.configuration["project"]["requires-python"] == f">={pythons[0]}"
    (image,) = re.findall(r"FROM python:(\d+\.\d+)-", default_project.text("deploy/Dockerfile"))
    assert image in pythons


def test_one_uv_builds_and_checks(gitlab_project: Project) -> None:
    (image,) = re.findall(r"FROM astral/uv:(\d+\.\d+)\.\d+ AS", gitlab_project.text("deploy/Dockerfile"))
    (install,) = gitlab_job(gitlab_project, "gate")["before_script"]
    assert gitlab_job(gitlab_project, "audit")["before_script"] == [install]
    (pattern,) = json.loads(gitlab_project.text(RENOVATE))["customManagers"][0]["matchStrings"]
    found = re.search(pattern.replace("(?<", "(?P<"), install)
    assert found
    assert found["currentValue"] == f"{image}.*"


def test_dependencies_are_watched_where_they_are_named(hosted: Hosted, default_project: Project) -> None:
    def watched(project: Project) -> set[tuple[str, str]]:
        updates = yaml.safe_load(project.text(DEPENDABOT))["updates"]
        return {(update["package-ecosystem"], update["directory"]) for update in updates}

    everywhere = {("uv", "/"), ("github-actions", "/")}
    assert watched(hosted("none")) == everywhere
    assert watched(hosted("kubernetes")) == everywhere | {("docker", "/deploy")}
    assert watched(default_project) == everywhere | {("docker", "/deploy"), ("docker-compose", "/deploy")}


def test_each_provider_is_asked_for_updates_in_its_own_way(
    generate: Generate, default_project: Project, gitlab_project: Project
) -> None:
    files = {DEPENDABOT, RENOVATE}
    assert files & set(default_project.files()) == {DEPENDABOT}
    assert files & set(gitlab_project.files()) == {RENOVATE}
    assert not files & set(generate(continuous_integration="none").files())


def test_the_workflow_may_only_read(default_project: Project) -> None:
    workflow = yaml.safe_load(default_project.text(GITHUB))
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is True
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        for step in job["steps"]:
            action = step.get("uses", f"some/thing@{'0' * 40}")
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)
            assert "checkout" not in action or step["with"] == {"persist-credentials": False}


def test_the_workflow_of_the_template_is_as_safe() -> None:
    run(*(tool("zizmor"), *ZIZMOR[1:]), ROOT / ".github/workflows/test.yml", folder=ROOT)


AUDITED = """[project]
name = "audited"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["starlette"]

[tool.uv]
package = false
index-url = "https://index.example/simple"
"""
AUDITED_LOCK = f"""version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "audited"
version = "0.1.0"
source = {{ virtual = "." }}
dependencies = [{{ name = "starlette" }}]

[package.metadata]
requires-dist = [{{ name = "starlette" }}]

[[package]]
name = "starlette"
version = "1.10.0"
source = {{ registry = "https://index.example/simple" }}
sdist = {{ url = "https://index.example/starlette-1.10.0.tar.gz", hash = "sha256:{"0" * 64}", size = 1 }}
"""


class Vulnerabilities(BaseHTTPRequestHandler):
    """Answers as OSV does; `known` are the vulnerabilities of every package."""

    known: ClassVar[list[dict[str, str]]] = []

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        assert [(query["package"]["name"], query["version"]) for query in asked] == [("starlette", "1.10.0")]
        self._answer({"results": [{"vulns": self.known}]})

    def do_GET(self) -> None:
        self._answer(self.known[0] | {"summary": "It is broken", "affected": []})

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.mark.parametrize("known", [[], [{"id": "GHSA-1", "modified": "2026-01-01T00:00:00Z"}]])
def test_a_known_vulnerability_is_refused(
    known: list[dict[str, str]], default_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is locked is what is asked about. The true service is asked in earnest only."""
    monkeypatch.setattr(Vulnerabilities, "known", known)
    (tmp_path / "pyproject.toml").write_text(AUDITED)
    (tmp_path / "uv.lock").write_text(AUDITED_LOCK)
    (command,) = github_commands(default_project, "audit")
    _, *arguments = command.split()
    with ThreadingHTTPServer(("127.0.0.1", 0), Vulnerabilities) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        service = f"--service-url=http://127.0.0.1:{server.server_port}/"
        ended = run(uv_binary(), *arguments, service, folder=tmp_path, check=False)
        server.shutdown()
    assert ended.code == (1 if known else 0), ended.output
    assert ("It is broken" in ended.output) == bool(known)


LEFTOVERS = {
    "README.md": "<<<<<<< before updating\nmine\n=======\nyours\n>>>>>>> after updating\n",
    "pyproject.toml": "[project]\n>>>>>>> after updating\n",
    "compose.yaml.rej": "@@ -1 +1 @@\n",
}


@pytest.mark.parametrize("leftover", [None, *LEFTOVERS])
def test_what_an_update_left_unresolved_is_refused(
    leftover: str | None, default_project: Project, tmp_path: Path
) -> None:
    project = shutil.copytree(default_project.path, tmp_path / "project")
    if leftover:
        (project / leftover).write_text(LEFTOVERS[leftover], "utf-8")
    for script in github_commands(default_project, "leftovers"):
        ended = run("bash", "-e", "-c", script, folder=project, check=False)
        assert ended.code == (1 if leftover else 0), ended.output
        assert not leftover or f"./{leftover}" in ended.output


def test_each_commit_is_checked_by_the_gates_own_tasks(default_project: Project) -> None:
    repositories = yaml.safe_load(default_project.text(".pre-commit-config.yaml"))["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    hooks = {hook["id"]: hook for hook in repositories[0]["hooks"]}
    tasks = default_project.configuration["tool"]["poe"]["tasks"]
    checks = [name for name in tasks["gate"] if name != "test"]
    assert [name for name, hook in hooks.items() if hook["language"] == "system"] == checks
    for name in checks:
        assert hooks[name]["entry"] == f"uv run poe {name}"
        assert tasks[name].startswith(hooks[name]["name"])
    marker = re.compile(hooks["conflict-markers"]["entry"], re.MULTILINE)
    rejected = re.compile(hooks["rejected-changes"]["files"])
    for file, text in LEFTOVERS.items():
        assert marker.search(text) or rejected.search(file)
