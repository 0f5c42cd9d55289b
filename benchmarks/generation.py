"""Compares `copier copy` of a default project with what Copier takes for as many files without any Jinja.

python benchmarks/generation.py [--rounds N]

The floor is a template that holds the generated files as they are, and asks nothing. Another one also holds those that
the answers leave out, all in one folder that it excludes. They are copied in turn. What is printed is the table of
README.md: medians of the CPU time with all of git's, and the ratio to the floor within a round. The last line is
`git config` alone, as often as Copier runs it: once for each file.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from projects_to_measure import TEMPLATE
from readme import add_option, publish

NAME = "origin_name=Acme Reviews"
SAYS_NOTHING = "_min_copier_version: '9.0'\n_subdirectory: template\n_exclude: [left_out]\n"
VISITED = "floor, with as many left out"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each is copied (5)")
    add_option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = folder / "project"
        copied(TEMPLATE, project, NAME)
        files = files_of(project)
        left_out = max(0, len(files_of(TEMPLATE / "template")) - len(files))
        make_floor(folder / "floor", project, 0)
        make_floor(folder / "visited", project, left_out)
        spent: dict[str, list[float]] = {name: [] for name in ("template", "floor", VISITED, "git config")}
        for number in range(arguments.rounds):
            spent["template"].append(copied(TEMPLATE, folder / f"template-{number}", NAME))
            spent["floor"].append(copied(folder / "floor", folder / f"floor-{number}"))
            spent[VISITED].append(copied(folder / "visited", folder / f"visited-{number}"))
            spent["git config"].append(asked(folder / "floor", len(files)))
    publish({"generation": table(spent, len(files))}, write=arguments.write)


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def make_floor(floor: Path, project: Path, left_out: int) -> None:
    shutil.copytree(project, floor / "template")
    (floor / "template" / "left_out").mkdir()
    for number in range(left_out):
        (floor / "template" / "left_out" / f"file_{number}.py").touch()
    (floor / "copier.yml").write_text(SAYS_NOTHING, "utf-8")
    git = ["git", "-c", "user.name=Floor", "-c", "user.email=floor@example.com", "-C", str(floor)]
    for arguments in (["init", "-q"], ["add", "-Af"], ["commit", "-qm", "Files"]):
        subprocess.run([*git, *arguments], check=True)


def copied(template: Path, project: Path, *answers: str) -> float:
    """Copy a template, and give the CPU seconds."""
    command = [sys.executable, "-m", "copier", "copy", "-q", "--defaults", "--vcs-ref", "HEAD"]
    return cpu(
        [*command, *(part for answer in answers for part in ("-d", answer)), str(template), str(project)]
    )


def asked(repository: Path, times: int) -> float:
    question = ["git", "-C", str(repository), "config", "--type=bool", "core.fileMode"]
    return sum(cpu(question) for _ in range(times))


def cpu(command: list[str]) -> float:
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def table(spent: dict[str, list[float]], files: int) -> str:
    lines = [f"| {files} files | CPU s | of the floor |", "|---|---|---|"]
    for name, seconds in spent.items():
        ratio = statistics.median(own / floor for own, floor in zip(seconds, spent["floor"], strict=True))
        lines.append(f"| {name} | {statistics.median(seconds):.2f} | {ratio:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
