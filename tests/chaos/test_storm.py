"""Nothing is lost, doubled or put out of order, whatever happens to processes, connections and Zendesk.

The same at full size: benchmarks/storm.py and benchmarks/replies.py.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from commands import environment, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from projects import Project

COURSE = Path(__file__).with_name("course.py")
REPLIES = Path(__file__).with_name("replies.py")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot kill or freeze a process so.")


@pytest.fixture
def survived(with_webhooks: Project, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    source = with_webhooks.installed(tmp_path / "src")
    path = os.pathsep.join([str(source), str(with_webhooks.path)])

    def run_course(*options: str, course: Path = COURSE) -> dict[str, Any]:
        env = environment(PYTHONPATH=path)
        ended = run(sys.executable, course, *options, folder=tmp_path, env=env, timeout=600)
        # Libraries may warn of the machine before.
        report: dict[str, Any] = json.loads(ended.output[ended.output.index("{") :])
        return report

    return run_course


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_small_storm_is_survived(database: str, survived: Callable[..., dict[str, Any]]) -> None:
    """SVC-57"""
    storm = ("--messages=120", "--threads=6", "--accounts=2", "--kills=2", "--freezes=1", "--workers=2")

    report = survived(database, *storm)

    assert report["messages"] == 120
    assert report["disturbances"] >= 2


def test_in_fair_weather_each_post_is_sent_once(survived: Callable[..., dict[str, Any]]) -> None:
    """SVC-57: Zendesk's own memory of what it has is for emergencies."""
    storm = ("--messages=100", "--threads=4", "--accounts=2", "--kills=0", "--freezes=0", "--workers=2")

    report = survived("postgresql", *storm, "--fair")

    assert report["results"] == {"success": 100}


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_replies_survive_pulls_beside_them(database: str, survived: Callable[..., dict[str, Any]]) -> None:
    """SVC-48: each is posted once, and none comes back as a customer's comment."""
    storm = ("--replies=40", "--kills=3", "--pause=0.15", "--pull-every=0.5")

    report = survived(database, *storm, course=REPLIES)

    assert (report["replies"], report["kills"]) == (40, 3)
    assert report["answers"]["pull 200"] >= 10
