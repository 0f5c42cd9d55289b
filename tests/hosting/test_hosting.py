"""What holds for the files of every hosting target."""

from __future__ import annotations

import re
from collections import Counter
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from commands import run
from documents import manual
from hosting import COMPLETE, JUDGED, ORIGIN_NAME
from mistakes import Mistake

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Hosted
    from questionnaire import Questionnaire

OWN = ("deploy/", ".github/", "fly.toml", "renovate.json")


MODULES = ["aws_lambda", "caddy", "cloud_run", "compose", "fly", "image", "kubernetes", "systemd"]


def test_every_file_is_broken_in_five_ways(hosted: Hosted) -> None:
    """A validator that is silent looks like a good file."""
    lists = [vars(import_module(f"test_hosting_{name}")).values() for name in MODULES]
    mistakes = {each for value in chain(*lists) if isinstance(value, list) for each in value}
    broken = Counter(mistake.file for mistake in mistakes if isinstance(mistake, Mistake))
    for hosting in COMPLETE:
        for file in hosted(hosting).files():
            if file.startswith(("deploy/", "fly.toml", ".dockerignore")):
                assert broken[file] >= 5, file


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
