"""Has 300 replies posted by a generated service while Zendesk pulls, answers get lost and processes are killed.

python benchmarks/replies.py {sqlite,postgresql} [--seed N] [--replies N] [--kills N] …

Exits with 1 if a reply is lost, posted twice, or comes back as a customer's comment. The storm itself is in tests/chaos.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from projects_to_measure import generate

COURSE = Path(__file__).resolve().parent.parent / "tests" / "chaos" / "replies.py"
CAPABILITIES = ["pull", "push", "channelback", "deferred_replies"]

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        storm = [generate(project, capabilities=CAPABILITIES), COURSE, *sys.argv[1:]]
        env = os.environ | {"PYTHONPATH": str(project)}
        sys.exit(subprocess.run(storm, cwd=project, env=env, check=False).returncode)
