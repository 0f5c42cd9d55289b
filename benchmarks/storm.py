"""Sends 10,000 posts through a generated service while Zendesk misbehaves and processes are killed; then checks them.

python benchmarks/storm.py {sqlite,postgresql} [--seed N] [--messages N] [--kills N] …

Exits with 1 if a post is lost, or a thread out of order. The storm itself is part of the project: tests/storm.py.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from projects_to_measure import generate

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        python = generate(Path(folder) / "project")
        storm = [python, "-m", "tests.storm", *sys.argv[1:]]
        sys.exit(subprocess.run(storm, cwd=Path(folder) / "project", check=False).returncode)
