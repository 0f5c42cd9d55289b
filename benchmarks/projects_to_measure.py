"""Generates the project whose delivery is measured, with an environment of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import copier
from uv import find_uv_bin

TEMPLATE = Path(__file__).resolve().parent.parent
ANSWERS = {"origin_name": "Acme Reviews", "package_name": "acme_reviews", "capabilities": ["push"]}


def generate(project: Path) -> Path:
    """Return the project's Python."""
    copier.run_copy(str(TEMPLATE), project, data=ANSWERS, defaults=True, quiet=True, vcs_ref="HEAD")
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run([find_uv_bin(), "--quiet", "sync"], cwd=project, env=environment, check=True)
    return project / ".venv" / "bin" / "python"
