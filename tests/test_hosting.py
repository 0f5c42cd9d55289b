"""The files for hosting and continuous integration, judged by their platforms' own validators.

A validator that takes anything would look the same as a good file, so each is also given files that were broken
in ways people really break them.
"""

from __future__ import annotations

import http.client
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml
from check_jsonschema import main as check_jsonschema  # type: ignore[import-untyped]
from click.testing import CliRunner
from commands import environment, run, tool
from projects import Project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Generate
    from projects import Template

PUBLIC_URL = "https://reviews.example.com"
GITHUB = ".github/workflows/ci.yml"
DEPENDABOT = ".github/dependabot.yml"
GITLAB = ".gitlab-ci.yml"

# What a validator has to say against a file: nothing, when the file is good.
Validator = Callable[[Path], str]


def program(*command: str, file: Path) -> str:
    """Run a validator that is a program of its own, installed beside Python."""
    name, *arguments = command
    ended = run(
        tool(name), *arguments, file, folder=file.parent, env=environment(PUBLIC_URL=PUBLIC_URL), check=False
    )
    return ended.output if ended.code else ""


def hadolint(file: Path) -> str:
    return program("hadolint", "--failure-threshold", "style", file=file)


def caddy(file: Path) -> str:
    return program("caddy", "validate", "--adapter", "caddyfile", "--config", file=file)


def schema(file: Path, *, builtin: str, transform: str | None = None) -> str:
    options = ["--data-transform", transform] if transform else []
    result = CliRunner().invoke(check_jsonschema, ["--builtin-schema", builtin, *options, str(file)])
    return result.output if result.exit_code else ""


VALIDATORS: dict[str, list[Validator]] = {
    "deploy/Dockerfile": [hadolint],
    "deploy/compose.yaml": [partial(schema, builtin="vendor.compose-spec")],
    "deploy/Caddyfile": [caddy],
    GITHUB: [
        partial(schema, builtin="vendor.github-workflows"),
        partial(schema, builtin="custom.github-workflows-require-timeout"),
    ],
    DEPENDABOT: [partial(schema, builtin="vendor.dependabot")],
    GITLAB: [partial(schema, builtin="vendor.gitlab-ci", transform="gitlab-ci")],
}


class Mistake(NamedTuple):
    """How a person breaks a file, and what a complaint about it has to mention."""

    what: str
    file: str
    before: str
    after: str
    complaint: str


MATRIX = '- PYTHON: ["3.11", "3.13", "3.14"]'

SEEN_BY_THE_PLATFORM = [
    Mistake("runs as root", "deploy/Dockerfile", "USER 10001:10001", "USER root", "DL3002"),
    Mistake(
        "takes any Python", "deploy/Dockerfile", "python:3.13-slim-trixie\n", "python:latest\n", "DL3007"
    ),
    Mistake("adds a shell", "deploy/Dockerfile", '["acme-reviews", "serve"]', "acme-reviews serve", "DL3025"),
    Mistake("copies from no stage", "deploy/Dockerfile", "--from=build", "--from=builder", "DL3022"),
    Mistake("has two commands", "deploy/Dockerfile", "STOPSIGNAL", 'CMD ["serve"]\nSTOPSIGNAL', "DL4003"),
    Mistake("exposes no port", "deploy/Dockerfile", "EXPOSE 8000", "EXPOSE 80000", "DL3011"),
    Mistake("misspells a key", "deploy/compose.yaml", "restart:", "restarts:", "'restarts' was unexpected"),
    Mistake("waits for no state", "deploy/compose.yaml", "service_healthy", "healthy", "service_healthy"),
    Mistake("mounts no list", "deploy/compose.yaml", "- data:/data", "data:/data", "'volumes'"),
    Mistake("mounts a folder", "deploy/compose.yaml", "- data:/data", "- {type: folder}", "'volumes'"),
    Mistake("misspells a directive", "deploy/Caddyfile", "reverse_proxy", "reverse_proxi", "reverse_proxi"),
    Mistake("gives a size in words", "deploy/Caddyfile", "2MiB", "small", "max_size"),
    Mistake("gives no unit", "deploy/Caddyfile", "60s", "60", "missing unit"),
    Mistake("loses a brace", "deploy/Caddyfile", "\t\t}\n\t}\n}\n", "\t\t}\n\t}\n", "unexpected EOF"),
    Mistake("matches nothing", "deploy/Caddyfile", "respond @internal", "respond @outside", "@outside"),
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
    Mistake("names a language", DEPENDABOT, "ecosystem: uv", "ecosystem: python", "'python'"),
    Mistake("invents an interval", DEPENDABOT, "weekly", "fortnightly", "'fortnightly'"),
    Mistake("looks nowhere", DEPENDABOT, "    directory: /deploy\n", "", "'directories'"),
    Mistake("writes days in words", DEPENDABOT, "days: 7", "days: a week", "'a week'"),
    Mistake("misspells the script", GITLAB, "  script:", "  scripts:", "'scripts' was unexpected"),
    Mistake("invents a condition", GITLAB, "when: never", "when: sometimes", "'sometimes'"),
    Mistake("multiplies by no list", GITLAB, MATRIX, 'PYTHON: "3.11"', "'array'"),
    Mistake("cancels as it likes", GITLAB, "commit: interruptible", "commit: always", "'always'"),
]

SEEN_BY_THE_PROJECT = [
    Mistake("probes another port", "deploy/Dockerfile", "127.0.0.1:8000", "127.0.0.1:8080", "one_port"),
    Mistake(
        "probes another path", "deploy/Dockerfile", "/channel/healthcheck", "/healthz", "probe_and_proxy"
    ),
    Mistake("probes for too long", "deploy/Dockerfile", "timeout=4)", "timeout=40)", "fits_into"),
    Mistake("ignores the lock", "deploy/Dockerfile", "sync --locked", "sync", "installs_what_is_locked"),
    Mistake("starts no command", "deploy/Dockerfile", '"serve"', '"server"', "starts_the_command"),
    Mistake("owns no data", "deploy/Dockerfile", "--owner=10001", "--owner=1000", "owns_the_data"),
    Mistake("forgets the data", "deploy/Dockerfile", "VOLUME /data", "VOLUME /var/data", "outlives"),
    Mistake("takes no tag", "deploy/compose.yaml", "caddy:2.11-alpine", "caddy:alpine", "pinned"),
    Mistake("restarts sometimes", "deploy/compose.yaml", "unless-stopped", "sometimes", "comes_back"),
    Mistake("hides behind localhost", "deploy/compose.yaml", "HOST: 0.0.0.0", "HOST: 127.0.0.1", "is_fixed"),
    Mistake(
        "passes by Caddy",
        "deploy/compose.yaml",
        "    init: true\n",
        "    ports: ['8000:8000']\n",
        "only_caddy",
    ),
    Mistake("waits for nobody", "deploy/compose.yaml", "service_healthy", "service_started", "only_caddy"),
    Mistake("invents a setting", "deploy/compose.yaml", "${PUBLIC_URL", "${PUBLIC_HOST", "is_a_setting"),
    Mistake(
        "stops too early", "deploy/compose.yaml", "grace_period: 70s", "grace_period: 10s", "take_its_time"
    ),
    Mistake("may write", "deploy/compose.yaml", "read_only: true", "read_only: false", "confined"),
    Mistake("proxies to no port", "deploy/Caddyfile", "web:8000 {", "web:8080 {", "one_port"),
    Mistake("shows its metrics", "deploy/Caddyfile", "path /metrics", "path /stats", "metrics_stay_inside"),
    Mistake(
        "cuts an answer short",
        "deploy/Caddyfile",
        "header_timeout 60s",
        "header_timeout 30s",
        "take_its_time",
    ),
    Mistake("lets too much in", "deploy/Caddyfile", "2MiB", "64MB", "same_bodies"),
    Mistake("ships secrets", ".dockerignore", "!src", "!src\n!.env", "no_secret"),
    Mistake("ships no code", ".dockerignore", "!src\n", "", "build_sees"),
]


def named(mistakes: list[Mistake]) -> list[Any]:
    return [pytest.param(mistake, id=f"{Path(mistake.file).name} {mistake.what}") for mistake in mistakes]


def broken(project: Project, mistake: Mistake) -> str:
    """Return a file's text with the mistake in it."""
    text = project.text(mistake.file)
    assert mistake.before in text
    return text.replace(mistake.before, mistake.after)


@pytest.fixture(scope="session")
def gitlab_project(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Project:
    answers = {"origin_name": "Acme Reviews", "continuous_integration": "gitlab"}
    return template.copy(tmp_path_factory.mktemp("gitlab") / "project", answers)


@pytest.fixture
def holder(default_project: Project, gitlab_project: Project) -> Callable[[str], Project]:
    """Return the project that has a file."""
    return lambda file: gitlab_project if file == GITLAB else default_project


@pytest.mark.parametrize("file", VALIDATORS)
def test_the_platform_accepts(file: str, holder: Callable[[str], Project]) -> None:
    for validate in VALIDATORS[file]:
        assert not validate(holder(file).path / file)


@pytest.mark.parametrize("mistake", named(SEEN_BY_THE_PLATFORM))
def test_the_platform_refuses(mistake: Mistake, holder: Callable[[str], Project], tmp_path: Path) -> None:
    file = tmp_path / Path(mistake.file).name
    file.write_text(broken(holder(mistake.file), mistake), "utf-8")
    complaints = [validate(file) for validate in VALIDATORS[mistake.file]]
    assert mistake.complaint in "\n".join(complaints)


@pytest.mark.parametrize("file", VALIDATORS)
def test_no_validator_is_silent(file: str) -> None:
    assert len([mistake for mistake in SEEN_BY_THE_PLATFORM if mistake.file == file]) >= 3


@pytest.fixture(scope="session")
def failures(template: Template, tmp_path_factory: pytest.TempPathFactory) -> dict[Mistake | None, set[str]]:
    """What the project's own test of its deployment says to each mistake, and to no mistake, in one run."""
    folder = tmp_path_factory.mktemp("mistakes")
    project = template.copy(folder / "project", {"origin_name": "Acme Reviews"})
    cases = dict(enumerate([None, *SEEN_BY_THE_PROJECT]))
    for number, mistake in cases.items():
        copy = Project(project.path / "copies" / str(number))
        # Outside a package, each copy of the test is a module of its own.
        shutil.copytree(project.path, copy.path, ignore=shutil.ignore_patterns("copies", "__init__.py"))
        if mistake:
            copy.write(mistake.file, broken(project, mistake))
    project.uv("sync")
    files = [f"copies/{number}/tests/test_deploy.py" for number in cases]
    command = ["run", "--no-sync", "pytest", "-q", "--noconftest", "--import-mode=importlib", "-rA", *files]
    output = project.uv(*command, check=False).output
    outcomes = re.findall(r"(?m)^(PASSED|FAILED) copies/(\d+)/tests/test_deploy\.py::(\w+)", output)
    assert {int(number) for _, number, _ in outcomes} == set(cases), output
    return {
        mistake: {
            name for outcome, in_copy, name in outcomes if outcome == "FAILED" and int(in_copy) == number
        }
        for number, mistake in cases.items()
    }


@pytest.mark.gate
@pytest.mark.xdist_group("mistakes in deploy")
def test_the_project_accepts_its_own_deployment(failures: dict[Mistake | None, set[str]]) -> None:
    assert not failures[None]


@pytest.mark.gate
@pytest.mark.xdist_group("mistakes in deploy")
@pytest.mark.parametrize("mistake", named(SEEN_BY_THE_PROJECT))
def test_the_project_refuses(mistake: Mistake, failures: dict[Mistake | None, set[str]]) -> None:
    assert any(mistake.complaint in name for name in failures[mistake])


def test_the_caddyfile_is_formatted(default_project: Project) -> None:
    assert not program("caddy", "fmt", "--diff", file=default_project.path / "deploy" / "Caddyfile")


@pytest.mark.parametrize(
    "name", ['Acme "Reviews"', "Acme's $HOME ${PATH} {{ reviews }}", "Acme: #1 | é 🦊 \\n"]
)
def test_no_origin_name_reaches_the_deployment(
    name: str, generate: Generate, default_project: Project
) -> None:
    project = generate(origin_name=name, project_slug="acme-reviews")
    for file in default_project.files():
        if file.startswith(("deploy/", ".github/")):
            assert project.text(file) == default_project.text(file)


def test_dependencies_are_watched_where_they_are_named(generate: Generate, default_project: Project) -> None:
    def watched(project: Project) -> set[tuple[str, str]]:
        updates = yaml.safe_load(project.text(".github/dependabot.yml"))["updates"]
        return {(update["package-ecosystem"], update["directory"]) for update in updates}

    everywhere = {("uv", "/"), ("github-actions", "/")}
    assert watched(generate(hosting="none")) == everywhere
    assert watched(default_project) == everywhere | {("docker", "/deploy"), ("docker-compose", "/deploy")}


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
    pythons = github_job(default_project, "gate")["strategy"]["matrix"]["python"]
    assert gitlab_job(gitlab_project, "gate")["parallel"]["matrix"] == [{"PYTHON": pythons}]


def test_the_gate_runs_on_the_oldest_python_and_on_the_images(default_project: Project) -> None:
    pythons = github_job(default_project, "gate")["strategy"]["matrix"]["python"]
    assert default_project.configuration["project"]["requires-python"] == f">={pythons[0]}"
    stages = re.findall(r"FROM python:(\d+\.\d+)-", default_project.text("deploy/Dockerfile"))
    assert len(set(stages)) == 1
    assert set(stages) < set(pythons)


def test_one_uv_builds_and_checks(gitlab_project: Project) -> None:
    installs = [
        *gitlab_job(gitlab_project, "gate")["before_script"],
        gitlab_project.text("deploy/Dockerfile"),
    ]
    versions = [re.findall(r"pip install .*\buv==(\S+)", text) for text in installs]
    assert len(versions) == 2
    assert versions[0] == versions[1] == ["0.13.*"]


def test_the_workflow_may_only_read(default_project: Project) -> None:
    workflow = yaml.safe_load(default_project.text(GITHUB))
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is True
    for job in workflow["jobs"].values():
        assert "permissions" not in job
        for step in job["steps"]:
            action = step.get("uses", "some/thing@v1")
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+(\.\d+\.\d+)?", action)
            assert "checkout" not in action or step["with"] == {"persist-credentials": False}


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


class Upstream(BaseHTTPRequestHandler):
    """Stands for the service: takes every request and answers with its path."""

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    do_GET = do_POST = answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Keep the test's output quiet."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Proxied(NamedTuple):
    port: int
    upstream: int

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture
def proxied(default_project: Project, tmp_path: Path) -> Iterator[Proxied]:
    """The project's Caddyfile in a real Caddy, without HTTPS, in front of a port where nobody listens yet."""
    ports = Proxied(free_port(), free_port())
    caddyfile = tmp_path / "Caddyfile"
    text = default_project.text("deploy/Caddyfile").replace("web:8000", f"127.0.0.1:{ports.upstream}")
    caddyfile.write_text(text.replace("{", "{\n\tadmin off", 1), "utf-8")
    process = subprocess.Popen(
        [tool("caddy"), "run", "--adapter", "caddyfile", "--config", caddyfile],
        env=environment(PUBLIC_URL=f"http://127.0.0.1:{ports.port}", HOME=str(tmp_path)),
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as caller:
                if caller.connect_ex(("127.0.0.1", ports.port)) == 0:
                    break
            time.sleep(0.05)
        yield ports
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_caddy_guards_the_service_and_waits_for_it(proxied: Proxied) -> None:
    answers: list[tuple[int, str]] = []
    early = threading.Thread(target=lambda: answers.append(proxied.ask("POST", "/channel/channelback")))
    early.start()
    time.sleep(1)
    with ThreadingHTTPServer(("127.0.0.1", proxied.upstream), Upstream) as upstream:
        threading.Thread(target=upstream.serve_forever).start()
        try:
            early.join(timeout=30)
            assert answers == [(200, "/channel/channelback")]
            for path in ("/metrics", "/metrics/", "/Metrics", "/%6detrics", "//metrics", "/x/../metrics"):
                assert proxied.ask("GET", path) == (404, ""), path
            assert proxied.ask("POST", "/channel/pull", b"x" * 2 * 1024 * 1024) == (200, "/channel/pull")
            assert proxied.ask("POST", "/channel/pull", b"x" * (2 * 1024 * 1024 + 1))[0] == 413
        finally:
            upstream.shutdown()
