"""Several processes on PostgreSQL behind Caddy: while each is restarted, no request and no message is lost."""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fleet import Fleet
from load_balancer import Caddy, adapted, running_caddy
from machine import (
    Machine,
    free_port,
    running_postgresql,
    started,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projects import Template

EVERYTHING = ["pull", "push", "channelback", "clickthrough", "event_callback", "about", "dashboard"]
TRAFFIC = Path(__file__).with_name("traffic.py")
SECONDS_TO_SETTLE = 240


@pytest.fixture(scope="module")
def machine(template: Template) -> Iterator[Machine]:
    """A project for Compose, whose files know of web processes, workers and Caddy, beside a running database."""
    with tempfile.TemporaryDirectory(prefix="fleet-") as temporary:
        answers = {"origin_name": "Acme Reviews", "capabilities": EVERYTHING, "hosting": "compose"}
        project = template.copy(Path(temporary) / "project", answers)
        machine = Machine.with_programs_of(project, Path(temporary))
        with running_postgresql(machine):
            yield machine


def restart_under_traffic(
    machine: Machine, caddyfile: str, *, web: int, workers: int, rounds: int
) -> tuple[dict[str, Any], Caddy]:
    """Restart one member after the other while everybody is at work; give what they report, and Caddy."""
    ports = [free_port() for _ in range(web)]
    origin, zendesk = free_port(), free_port()
    with running_caddy(adapted(caddyfile, ports), machine.folder) as caddy, ExitStack() as stack:
        fleet = Fleet(
            machine,
            public_url=caddy.url,
            origin_url=f"http://127.0.0.1:{origin}",
            zendesk_url=f"http://127.0.0.1:{zendesk}",
        )
        members = [*map(fleet.web, ports), *map(fleet.worker, range(workers))]
        for member in members:
            stack.enter_context(member)
        command = [machine.programs / "python", TRAFFIC, f"{caddy.url}/channel/manifest", origin, zendesk]
        log = machine.folder / "traffic.log"
        environment = {"PYTHONPATH": str(machine.project.path)}
        traffic = stack.enter_context(started([*map(str, command)], machine.folder, environment, log))
        wait_until(lambda: "flowing" in log.read_text(), "not everything is answered", traffic)
        for member in members * rounds:
            member.restart()
        traffic.communicate(timeout=SECONDS_TO_SETTLE)
        assert traffic.returncode == 0
        return json.loads(log.read_text().splitlines()[-1]), caddy


@pytest.mark.gate
def test_a_rolling_restart_loses_nothing(machine: Machine) -> None:
    caddyfile = machine.project.text("deploy/Caddyfile")

    report, caddy = restart_under_traffic(machine, caddyfile, web=2, workers=2, rounds=2)

    assert report["faults"] == []
    answered = caddy.answered()
    assert {status for _, status in answered} == {200, 202}
    # The site tells of every post, and tells again what was not accepted at once.
    webhooks = [path for path, _ in answered if path.startswith("/webhook/")]
    assert len(webhooks) == report["posts"] + report["replies"] > 100


@pytest.mark.gate
def test_without_its_second_try_a_restart_would_lose_requests(machine: Machine) -> None:
    caddyfile = machine.project.text("deploy/Caddyfile").replace("lb_try_duration 55s", "lb_try_duration 0s")

    report, caddy = restart_under_traffic(machine, caddyfile, web=2, workers=1, rounds=1)

    assert report["faults"]
    assert 502 in {status for _, status in caddy.answered()}
