"""Sends 50,000 requests to a service with every capability, and as many to the sandbox.

python benchmarks/fuzz.py [--requests N] [--modelled N] [--seed N]

10,000 of them are made from the contract by schemathesis, the others bent by hand, and some are raw bytes. Exits with 1 if
one is answered with a 5xx or takes more than five seconds, or if memory grows. What makes them is in tests/chaos.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from projects_to_measure import SERVED, generate

TEMPLATE = Path(__file__).resolve().parent.parent
CHAOS = TEMPLATE / "tests" / "chaos"


def run(python: Path | str, script: str, *arguments: object, path: list[Path], folder: Path) -> None:
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    command = [str(python), str(CHAOS / script), *map(str, arguments)]
    subprocess.run(command, cwd=folder, env=env, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument(
        "--modelled", type=int, default=10_000, help="requests that are made from the contract"
    )
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    options = ("--requests", arguments.requests, "--seed", arguments.seed)
    some = ("--requests", arguments.modelled, "--seed", arguments.seed)
    tests = TEMPLATE / "tests"
    here = [TEMPLATE / "template", TEMPLATE / "tools", tests, tests / "schemas", tests / "sandbox"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = folder / "project"
        python = generate(project, capabilities=[*SERVED, "oauth", "choices", "zis"])
        for side in ("service", "zendesk"):
            run(sys.executable, "modelled_requests.py", side, folder / side, *some, path=here, folder=folder)
        modelled = ("--modelled", folder / "service")
        run(python, "strangers.py", "sqlite", *options, *modelled, path=[project], folder=project)
        run(sys.executable, "strangers_at_zendesk.py", folder / "zendesk", *options, path=here, folder=folder)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
