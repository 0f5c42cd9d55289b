"""Sends 10,000 posts through a generated service while Zendesk misbehaves and processes are killed; then checks them.

python benchmarks/storm.py {sqlite,postgresql} [--seed N] [--messages N] [--kills N] …

Exits with 1 if a post is lost, or a thread out of order. The storm itself is in tests/chaos.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from projects_to_measure import generate

COURSE = Path(__file__).resolve().parent.parent / "tests" / "chaos" / "course.py"

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        storm = [generate(project), COURSE, *sys.argv[1:]]
        env = os.environ | {"PYTHONPATH": str(project)}
        sys.exit(subprocess.run(storm, cwd=project, env=env, check=False).returncode)
