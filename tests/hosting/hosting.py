"""The hosting targets, and the answers with which each is judged by its platform's validators."""

from __future__ import annotations

import os
from typing import Any, NoReturn

import pytest
from questionnaire import present_questionnaire

ORIGIN_NAME = 'Acme "Reviews" $HOME ${PATH} {{ x }}: #1 | é 🦊 \\n'
"""A name that would do harm in a file for hosting."""

EVERYTHING = present_questionnaire().choices("capabilities")
OF_MATRIX = [name for name in EVERYTHING if name not in ("choices", "oauth", "proxy", "zis")]
"""What a project with a homeserver can do."""

WITHOUT_PUSH = [name for name in EVERYTHING if name not in ("push", "listen", "deferred_replies")]

COMPLETE: dict[str, dict[str, Any]] = {
    hosting: {
        "origin_name": ORIGIN_NAME,
        "project_slug": "acme-reviews",
        "hosting": hosting,
        "capabilities": EVERYTHING,
    }
    for hosting in ("compose", "systemd", "kubernetes", "fly", "cloud_run", "none")
}
COMPLETE["aws_lambda"] = {
    **COMPLETE["none"],
    "hosting": "aws_lambda",
    "capabilities": WITHOUT_PUSH,
}
"""What a project for a target answers that can do all that is possible there."""

PULL = {"capabilities": ["pull"]}
SHORT = {**PULL, "project_slug": "a", "public_url": "https://reviews.example.com"}
LONG = {"capabilities": ["push"], "project_slug": "a" * 21 + "-" + "b" * 18}

JUDGED: dict[str, dict[str, dict[str, Any]]] = {
    "compose": {"complete": {}, "pull": PULL},
    "systemd": {"complete": {}, "short": SHORT, "long": LONG},
    "kubernetes": {"complete": {}, "short": SHORT, "long": LONG},
    "fly": {"complete": {}, "short": SHORT, "long": LONG},
    "cloud_run": {"complete": {}, "short": SHORT, "long": LONG},
    "aws_lambda": {"complete": {}, "short": SHORT, "nothing": {"capabilities": []}},
    "none": {"complete": {}},
}
"""What is answered otherwise in projects whose files are judged one by one; test_every_deployment.py judges all."""


def lacking(reason: str) -> NoReturn:
    """Skip a test on a machine that lacks what it needs; fail it where HOSTING_TESTS says that it is required."""
    if os.environ.get("HOSTING_TESTS") == "required":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
