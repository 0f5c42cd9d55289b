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


def generate(project: Path, **answers: Any) -> Path:
    """Return the project's Python."""
    data = ANSWERS | answers
    copier.run_copy(str(TEMPLATE), project, data=data, defaults=True, quiet=True, vcs_ref="HEAD")
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run([find_uv_bin(), "--quiet", "sync"], cwd=project, env=environment, check=True)
    return project / ".venv" / "bin" / "python"
