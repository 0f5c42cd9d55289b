"""copier.yml is a form without mistakes that Copier itself would let pass."""

from __future__ import annotations

import ast
import json
import keyword
import re
import sys
import tomllib
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from combinations_of_answers import EXAMPLES, factors
from commands import ROOT
from jinja2 import nodes
from jsonschema import Draft202012Validator
from questionnaire import RefusedError, present_questionnaire, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from projects import Project, Template
    from questionnaire import Questionnaire

SCHEMA = json.loads((Path(__file__).parent / "copier-yml.schema.json").read_text("utf-8"))
FORM = yaml.safe_load((ROOT / "copier.yml").read_text("utf-8"))


def complaints(form: dict[str, Any]) -> list[str]:
    Draft202012Validator.check_schema(SCHEMA)
    return [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
        for error in Draft202012Validator(SCHEMA).iter_errors(form)
    ]


def test_the_form_keeps_to_its_schema() -> None:
    assert not complaints(FORM)


BAD_FORMS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a misspelt setting": lambda form: form.update(_skip_if_exist=["README.md"]),
    "a setting that needs trust": lambda form: form.update(_tasks=["true"]),
    "an extension, which needs trust": lambda form: form.update(_jinja_extensions=["jinja2.ext.do"]),
    "a migration, which needs trust": lambda form: form.update(_migrations=["true"]),
    "undefined names that render as nothing": lambda form: form["_envops"].update(
        undefined="jinja2.Undefined"
    ),
    "a misspelt validator": lambda form: form["user_email"].update(
        validatr=form["user_email"].pop("validator")
    ),
    "free text without validator": lambda form: form["origin_name"].pop("validator"),
    "a validator that is no expression": lambda form: form["origin_name"].update(validator="Wrong."),
    "a question without help": lambda form: form["hosting"].pop("help"),
    "help that names nothing": lambda form: form["hosting"].update(help="where?"),
    "help that begins with half a sentence": lambda form: form["hosting"].update(
        help="Hosting. Where the service is going\nto run."
    ),
    "help that 80 columns cannot hold": lambda form: form["hosting"].update(
        help=f"Hosting. Where the service {'soon ' * 10}runs."
    ),
    "a later line of help that 80 columns cannot hold": lambda form: form["hosting"].update(
        help=f"{form['hosting']['help']}\n{'And so on. ' * 7}"
    ),
    "a choice that 80 columns cannot hold": lambda form: form["hosting"]["choices"].update(
        {"Cloud " * 13: "cloud"}
    ),
    "a question without type": lambda form: form["hosting"].pop("type"),
    "an unknown type": lambda form: form["hosting"].update(type="text"),
    "choices without labels": lambda form: form["hosting"].update(choices=["compose", "none"]),
    "choices without default": lambda form: form["hosting"].pop("default"),
    "a choice whose value is a label": lambda form: form["hosting"]["choices"].update(Cloud="The Cloud"),
    "an empty default without placeholder": lambda form: form["user_name"].pop("placeholder"),
    "a secret": lambda form: form["user_name"].update(secret=True),
    "a computed fact with help": lambda form: form["pull"].update(
        help="Pull. Whether posts are pulled into Zendesk."
    ),
    "a computed fact without default": lambda form: form["pull"].pop("default"),
    "a name that Copier keeps for itself": lambda form: form.update(now=form["user_name"]),
    "a name that is no identifier": lambda form: form.update({"user-name": form["user_name"]}),
    "a simplified question": lambda form: form.update(colour="red"),
}


@pytest.mark.parametrize("mistake", BAD_FORMS)
def test_the_schema_refuses(mistake: str) -> None:
    form = json.loads(json.dumps(FORM))
    BAD_FORMS[mistake](form)
    assert complaints(form)


def test_expressions_read_only_what_comes_before_them(questionnaire: Questionnaire) -> None:
    """Copier fills later questions in from --data, so a wrong order would work for some users only."""
    known: set[str] = set()
    for name, references in questionnaire.references.items():
        assert references <= known, f"{name} reads {sorted(references - known)}, asked after it"
        known.add(name)


def test_every_computed_fact_is_used(questionnaire: Questionnaire, template: Template) -> None:
    used = set(questionnaire.setting_references).union(*questionnaire.references.values())
    for name in template.files():
        texts = [name.removeprefix("template/")]
        if name.endswith(".jinja"):
            texts.append((template.path / name).read_text("utf-8"))
        for text in texts:
            used |= {node.name for node in questionnaire.parse(text).find_all(nodes.Name)}
    assert not set(questionnaire.computed) - used


def neighbours(questionnaire: Questionnaire, factor: str) -> list[dict[str, Any]]:
    """Return sets of answers that differ in one factor alone."""
    name, _, choice = factor.partition(":")
    base: dict[str, Any] = {"origin_name": EXAMPLES["origin_name"][0]}
    details = questionnaire.questions[name]
    if not choice:
        values = [value for value in factors(questionnaire)[name] if value in questionnaire.choices(name)]
        if details["type"] == "bool":
            values = [True, False]
        if values:
            return [{**base, name: value} for value in values]
        typed = [{**base, name: value} for value in EXAMPLES[name]]
        return typed if "default" not in details else [base, *typed]
    others = [other for other in questionnaire.choices(name) if other != choice]
    for selected in ([], *([other] for other in others), others):
        pair = [{**base, name: selected}, {**base, name: [*selected, choice]}]
        try:
            for answers in pair:
                questionnaire.answer(answers)
        except RefusedError:
            continue
        return pair
    raise AssertionError(f"no two allowed sets of answers differ in {factor} alone")


@pytest.mark.parametrize("factor", factors(present_questionnaire()))
def test_a_question_or_choice_changes_something(factor: str, template: Template, tmp_path: Path) -> None:
    rendered: list[dict[str, bytes]] = []
    for number, answers in enumerate(neighbours(template.questionnaire, factor)):
        contents = template.copy(tmp_path / str(number), answers).contents()
        assert contents not in rendered, f"{answers} changes no file"
        rendered.append(contents)


def test_reserved_names_hold_all_that_would_hide_a_module(
    questionnaire: Questionnaire, default_project: Project
) -> None:
    reserved = set(questionnaire.questions["reserved_names"]["default"].split())
    words = {*keyword.kwlist, *sys.stdlib_module_names}
    project = default_project
    for name in project.files():
        if name.endswith(".py"):
            for node in ast.walk(ast.parse(project.text(name))):
                if isinstance(node, ast.Import):
                    words |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    words.add((node.module or "").partition(".")[0])
    words |= {name.partition("/")[0] for name in project.files() if "/" in name}
    metadata = project.configuration
    required = [*metadata["project"]["dependencies"], *chain(*metadata["dependency-groups"].values())]
    words |= {re.split(r"[^A-Za-z0-9_.-]", line)[0].lower().replace("-", "_") for line in required}
    # Only what the package name's own validator would let through has to be listed.
    possible = {word for word in words if re.fullmatch(r"[a-z][a-z0-9_]*", word)} - {project.package}
    missing = " ".join(sorted(possible - reserved))
    assert not missing, f"add to reserved_names: {missing}"


def test_help_and_validators_are_written_for_people(questionnaire: Questionnaire) -> None:
    for name in questionnaire.asked:
        for text in texts_of(questionnaire.questions[name]):
            assert "please" not in text.lower(), name
            assert "invalid" not in text.lower().replace("invisible", ""), name


def test_messages_fit_80_columns(questionnaire: Questionnaire) -> None:
    slug = "a" + "-b" * 19 + "c"
    answers = questionnaire.answer({"origin_name": "Acme Reviews", "project_slug": slug}).values
    answers["_copier_conf"] = {"dst_path": "/srv/acme-reviews"}
    messages = [text for name, text in questionnaire.settings.items() if name.startswith("message_")]
    assert len(messages) == 3
    for message in messages:
        for line in questionnaire.render(message, answers).splitlines():
            assert len(line) <= 80, line


def test_the_oldest_copier_that_the_form_admits_is_the_one_that_the_tests_require() -> None:
    """A floor that nobody has tested is a guess."""
    requirements = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert f"copier>={FORM['_min_copier_version']}" in requirements
