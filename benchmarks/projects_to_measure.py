"""Generates the project that is measured, with an environment of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import copier
from uv import find_uv_bin

TEMPLATE = Path(__file__).resolve().parent.parent
ANSWERS = {"origin_name": "Acme Reviews", "package_name": "acme_reviews", "capabilities": ["push"]}

SERVED = [
    "pull",
    "push",
    "channelback",
    "deferred_replies",
    "clickthrough",
    "event_callback",
    "proxy",
    "about",
    "dashboard",
]
"""What answers requests of Zendesk, the origin and people, with an API key of the demonstration origin's."""


EVERYTHING = [*SERVED, "listen", "oauth", "choices", "zis"]


def generate(project: Path, **answers: Any) -> Path:
    """Return the project's Python."""
    copy(project, **answers)
    return install(project, project / ".venv")


def copy(project: Path, **answers: Any) -> None:
    data = ANSWERS | answers
    copier.run_copy(str(TEMPLATE), project, data=data, defaults=True, quiet=True, vcs_ref="HEAD")


def install(project: Path, folder: Path, *options: str) -> Path:
    """Make an environment with what the project needs, and return its Python."""
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment["UV_PROJECT_ENVIRONMENT"] = str(folder)
    subprocess.run([find_uv_bin(), "--quiet", "sync", *options], cwd=project, env=environment, check=True)
    return folder / "bin" / "python"
