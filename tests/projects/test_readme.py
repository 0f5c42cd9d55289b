"""The README's commands do what the README says, word for word."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import yaml
from commands import ROOT, CommandError, Ended, environment, git, run
from documents import Block, manual, shell_blocks, under
from projects import Project, copy_working_tree, release
from terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from projects import Template
    from questionnaire import Questionnaire

README = shell_blocks((ROOT / "README.md").read_text("utf-8"))
MANIFEST = "http://127.0.0.1:8000/channel/manifest"
PORTS = (8000, 8001, 8002)
# Every heading with commands, each of them run or compared by a test below.
HEADINGS = ["Two commands", "See it work", "Make a project", "Answers in a file", "Update a project"]


def test_every_command_of_the_readme_is_held_by_a_test() -> None:
    assert list(dict.fromkeys(block.heading for block in README)) == HEADINGS
    assert len(under(README, "Two commands")) == 2
    assert any("curl" in commands for commands in under(README, "See it work"))


def test_the_test_command_is_what_continuous_integration_runs() -> None:
    _, command = under(README, "Two commands")
    assert command in (ROOT / ".ci/run").read_text("utf-8").splitlines()
    assert os.access(ROOT / ".ci/run", os.X_OK)
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text("utf-8"))
    steps = workflow["jobs"]["test"]["steps"]
    assert command in [step.get("run") for step in steps]


def test_the_table_of_questions_names_all_of_them(questionnaire: Questionnaire) -> None:
    table = (ROOT / "README.md").read_text("utf-8").partition("\n| Question |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", table, re.MULTILINE)
    assert re.findall(r"\w+", " ".join(rows)) == questionnaire.asked


def test_the_file_of_answers_passes_the_check_of_the_readme(tmp_path: Path) -> None:
    (answers,) = re.findall(
        r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    (command,) = under(README, "Answers in a file")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    (tmp_path / "answers.yml").write_text(answers, "utf-8")
    run("bash", "-euc", command, folder=tmp_path)
    assert (tmp_path / answers.splitlines()[0].partition("$schema=")[2]).is_file()

    (tmp_path / "answers.yml").write_text(answers.replace("hosting: none", "hosting: nowhere"), "utf-8")
    assert "nowhere" in run("bash", "-euc", command, folder=tmp_path, check=False).output


def test_a_project_shows_what_its_check_of_a_payload_says(template: Template, tmp_path: Path) -> None:
    project = template.copy(tmp_path / "project", {"origin_name": "Acme Reviews"})
    text = project.text("docs/sandbox.md")
    (commands,) = under(shell_blocks(text), "Check a payload by hand")
    (shown,) = re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    # What `uv run acme-reviews` starts, without an environment of the project's own.
    command = commands.replace("uv run acme-reviews validate", f"{sys.executable} -m sandbox.validate")
    assert command != commands

    ended = run("bash", "-c", command, folder=project.path, check=False)

    # What is cut off in the document ends in an ellipsis.
    pattern = re.escape(shown).replace("…\\\n", ".*\\\n")
    assert ended.code == 1
    assert re.fullmatch(pattern, ended.output), ended.output


def test_the_test_in_a_projects_manual_passes(template: Template, tmp_path: Path) -> None:
    project = template.copy(tmp_path / "project", {"origin_name": "Acme Reviews"})
    (example,) = re.findall(
        r"^```python\n(.*?)^```$", project.text("docs/sandbox.md"), re.MULTILINE | re.DOTALL
    )
    project.write("tests/with_zendesk/test_example.py", f"from sandbox.zendesk import Zendesk\n\n\n{example}")
    project.uv("sync")
    project.uv("run", "ruff", "check", "tests/with_zendesk/test_example.py")
    assert "1 passed" in project.uv("run", "pytest", "tests/with_zendesk/test_example.py").output


def test_a_project_understands_the_options_in_its_manual(template: Template, tmp_path: Path) -> None:
    project = template.copy(tmp_path / "project", {"origin_name": "Acme Reviews"})
    project.uv("sync")
    (lines,) = under(shell_blocks(manual(project)), "Options")
    for line in lines.splitlines():
        command = line.partition("#")[0].split()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            # Where it ends, all that was said before has been understood.
            port = str(taken.getsockname()[1])
            ended = project.uv(*command[1:], "--zendesk-port", port, check=False)
        assert ended.code == 1
        assert f"Port {port} of 127.0.0.1 cannot be used" in ended.output, line


def fresh_environment(folder: Path) -> dict[str, str]:
    """Return the environment of somebody who has just got the machine; curl fails where the service does."""
    (folder / ".curlrc").write_text("fail-with-body\nshow-error\n", "utf-8")
    env = environment(CURL_HOME=str(folder))
    return {name: value for name, value in env.items() if not name.startswith("UV_")}


@contextmanager
def running(command: str, folder: Path, env: dict[str, str]) -> Iterator[Path]:
    """Run a command that serves, until it has served its manifest; stop it as Ctrl-C does. What it says is in a file."""
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                pytest.fail(f"port {port} is in use, and the README's commands need it", pytrace=False)
    log = folder / "output.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 300
        while not is_served(MANIFEST):
            if process.poll() is not None or time.monotonic() > deadline:
                ended = Ended(command, process.poll() or 0, log.read_text("utf-8", "replace"))
                raise CommandError("no manifest is served", folder, ended)
            time.sleep(0.5)
        yield log
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def is_served(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - this machine
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def play(blocks: list[str], folder: Path, env: dict[str, str]) -> list[str]:
    """Type blocks of commands into one shell, one after the other; return what each printed."""
    mark = "---- next block ----"
    script = "\n".join(f"{commands}\necho '{mark}'" for commands in blocks)
    ended = run("bash", "-euo", "pipefail", "-c", script, folder=folder, env=env)
    return ended.output.split(f"{mark}\n")[:-1]


@pytest.mark.gate
def test_the_commands_work_word_for_word(tmp_path: Path, questionnaire: Questionnaire) -> None:
    if shutil.which("curl") is None:
        pytest.fail("the README's lines need curl", pytrace=False)
    env = fresh_environment(tmp_path)
    clone = tmp_path / "clone"
    clone.mkdir()
    copy_working_tree(clone)
    release(clone, "v1.0.0")

    command, _ = under(README, "Two commands")
    project = Project(tmp_path / "acme-reviews", {"package_name": "acme_reviews"})
    with running(command, clone, env) as log:
        outputs = play(under(README, "See it work"), clone, env)
        manifest = json.loads(outputs[0].splitlines()[0])
        assert manifest["name"] == "Acme Reviews"
        assert '"external_resources":' in "".join(outputs)
        assert "Thank you for your review!" in outputs[-1]

        # The project's own manual makes the same promise to whoever only has the project.
        own = shell_blocks(manual(project))
        outputs = play(under(own, "Try it as Zendesk would"), project.path, env)
        assert "Thank you for your review!" in outputs[-1]
        assert "Acme Reviews is installed in Zendesk." in log.read_text("utf-8")
    assert not any(is_served(f"http://127.0.0.1:{port}/") for port in PORTS)

    for commands in under(README, "Make a project"):
        fill_in(questionnaire, commands, clone, env, origin_name="Corner Café")
    made = Project(tmp_path / "my-channel", {"package_name": "corner_cafe"})
    assert made.recorded["origin_name"] == "Corner Café"

    made.commit("As generated")
    (clone / "template/NEW.md").write_text("New in this version.\n", "utf-8")
    release(clone, "v1.1.0")
    found = env | {"PATH": f"{clone / '.venv/bin'}:{env['PATH']}"}
    for commands in under(README, "Update a project"):
        fill_in(questionnaire, commands, made.path, found)
    assert made.recorded["_commit"] == "v1.1.0"
    assert made.text("NEW.md") == "New in this version.\n"
    git(made.path, "diff", "--check")


@pytest.mark.gate
def test_a_project_that_pushes_keeps_its_own_promises(template: Template, tmp_path: Path) -> None:
    env = fresh_environment(tmp_path)
    answers = {"origin_name": "Acme Reviews", "capabilities": ["push", "dashboard"]}
    project = template.copy(tmp_path / "project", answers)
    own = shell_blocks(manual(project))
    command, _ = under(own, "Two commands")
    with running(command, project.path, env):
        *_, told, kept = play(under(own, "Try it as Zendesk would"), project.path, env)
    assert "Delivered" in told
    assert re.search(r"waiting  review-\d+", kept)


def fill_in(
    questionnaire: Questionnaire, commands: str, folder: Path, env: dict[str, str], **answers: str
) -> None:
    """Run commands that ask the questions; take the default of each that has no answer here."""
    terminal = Terminal("bash", "-euo", "pipefail", "-c", commands, folder=folder, env=env)
    try:
        for name in questionnaire.asked:
            title = questionnaire.questions[name]["help"].partition(".")[0]
            terminal.answer(f"{title}.", answers.get(name, ""))
        assert terminal.end() == 0
    finally:
        terminal.close()


def test_blocks_are_found_with_their_headings() -> None:
    text = "# One\n\n```sh\na \\\n  b\n```\n\n## Two\n\n1. Do\n\n   ```sh\n   # c\n   d\n   ```\n\n```yaml\ne: f\n```\n"
    assert shell_blocks(text) == [Block("One", "a \\\n  b"), Block("Two", "# c\nd")]
    with pytest.raises(AssertionError, match="no sh block under the heading 'Three'"):
        under(shell_blocks(text), "Three")
