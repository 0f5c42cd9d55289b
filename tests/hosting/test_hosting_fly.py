"""fly.toml and its variant for PostgreSQL, judged by the keys that Fly.io documents and by the project's own tests."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from hosting import JUDGED
from mistakes import Mistake, broken, named, overlooked
from validators import fly

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Hosted
    from projects import Project

FLY = "fly.toml"
POSTGRESQL = "deploy/fly.postgresql.toml"


SEEN_BY_THE_PLATFORM = [
    Mistake("misspells a section", FLY, "[http_service]", "[http_services]", "'http_services'"),
    Mistake("misspells a key", FLY, "force_https", "force_http", "'force_http'"),
    Mistake("gives a port in words", FLY, "internal_port = 8000", 'internal_port = "8000"', "'integer'"),
    Mistake("loses the port", FLY, "internal_port = 8000\n", "", "'internal_port' is a required property"),
    Mistake("stops as it likes", FLY, '"off"', '"never"', "'never'"),
    Mistake("waits for ever", FLY, '"70s"', '"600s"', "'600s'"),
    Mistake("invents a signal", FLY, '"SIGTERM"', '"TERM"', "'TERM'"),
    Mistake("invents a strategy", FLY, '"rolling"', '"blue-green"', "'blue-green'"),
    Mistake("mounts the whole disk", FLY, 'destination = "/data"', 'destination = "/"', "destination"),
    Mistake("mounts nowhere", FLY, 'destination = "/data"\n', "", "'destination' is a required property"),
    Mistake("gives a number of seconds", FLY, 'interval = "15s"', 'interval = "15"', "'15'"),
    Mistake("checks nothing", FLY, 'path = "/ready"\n', "", "'path' is a required property"),
    Mistake("writes a table once", FLY, "[[vm]]", "[vm]", "'array'"),
    Mistake("invents a size", FLY, "shared-cpu-1x", "small", "'small'"),
    Mistake("buys half a megabyte", FLY, '"512mb"', '"500mb"', "'500mb'"),
    Mistake("takes a variable of Fly.io's", FLY, "PUBLIC_URL =", "FLY_URL =", "'FLY_URL'"),
    Mistake("restarts sometimes", FLY, 'policy = "always"', 'policy = "sometimes"', "'sometimes'"),
    Mistake("writes a name twice", FLY, "[build]", 'app = "x"\n\n[build]', "Cannot overwrite a value"),
    Mistake("names the app in capitals", FLY, 'app = "acme-reviews"', 'app = "Acme"', "'Acme'"),
    Mistake("sets a flag", POSTGRESQL, 'WORKER_INSIDE = "false"', "WORKER_INSIDE = false", "'string'"),
    Mistake("starts a list", POSTGRESQL, '"acme-reviews worker"', '["acme-reviews", "worker"]', "'string'"),
    Mistake("lets none go", POSTGRESQL, "max_unavailable = 1", "max_unavailable = 0", "max_unavailable"),
]

SEEN_BY_THE_PROJECT = [
    Mistake("proxies to no port", FLY, "internal_port = 8000", "internal_port = 8080", "one_port"),
    Mistake("asks for nothing served", FLY, '"/ready"', '"/healthz"', "checks_ask_what"),
    Mistake("checks without end", FLY, 'timeout = "5s"', 'timeout = "20s"', "checks_ask_what"),
    Mistake("builds nothing", FLY, '"deploy/Dockerfile"', '"Dockerfile"', "projects_image"),
    Mistake("starts no command", FLY, '"acme-reviews serve"', '"acme-reviews server"', "runs_a_command"),
    Mistake("stops too early", FLY, '"70s"', '"30s"', "may_end"),
    Mistake("interrupts", FLY, "SIGTERM", "SIGINT", "may_end"),
    Mistake("sleeps at night", FLY, '"off"', '"suspend"', "for_want_of_requests"),
    Mistake("may be down", FLY, "min_machines_running = 1", "min_machines_running = 0", "for_want_of"),
    Mistake("mounts beside the file", FLY, '"/data"', '"/var/data"', "on_a_volume"),
    Mistake("starts two on one volume", FLY, '"rolling"', '"bluegreen"', "on_a_volume"),
    Mistake(
        "mounts for nobody", FLY, 'processes = ["web"]\ninitial', 'processes = ["app"]\ninitial', "is_there"
    ),
    Mistake("answers in the clear", FLY, "force_https = true", "force_https = false", "over_https"),
    Mistake(
        "shows its metrics", FLY, "[[vm]]", '[[metrics]]\nport = 8000\npath = "/metrics"\n\n[[vm]]', "metrics"
    ),
    Mistake("invents a setting", FLY, "PUBLIC_URL", "PUBLIC_HOST", "fit_for_production"),
    Mistake("names another app", FLY, 'app = "acme-reviews"', 'app = "acme"', "one_app"),
    Mistake("builds from elsewhere", POSTGRESQL, '"Dockerfile"', '"deploy/Dockerfile"', "projects_image"),
    Mistake("keeps a file", POSTGRESQL, '"postgresql://"', '"sqlite:////data/a.db"', "share_a_postgresql"),
    Mistake("works twice", POSTGRESQL, 'WORKER_INSIDE = "false"\n', "", "share_a_postgresql"),
    Mistake("leaves the work undone", POSTGRESQL, 'worker = "acme-reviews worker"\n', "", "fit_the_database"),
    Mistake("replaces all at once", POSTGRESQL, "running = 2", "running = 1", "share_a_postgresql"),
]


@pytest.mark.parametrize("name", JUDGED["fly"])
@pytest.mark.parametrize("file", [FLY, POSTGRESQL])
def test_the_platform_accepts(name: str, file: str, hosted: Hosted) -> None:
    assert not fly(hosted("fly", **JUDGED["fly"][name]).path / file)


@pytest.mark.parametrize("mistake", named(SEEN_BY_THE_PLATFORM))
def test_the_platform_refuses(mistake: Mistake, hosted: Hosted, tmp_path: Path) -> None:
    file = tmp_path / "fly.toml"
    file.write_text(broken(hosted("fly"), mistake), "utf-8")
    assert mistake.complaint in fly(file)


@pytest.mark.gate
def test_the_project_refuses(hosted: Hosted, tmp_path: Path) -> None:
    assert not overlooked(hosted("fly").copied(tmp_path / "project"), SEEN_BY_THE_PROJECT)


def section(project: Project, file: str, name: str) -> dict[str, str]:
    found: dict[str, str] = tomllib.loads(project.text(file))[name]
    return found


@pytest.mark.parametrize("file", [FLY, POSTGRESQL])
def test_the_public_url_is_the_one_answered_or_the_apps_own(file: str, hosted: Hosted) -> None:
    answered = hosted("fly", **JUDGED["fly"]["short"])
    assert section(answered, file, "env")["PUBLIC_URL"] == "https://reviews.example.com"
    assert section(hosted("fly"), file, "env")["PUBLIC_URL"] == "https://acme-reviews.fly.dev"


def test_only_projects_that_push_have_a_worker(hosted: Hosted) -> None:
    projects = {name: hosted("fly", **answers) for name, answers in JUDGED["fly"].items()}
    working = {name for name in projects if "worker" in section(projects[name], POSTGRESQL, "processes")}
    assert working == {"complete", "long"}
