"""Sends 50,000 requests to a service with every capability, and as many to the sandbox.

python benchmarks/fuzz.py [--requests N] [--modelled N] [--seed N] [--write]

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

from courses import CHAOS, ran_by
from projects_to_measure import SERVED, generate
from readme import add_option, publish
from strangers import table

TEMPLATE = Path(__file__).resolve().parent.parent


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument(
        "--modelled", type=int, default=10_000, help="requests that are made from the contract"
    )
    parser.add_argument("--seed", type=int, default=1)
    add_option(parser)
    arguments = parser.parse_args()
    options = ("--requests", arguments.requests, "--seed", arguments.seed)
    tests = TEMPLATE / "tests"
    here = [TEMPLATE / "template", TEMPLATE / "tools", tests, tests / "schemas", tests / "sandbox"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = folder / "project"
        python = generate(project, capabilities=[*SERVED, "oauth", "choices", "zis"])
        for side in ("service", "zendesk"):
            model(side, folder / side, arguments.modelled, arguments.seed, path=here)
        modelled = ("--modelled", folder / "service")
        service, code = ran_by(
            python, "strangers.py", "sqlite", *options, *modelled, path=[project], folder=project
        )
        sandbox, also = ran_by(
            sys.executable, "strangers_at_zendesk.py", folder / "zendesk", *options, path=here, folder=folder
        )
    publish(
        {"fuzz": table(arguments.seed, {"the service, on SQLite": service, "the sandbox": sandbox})},
        write=arguments.write,
    )
    return code or also


def model(side: str, file: Path, requests: int, seed: int, *, path: list[Path]) -> None:
    """Write requests that are made from the contract into a file."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}
    options = ("--requests", str(requests), "--seed", str(seed))
    command = [sys.executable, str(CHAOS / "modelled_requests.py"), side, str(file), *options]
    subprocess.run(command, cwd=file.parent, env=env, check=True)


if __name__ == "__main__":
    sys.exit(main())
