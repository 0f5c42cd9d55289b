"""A simulated day of 10,000 accounts: the service and the sandbox's Zendesk go by one clock, which is moved.

python benchmarks/day.py [--accounts N] [--hours N] [--pulls N] [--posts N]

Zendesk pulls each account as often a day as --pulls says, not every two minutes, which would take hours. Each account gets
--posts posts a day; of every tenth account they come by webhooks, and are pushed. Exits with 1 if an account is not
pulled as often as is due, a post does not come in once, and by the right way, the process grows, or rows are left
when nothing is to be kept any more.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from projects_to_measure import generate

DAY = Path(__file__).resolve().parent.parent / "tests" / "chaos" / "day.py"
CAPABILITIES = ["pull", "push", "channelback", "deferred_replies", "event_callback", "dashboard"]

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accounts", type=int, default=10_000, help="(10000)")
    parser.add_argument("--hours", type=int, default=24, help="that are simulated (24)")
    parser.add_argument("--pulls", type=int, default=6, help="of each account in 24 hours (6)")
    parser.add_argument("--posts", type=int, default=2, help="of each account in 24 hours (2)")
    numbers = [str(number) for number in vars(parser.parse_args()).values()]
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        command = [generate(project, capabilities=CAPABILITIES), DAY, *numbers]
        env = os.environ | {"PYTHONPATH": str(project)}
        sys.exit(subprocess.run(command, cwd=project, env=env, check=False).returncode)
