"""What holds for the files of every hosting target."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from commands import run
from documents import manual
from hosting import COMPLETE, JUDGED, ORIGIN_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Hosted
    from questionnaire import Questionnaire

OWN = ("deploy/", ".github/", "fly.toml", "renovate.json")


def test_every_target_is_judged(questionnaire: Questionnaire) -> None:
    assert set(questionnaire.choices("hosting")) == JUDGED.keys() == COMPLETE.keys()


@pytest.mark.parametrize("hosting", JUDGED)
def test_no_origin_name_reaches_the_deployment(hosting: str, hosted: Hosted) -> None:
    project = hosted(hosting)
    assert ORIGIN_NAME in project.answers.values()
    for file in project.files():
        if file.startswith(OWN):
            assert not re.search(r"Acme|Reviews|🦊", project.text(file)), file


@pytest.mark.parametrize("hosting", ["kubernetes", "fly", "cloud_run", "aws_lambda"])
def test_the_commands_let_new_keys_be_known_before_they_are_used(
    hosting: str, hosted: Hosted, tmp_path: Path
) -> None:
    printed = "SIGNING_KEYS=new,old,older\nSEALING_KEYS=fresh,stale\n"
    commands = set(re.findall(r"sed (?:-E )?'[^']+'", manual(hosted(hosting)).partition("otate the keys")[2]))
    outputs = {
        run("bash", "-c", f"printf '{printed}' | {command}", folder=tmp_path).output for command in commands
    }
    known = "SIGNING_KEYS=old,older,new\nSEALING_KEYS=stale,fresh\n"
    assert known in outputs
    assert outputs <= {known, "SIGNING_KEYS=new\nSEALING_KEYS=fresh\n"}
