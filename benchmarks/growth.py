"""Compares what requests and jobs cost while the database holds little with what they cost while it holds much.

python benchmarks/growth.py [--large ACCOUNTS WAITING DELIVERED OTHERS] [--project FOLDER]

Generates a project with nearly every capability, fills its SQLite database twice, and asks it in its own process: once while it
holds 100 accounts, and once while it holds 10,000 with a million posts. What is printed is the table of README.md. Exits with 1
if something takes more than one and a half times as many instructions of SQLite's machine, which are exact on any machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from projects_to_measure import SERVED, generate
from readme import add_option, publish

SCRIPT = Path(__file__).with_name("measure_growth.py")
SMALL = (100, 10_000, 10_000, 2_000)
"""Accounts, waiting posts, delivered posts, and rows of each other kind: enough that each list fills its page."""

LARGE = (10_000, 100_000, 1_000_000, 100_000)
BOUND = 1.5
NOTHING = 100
"""Instructions of which it does not matter how often they are doubled."""

Costs = dict[str, tuple[int, float]]
"""Instructions and milliseconds, by kind."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sizes = ("ACCOUNTS", "WAITING", "DELIVERED", "OTHERS")
    parser.add_argument("--large", type=int, nargs=len(sizes), metavar=sizes, default=LARGE, help=str(LARGE))
    parser.add_argument("--project", type=Path, help="one that is there, for the Python that runs this")
    add_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = arguments.project or Path(folder) / "project"
        python = (
            Path(sys.executable) if arguments.project else generate(project, capabilities=[*SERVED, "zis"])
        )
        small, large = (measured(python, project, sizes) for sizes in (SMALL, arguments.large))
    publish({"growth": table(small, large)}, write=arguments.write)
    grown = [kind for kind in small if ratio(small[kind][0], large[kind][0]) > BOUND]
    for kind in grown:
        print(f"{kind}: more than {BOUND} times as many instructions", file=sys.stderr)
    return bool(grown)


def measured(python: Path, project: Path, sizes: tuple[int, ...]) -> Costs:
    command = [str(python), str(SCRIPT), *map(str, sizes)]
    ended = subprocess.run(command, cwd=project, check=True, stdout=subprocess.PIPE)
    costs: Costs = json.loads(ended.stdout.splitlines()[-1])
    return costs


def table(small: Costs, large: Costs) -> str:
    lines = [
        "| Asked | little: instructions | much | ratio | little: CPU ms | much |",
        "|---|---|---|---|---|---|",
    ]
    for kind, (few, quick) in small.items():
        many, slow = large[kind]
        lines.append(f"| {kind} | {few:,} | {many:,} | {ratio(few, many):.1f} | {quick:.1f} | {slow:.1f} |")
    return "\n".join(lines)


def ratio(few: int, many: int) -> float:
    return max(many, NOTHING) / max(few, NOTHING)


if __name__ == "__main__":
    sys.exit(main())
