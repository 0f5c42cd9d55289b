"""The sandbox works with an integration in another language, which was written from the protocol alone."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from commands import ROOT, environment, run

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent / "other_language"


@pytest.fixture(scope="module")
def node() -> str:
    return interpreter("Node", "node", "nodejs")


@pytest.fixture(scope="module")
def php() -> str:
    return interpreter("PHP", "php")


def interpreter(language: str, *programs: str) -> str:
    for program in programs:
        if found := shutil.which(program):
            return found
    reason = f"{language} is not installed, so the integration in another language cannot run."
    if os.environ.get(f"{language.upper()}_TESTS") == "required":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@contextmanager
def serving(program: str, service: str = "service.mjs", **changes: str) -> Iterator[str]:
    """The integration in a process of its own, on a port that is free."""
    process = subprocess.Popen(
        [program, HERE / service], env=environment(PORT="0", **changes), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


def walk(service: str, *options: str) -> dict[str, Any]:
    env = environment(PYTHONPATH=str(ROOT / "template"))
    output = run(sys.executable, HERE / "walk.py", service, *options, folder=HERE, env=env).output
    told: dict[str, Any] = json.loads(output)
    return told


def test_an_integration_in_another_language_works_from_install_to_uninstall(node: str) -> None:
    with serving(node) as service:
        told = walk(service, "--command")

    assert "Town square is installed in Zendesk." in told["command"]
    assert told["command"][-1] == "exit code 0"
    assert told["threads"] == [
        ["post-1", "post-2", "answer-1"],
        ["chat-7-1", "chat-7-2", "chat-7-live-1", "chat-7-live-2"],
    ]
    assert told["files"] == ["Open from nine to five."]
    assert told["reply_error"] is None
    assert told["clicked"] == 200
    assert told["pushed"] == ["success", "success"]
    assert told["remarks"] == []

    seen = told["seen"]
    assert seen["locales"] == ["en-US", "en-US"]
    # Zendesk sent it twice, because the first answer was lost.
    (reply,) = seen["replies"]
    assert (reply["message"], reply["parent"], reply["thread"]) == ("From nine to five.", "post-2", "post-1")
    assert seen["files"] == ["Left, then right"]
    assert seen["clicks"] == ["post-1"]
    assert set(seen["events"]) == {
        "create_integration",
        "create_integration_instance",
        "pull_request",
        "resources_created_from_external_ids",
        "channelback",
        "destroy_integration_instance",
        "destroy_integration",
    }
    assert seen["accounts"] == 0


@pytest.mark.parametrize(
    ("mistake", "remark"),
    [
        ("created_at", r"pull: SVC-35, SVC-39: /external_resources/\d/created_at: "),
        ("file", "file: SVC-43: "),
    ],
)
def test_a_mistake_in_another_language_is_named_by_its_rule(node: str, mistake: str, remark: str) -> None:
    with serving(node, WRONG=mistake) as service:
        told = walk(service)

    assert told["remarks"]
    assert [each for each in told["remarks"] if not re.match(remark, each)] == []


def test_an_integration_in_plain_python_gets_no_remark() -> None:
    with serving(sys.executable, "service.py") as service:
        told = walk(service)
    assert told["remarks"] == []
    assert (told["reply_error"], told["pushed"]) == (None, ["success", "success"])
    assert told["seen"]["files"] == ["Left, then right"]
    assert [reply["message"] for reply in told["seen"]["replies"]] == ["From nine to five."]


@pytest.mark.parametrize(
    ("mistake", "remark"),
    [
        ("unescaped name", "admin_ui: SVC-20: /name: "),
        ("session cookie", "admin_ui: SVC-24: "),
        ("undeclared JSON", "pull: SVC-27: "),
        ("too many posts", "pull: SVC-27, SVC-28, SVC-31: /external_resources: the array has 202"),
        ("state as an object", "pull: SVC-19, SVC-29, SVC-32: /state: "),
        ("empty message", r"pull: SVC-35, SVC-37: /external_resources/1/message: "),
        ("time as a number", r"pull: SVC-35, SVC-39: /external_resources/\d/created_at: "),
        ("files by GET alone", "file: SVC-43: "),
        (
            "200 for a failure",
            r"channelback: .*SVC-47.*: \(whole message\): `external_id` is missing|channelback: .*: /error: ",
        ),
        ("reply sent twice", "channelback: SVC-48: /external_id: "),
        ("open redirect", "clickthrough: SVC-53: "),
        ("events fail", "event_callback: SVC-54: "),
        ("old token", "push: SVC-23: "),
        ("undeclared push", "push: SVC-56: "),
    ],
)
def test_what_public_integrations_get_wrong_is_named_and_nothing_else(mistake: str, remark: str) -> None:
    with serving(sys.executable, "service.py", WRONG=mistake) as service:
        told = walk(service)
    assert told["remarks"]
    assert [each for each in told["remarks"] if not re.match(remark, each)] == []


def test_an_integration_in_php_gets_no_remark(php: str) -> None:
    with serving(php, "service.php") as service:
        told = walk(service)
    assert told["remarks"] == []
    assert (told["reply_error"], told["pushed"]) == (None, ["success", "success"])
    assert told["threads"] == [["note-1", "answer-1"], ["note-2", "live-1", "live-2"]]
    assert told["seen"]["files"] == ["Left, then right"]
    assert [reply["message"] for reply in told["seen"]["replies"]] == ["From nine to five."]


@pytest.mark.parametrize(
    ("mistake", "remark"),
    [
        ("unescaped quote", "admin_ui: SVC-20: /name: "),
        ("long metadata", "return_url: SVC-18, SVC-19: /metadata: "),
        ("number as an id", r"pull: SVC-35, SVC-36: /external_resources/\d/external_id: "),
        ("long id", "pull: SVC-35, SVC-36: /external_resources/2/external_id: "),
        ("time without zone", r"pull: SVC-35, SVC-39: /external_resources/\d/created_at: "),
        ("long state", "pull: SVC-19, SVC-29, SVC-32: /state: "),
        ("no UTF-8", "pull: SVC-27: "),
        ("warning before JSON", "pull: SVC-27: "),
        ("file behind a sign-in", "file: SVC-43: "),
        ("files without token", "attachment: SVC-52: "),
        ("text for an answer", "channelback: SVC-47: "),
        ("dead link", "clickthrough: SVC-53: "),
        ("form for a push", "push: SVC-56: "),
        ("long request id", "push: SVC-56: /request_id: "),
    ],
)
def test_what_php_gets_wrong_is_named_and_nothing_else(php: str, mistake: str, remark: str) -> None:
    with serving(php, "service.php", WRONG=mistake) as service:
        told = walk(service)
    assert told["remarks"]
    assert [each for each in told["remarks"] if not re.match(remark, each)] == []


@pytest.mark.parametrize("mistake", ["secret in metadata", "first event alone"])
def test_what_traffic_cannot_show_gets_no_remark(php: str, mistake: str) -> None:
    with serving(php, "service.php", WRONG=mistake) as service:
        assert walk(service)["remarks"] == []
