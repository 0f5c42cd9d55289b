"""Answers that people really have, and that break careless templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hosting import COMPLETE
from structure import problems

if TYPE_CHECKING:
    from conftest import Generate
    from projects import Project

ORIGIN_NAMES = {
    "double quotes": 'The "Best" Reviews',
    "single quotes": "O'Reilly's",
    "both quotes": 'Bob\'s "Best" Reviews',
    "three double quotes": 'Say """hello"""',
    "quotes at both ends": '"Reviews"',
    "a backslash at the end": "Acme\\",
    "escapes": "C:\\new\\table\\u0041\\x41",
    "accents": "Ærøskøbing Çafé Zürich Łódź",
    "combining accents": "Cafe\u0301 Zu\u0308rich",
    "emoji": "Shop 🛒 Talk 👩‍👩‍👧 🇩🇪",
    "no Latin letter": "東京レビュー",
    "right to left": "مراجعات",
    "shell": "$HOME ${PATH} $(id) `id` !! ~ && ;",
    "Jinja": "{{ 7 * 7 }} {% raw %} {# no #}",
    "Python format": "{name} {0} {} %s %(name)s",
    "percent and hash": "100% #1",
    "HTML": "<script>alert(1)</script> &amp; <b>",
    "Markdown": "*Bold* _and_ [a](b) | `code` # x",
    "YAML": "- key: [value], & *x !t",
    "a YAML boolean": "yes",
    "a YAML null": "~",
    "a date": "2026-11-20",
    "a number": "1e3",
    "a Python keyword": "class",
    "a module of Python": "json",
    "digits first": "123 Reviews",
    "a colon at the end": "Reviews:",
    "255 characters": "Very long " * 25 + "names",
    "255 characters in one word": "é" * 255,
}

NASTIEST: dict[str, dict[str, Any]] = {
    "quotes, backslashes and emoji": {
        "origin_name": 'Bob\'s "Best" \\n 🛒 """Reviews""" \\',
        "user_name": 'Renée "R" O\'Hara \\',
        "user_email": "renee.o'hara+zendesk@xn--bcher-kva.example",
        "integration_id": "urn:x:\"'\\{}%$#",
    },
    "markup and expressions": {
        "origin_name": "{{ 7 * 7 }} {% raw %} ${HOME} $(id) 100% #1 <b>&amp;</b> {name} %s *x* [y](z) | `id`",
        "user_name": "{{ user_name }} <script>alert('%s')</script>",
        "integration_id": "{{integration_id}}",
        "public_url": "https://a.b-c.example:8443",
    },
    "255 characters": {
        "origin_name": "Ünïcödé 東京 " * 21 + "end",
        "project_slug": "a" + "-b" * 19 + "c",
        "package_name": "a" * 40,
        "user_name": "W" * 255,
        "integration_id": "x" * 511,
        "public_url": f"https://{'x' * 388}.com",
    },
}


def identity(project: Project) -> dict[str, Any]:
    return project.constants(f"{project.source}/identity.py")


def assert_sound(project: Project) -> None:
    found = problems(project)
    if found:
        recorded = {name: value for name, value in project.recorded.items() if not name.startswith("_")}
        pytest.fail("\n".join([f"answers: {recorded}", *found]), pytrace=False)
    # Whatever people are called, the service presents them as they wrote it.
    stated = identity(project)
    assert stated["NAME"] == project.answers["origin_name"]
    assert stated["INTEGRATION_ID"] == project.answers["integration_id"]
    if project.answers["user_name"]:
        assert stated["AUTHOR"] == project.answers["user_name"]


@pytest.mark.parametrize("kind", ORIGIN_NAMES)
def test_an_origin_may_be_called(kind: str, generate: Generate) -> None:
    assert_sound(generate(origin_name=ORIGIN_NAMES[kind]))


@pytest.mark.parametrize(
    "kind", ["both quotes", "three double quotes", "a backslash at the end", "emoji", "Jinja"]
)
def test_an_author_may_be_called(kind: str, generate: Generate) -> None:
    assert_sound(generate(user_name=ORIGIN_NAMES[kind]))


@pytest.mark.parametrize("hosting", COMPLETE)
def test_names_may_be_as_long_as_they_are_allowed_to_be(hosting: str, generate: Generate) -> None:
    assert_sound(generate(**COMPLETE[hosting] | NASTIEST["255 characters"]))


@pytest.mark.parametrize("kind", NASTIEST)
def test_the_nastiest_answers_are_sound(kind: str, generate: Generate) -> None:
    """test_gate.py runs the gates of such projects."""
    assert_sound(generate(**NASTIEST[kind]))
