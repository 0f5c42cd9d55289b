"""Sends 20,000 bent requests to a generated service, and looks at answers, waits, memory and log.

python benchmarks/strangers.py [--listen] {sqlite,postgresql} [--requests N] [--seed N]

The service has every capability; its origin sends webhooks, or with --listen is listened to.

Exits with 1 if one is answered with a 5xx, waits for more than five seconds, or leaves something behind. The requests
themselves are made in tests/chaos.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from projects_to_measure import SERVED, generate

STRANGERS = Path(__file__).resolve().parent.parent / "tests" / "chaos" / "strangers.py"

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        options = sys.argv[1:]
        capabilities = [*SERVED, "oauth", "choices", "zis"]
        if "--listen" in options:
            options.remove("--listen")
            capabilities.append("listen")
        command = [generate(project, capabilities=capabilities), STRANGERS, *options]
        env = os.environ | {"PYTHONPATH": str(project)}
        sys.exit(subprocess.run(command, cwd=project, env=env, check=False).returncode)
