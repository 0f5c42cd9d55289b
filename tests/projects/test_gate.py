"""Projects with few, many and all capabilities pass everything that they promise about themselves."""

from __future__ import annotations

import shutil
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from questionnaire import present_questionnaire
from statement_plans import EXCEPTIONS, noting, scans_of_issued
from test_edge_answers import NASTIEST
from test_updates import make_it_a_package

if TYPE_CHECKING:
    from pathlib import Path

    from projects import Project, Template

NAMES = list(NASTIEST.values())
# Each capability alone that can stand alone, none, all, most of them with Matrix, and the two that most people choose.
# Every two capabilities meet in the first; files that are only read are read for every combination, by
# test_combinations.py and the tests of hosting. Some projects also have the names that break careless templates.
GATES: dict[str, dict[str, Any]] = {
    "all": {
        "capabilities": [
            "pull",
            "push",
            "listen",
            "channelback",
            "deferred_replies",
            "clickthrough",
            "event_callback",
            "proxy",
            "oauth",
            "choices",
            "zis",
            "about",
            "dashboard",
        ],
        "hosting": "compose",
        **NAMES[0],
    },
    "pull": {"capabilities": ["pull"], "hosting": "aws_lambda", "continuous_integration": "gitlab"},
    "push": {
        "capabilities": ["push"],
        "hosting": "kubernetes",
        "create_followup_tickets": False,
        **NAMES[1],
        # Kubernetes takes no port in it.
        "public_url": "https://a.b-c.example",
    },
    "matrix": {
        "capabilities": [
            "pull",
            "push",
            "listen",
            "channelback",
            "deferred_replies",
            "clickthrough",
            "event_callback",
            "about",
            "dashboard",
        ],
        "origin": "matrix",
        "hosting": "fly",
    },
    "nothing": {"capabilities": [], "hosting": "none", "continuous_integration": "none"},
    "defaults": {"hosting": "systemd"},
    "push and replies": {
        "capabilities": ["push", "channelback", "event_callback"],
        "channelback_files": False,
        "hosting": "cloud_run",
        **NAMES[2],
    },
}

# People name folders as they like; each of these characters means something to some file format or shell.
FOLDER = "100% [ü] {x} #1 it's"

pytestmark = pytest.mark.gate


@pytest.mark.parametrize("name", GATES)
def test_a_project_passes_its_gate(name: str, template: Template, tmp_path: Path) -> None:
    project = template.copy(tmp_path / FOLDER, {"origin_name": "Acme Reviews", **GATES[name]})
    if name == "all":
        issued = tmp_path / "issued.json"
        project.gate(variables=noting(issued))
        assert_an_index_serves_every_statement(issued)
    else:
        project.gate()
    assert_the_gate_left_no_trace(project)
    shutil.rmtree(project.path)


def test_every_two_capabilities_pass_a_gate_together() -> None:
    together = [set(answers.get("capabilities", ())) for answers in GATES.values()]
    for one, other in combinations(present_questionnaire().choices("capabilities"), 2):
        assert any({one, other} <= chosen for chosen in together), (one, other)


def assert_an_index_serves_every_statement(issued: Path) -> None:
    """An exception that is not needed any more fails, too."""
    for database, found in scans_of_issued(issued).items():
        unexpected = {issuer: scans for issuer, scans in found.items() if issuer not in EXCEPTIONS}
        assert unexpected == {}, database
        assert EXCEPTIONS.keys() - found.keys() == set(), f"{database}: an index serves them"


def assert_the_gate_left_no_trace(project: Project) -> None:
    """What running the project writes must be ignored by git, or its people would commit it."""
    generated = set(project.files())
    project.commit("As generated")
    ignored = project.path / ".gitignore"
    assert ignored.exists()
    assert set(project.files()) == generated


def test_the_origin_may_become_a_package_and_have_modules_beside_it(
    template: Template, tmp_path: Path
) -> None:
    project = template.copy(tmp_path / FOLDER, {"origin_name": "Acme Reviews"})
    package = make_it_a_package(project)
    project.write(f"{project.source}/ratings.py", '"""Ratings, as the origin gives them."""\n\nBEST = 5\n')
    start, imports, rest = project.text(package).partition("\nfrom ..origin_protocol import (")
    names, end, rest = rest.partition("\n)\n")
    own = "from ..ratings import BEST\nfrom .stars import stars\n"
    project.write(package, f"{start}{imports}{names}{end}{own}{rest}\n\nWHOLE = stars(BEST)\n")

    project.uv("sync")
    for step in ("lint", "format", "types", "imports"):
        project.uv("run", "poe", step)
    project.uv("run", "pytest", "-q", "tests/origin")
