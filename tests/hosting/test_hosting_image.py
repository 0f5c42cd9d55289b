"""The Dockerfile, judged by hadolint, by the project's own tests, and by doing what it says."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from commands import run
from image import built
from machine import wait_until
from mistakes import PUBLIC_URL, Mistake, broken, named, overlooked
from validators import hadolint

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Hosted

FILE = "deploy/Dockerfile"
NAME = f"acme-reviews-{os.getpid()}"
# What a person tells every container.
TOLD = {
    "PUBLIC_URL": PUBLIC_URL,
    "SIGNING_KEYS": "k" * 48,
    "SEALING_KEYS": "a" * 43 + "=",
    "OPERATOR_PASSWORD": "secret",
}
TARGETS = ["compose", "kubernetes", "fly", "cloud_run"]

SEEN_BY_HADOLINT = [
    Mistake("runs as root", FILE, "USER 10001:10001", "USER root", "DL3002"),
    Mistake("takes any Python", FILE, "python:3.13-slim-trixie", "python:latest", "DL3007"),
    Mistake("takes an unknown Python", FILE, "python:3.13-slim-trixie", "python", "DL3006"),
    Mistake("adds a shell", FILE, '["acme-reviews", "serve"]', "acme-reviews serve", "DL3025"),
    Mistake("copies from no stage", FILE, "--from=build", "--from=builder", "DL3022"),
    Mistake("has two commands", FILE, "STOPSIGNAL", 'CMD ["serve"]\nSTOPSIGNAL', "DL4003"),
    Mistake("exposes no port", FILE, "EXPOSE 8000", "EXPOSE 80000", "DL3011"),
]

SEEN_BY_THE_PROJECT = [
    Mistake("probes another port", FILE, "127.0.0.1:8000", "127.0.0.1:8080", "one_port"),
    Mistake("probes another path", FILE, "/channel/healthcheck", "/healthz", "names_a_path"),
    Mistake("probes for too long", FILE, "timeout=4)", "timeout=40)", "fits_into"),
    Mistake("ignores the lock", FILE, "sync --locked", "sync", "installs_what_is_locked"),
    Mistake("starts no command", FILE, '"serve"', '"server"', "starts_the_command"),
    Mistake("owns no data", FILE, "--owner=10001", "--owner=1000", "owns_the_data"),
    Mistake("forgets the data", FILE, "VOLUME /data", "VOLUME /var/data", "owns_the_data"),
    Mistake("takes any uv", FILE, "astral/uv:0.13.8", "astral/uv:latest", "is_pinned"),
    Mistake("names a Python twice", FILE, "FROM python\n", "FROM python:3.14-slim\n", "is_pinned"),
    Mistake("hides behind localhost", FILE, "HOST=0.0.0.0", "HOST=127.0.0.1", "made_for_production"),
    Mistake("invents a setting", FILE, "PYTHONUNBUFFERED=1", "UNBUFFERED=1", "made_for_production"),
    Mistake("is killed", FILE, "STOPSIGNAL SIGTERM", "STOPSIGNAL SIGKILL", "stopped_by"),
    Mistake("ships secrets", ".dockerignore", "!src", "!src\n!.env", "no_secret"),
    Mistake("ships everything", ".dockerignore", "\n*\n", "\n", "build_sees"),
    Mistake("ships no lock", ".dockerignore", "!uv.lock\n", "", "build_sees"),
    Mistake("ships what people keep", ".dockerignore", "!src", "!src\n!var", "no_secret"),
    Mistake("ships no code", ".dockerignore", "!src\n", "", "build_sees"),
]


@pytest.mark.parametrize("hosting", TARGETS)
def test_hadolint_accepts(hosting: str, hosted: Hosted) -> None:
    assert not hadolint(file=hosted(hosting).path / FILE)


@pytest.mark.parametrize("mistake", named(SEEN_BY_HADOLINT))
def test_hadolint_refuses(mistake: Mistake, hosted: Hosted, tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(broken(hosted("compose"), mistake), "utf-8")
    assert mistake.complaint in hadolint(file=file)


@pytest.mark.gate
def test_the_project_refuses_a_broken_image(hosted: Hosted, tmp_path: Path) -> None:
    assert not overlooked(hosted("compose").copied(tmp_path / "project"), SEEN_BY_THE_PROJECT)


def test_every_target_has_the_same_image(hosted: Hosted) -> None:
    """All but the folder for data, which a target without a disk has not."""
    texts = {hosting: hosted(hosting).text(FILE) for hosting in TARGETS}
    assert texts["compose"] == texts["kubernetes"] == texts["fly"]
    lines = texts["cloud_run"].replace("PORT=8000", "PORT=8000 \\").splitlines()
    dropped = [line for line in texts["compose"].splitlines() if line not in lines]
    assert [line for line in dropped if "/data" not in line and not line.startswith("# A new volume")] == []
    assert set(lines) <= set(texts["compose"].splitlines())


@pytest.mark.gate
def test_a_container_engine_builds_the_image_and_runs_it(hosted: Hosted, tmp_path: Path) -> None:
    """Where one runs; the next test needs none."""
    engines = [name for name in ("docker", "podman") if shutil.which(name)]
    engine = next((name for name in engines if run(name, "info", folder=tmp_path, check=False).code == 0), "")
    if not engine:
        pytest.skip("No container engine runs on this machine.")
    project = hosted("compose").copied(tmp_path / "project")
    project.lock()
    image = f"acme-reviews:test-{os.getpid()}"

    def call(*arguments: str) -> str:
        return run(engine, *arguments, folder=project.path, timeout=900).output.strip()

    call("build", "--file", FILE, "--tag", image, ".")
    told = [f"--env={name}={value}" for name, value in TOLD.items()]
    confined = ["--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges"]
    call("run", "--detach", "--name", NAME, *confined, "--publish=127.0.0.1::8000", *told, image)
    try:
        wait_until(
            lambda: call("inspect", "--format={{.State.Health.Status}}", NAME) == "healthy",
            "the container is not healthy",
        )
        address = call("port", NAME, "8000").splitlines()[0]
        with urlopen(f"http://{address}/channel/manifest", timeout=10) as answer:
            assert json.load(answer)["urls"]["admin_ui"] == f"{PUBLIC_URL}/channel/admin_ui"
        assert call("exec", NAME, "id", "-u") == "10001"
        call("stop", "-t", "70", NAME)
        assert call("inspect", "--format={{.State.ExitCode}}", NAME) == "0"
    finally:
        call("rm", "--force", "--volumes", NAME)
        call("rmi", "--force", image)


@pytest.mark.gate
def test_the_image_is_built_and_serves_without_rights(hosted: Hosted, tmp_path: Path) -> None:
    project = hosted("compose").copied(tmp_path / "project")
    project.lock()
    with built(project) as image:
        before = sorted(map(str, (image.folder / "app").rglob("*")))
        with image.serving(**TOLD) as container:
            with urlopen(f"http://127.0.0.1:{container.port}/channel/manifest", timeout=10) as answer:
                manifest = json.load(answer)
            with urlopen(f"http://127.0.0.1:{container.port}/ready", timeout=10) as answer:
                assert answer.read() == b"ready"
        assert manifest["urls"]["admin_ui"] == f"{PUBLIC_URL}/channel/admin_ui"
        assert container.process.returncode == 0
        assert container.checked().code != 0
        assert sorted(map(str, (image.folder / "app").rglob("*"))) == before
        written = [path for path in image.folder.glob("data/*") if path.suffix == ".db"]
        assert [path.name for path in written] == ["acme-reviews.db"]
        assert {path.stat().st_uid for path in written} == {image.user.get("user", os.geteuid())}
