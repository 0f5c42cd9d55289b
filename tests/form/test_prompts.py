"""The form in a real terminal, filled in by typing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from commands import environment, tool
from terminal import CLEAR_LINE, DOWN, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from projects import Template
    from questionnaire import Questionnaire


@pytest.fixture
def terminal(template: Template, tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(
        str(tool("copier")),
        "copy",
        str(template.path),
        str(tmp_path / "project"),
        folder=tmp_path,
        env=environment(HOME=str(tmp_path)),
    )
    yield opened
    opened.close()


def test_a_person_fills_in_the_form(terminal: Terminal, tmp_path: Path) -> None:
    terminal.read("A channel integration service for Zendesk Support")
    terminal.answer("Origin name.", " ")
    terminal.read("Type the service's name")
    terminal.type(CLEAR_LINE)
    terminal.type("Corner Café\r")
    # A wrong slug is explained under the line that is being typed, and can be corrected there.
    terminal.answer("Project slug.", CLEAR_LINE + "Corner Cafe")
    terminal.read("Use lower-case letters")
    terminal.type(CLEAR_LINE + "corner-cafe\r")
    terminal.answer("Package name.")
    terminal.answer("Author.", "Ada Lovelace")
    terminal.answer("Author's e-mail.")
    terminal.answer("Integration id.")
    # Pull is chosen at first; without it, and without push, some others make no sense, and the form says so.
    terminal.answer("Capabilities.", " ")
    terminal.read("Choose pull or push as well")
    terminal.type(" " + DOWN + DOWN + DOWN + " \r")
    terminal.read("Follow-up tickets.")
    terminal.type("n")
    terminal.answer("Origin.", DOWN)
    terminal.answer("Hosting.", DOWN)
    terminal.answer("Public URL.", "https://reviews.example.com")
    terminal.answer("Continuous integration.", DOWN)
    terminal.read("Corner Café for Zendesk is in")
    terminal.read("corner-cafe sandbox")
    assert terminal.end() == 0

    answers = yaml.safe_load((tmp_path / "project/.copier-answers.yml").read_text("utf-8"))
    assert answers["origin_name"] == "Corner Café"
    assert answers["project_slug"] == "corner-cafe"
    assert answers["package_name"] == "corner_cafe"
    assert answers["user_name"] == "Ada Lovelace"
    assert answers["capabilities"] == ["pull", "clickthrough", "about", "dashboard"]
    assert "channelback_files" not in answers
    assert answers["create_followup_tickets"] is False
    assert answers["origin"] == "matrix"
    assert answers["hosting"] == "systemd"
    assert answers["public_url"] == "https://reviews.example.com"
    assert answers["continuous_integration"] == "gitlab"


def assert_shown_whole(shown: str, form: Questionnaire) -> None:
    """What Copier cannot show in a line it cuts off."""
    for name in form.asked:
        for line in form.questions[name]["help"].splitlines():
            assert line in shown, f"{name}: {line}"
        for label in form.questions[name].get("choices", ()):
            assert label in shown, f"{name}: {label}"


def test_enter_takes_every_default(terminal: Terminal, tmp_path: Path, template: Template) -> None:
    terminal.answer("Origin name.", "Acme Reviews")
    for question in template.questionnaire.asked[1:]:
        title = template.questionnaire.questions[question]["help"].partition(".")[0]
        terminal.answer(f"{title}.")
    terminal.read("Acme Reviews for Zendesk is in")
    assert terminal.end() == 0
    assert_shown_whole(terminal.shown, template.questionnaire)

    expected = template.copy(tmp_path / "expected", {"origin_name": "Acme Reviews"})
    for name, content in expected.contents().items():
        assert (tmp_path / "project" / name).read_bytes() == content, name
