"""Has origin, Zendesk, database and clock fail at once while customers write, agents reply and the service is killed.

python benchmarks/soak.py {sqlite,postgresql} [--seed N] [--posts N] [--kills N] …

Exits with 1 if a post or a reply is lost or doubled, a reply comes back as a customer's comment, a thread is out of
order, or the log holds a traceback that none of the faults explains. The soak itself is in tests/chaos.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from projects_to_measure import generate

SOAK = Path(__file__).resolve().parent.parent / "tests" / "chaos" / "soak.py"
CAPABILITIES = [
    *("pull", "push", "channelback", "deferred_replies"),
    *("clickthrough", "event_callback", "about", "dashboard"),
]

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        soak = [generate(project, capabilities=CAPABILITIES), SOAK, *sys.argv[1:]]
        env = os.environ | {"PYTHONPATH": str(project)}
        sys.exit(subprocess.run(soak, cwd=project, env=env, check=False).returncode)
