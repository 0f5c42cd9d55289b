"""Which answers are taken, which are refused, and in which words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import copier
import pytest
from commands import environment, run, tool
from jinja2 import nodes
from questionnaire import RefusedError, present_questionnaire
from terminal import COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Generate
    from projects import Template
    from questionnaire import Questionnaire

# (question, given beside a plain origin name, the sentence that a user reads)
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (
        "origin_name",
        {"origin_name": "  "},
        "Type the service's name, for example: Acme Reviews.",
    ),
    (
        "origin_name",
        {"origin_name": "x" * 256},
        "Shorten it to 255 characters (it has 256): Zendesk takes no longer channel name.",
    ),
    ("origin_name", {"origin_name": "Acme "}, "Remove the space around the name."),
    (
        "origin_name",
        {"origin_name": "Acme\u202eReviews"},
        "Remove invisible characters: the name is one line of plain text.",
    ),
    (
        "origin_name",
        {"origin_name": "Acme\nReviews"},
        "Remove invisible characters: the name is one line of plain text.",
    ),
    (
        "project_slug",
        {"project_slug": "Acme_Reviews"},
        (
            "Use lower-case letters, digits and single hyphens, and begin with a letter, "
            "for example: acme-reviews."
        ),
    ),
    (
        "project_slug",
        {"project_slug": "a" * 41},
        "Shorten the slug to 40 characters (it has 41): it becomes a command name.",
    ),
    (
        "project_slug",
        {"project_slug": "class"},
        (
            'Choose another slug, for example class-channel: "class" is a Python word, '
            "or a package that the project uses."
        ),
    ),
    (
        "package_name",
        {"package_name": "acme-reviews"},
        (
            "Use lower-case letters, digits and underscores, and begin with a letter, "
            "for example: acme_reviews."
        ),
    ),
    (
        "package_name",
        {"package_name": "a" * 41},
        "Shorten it to 40 characters (it has 41).",
    ),
    (
        "package_name",
        {"package_name": "starlette"},
        (
            'Choose another package name, for example starlette_channel: "starlette" is a Python word, '
            "or a package that the project uses."
        ),
    ),
    (
        "user_name",
        {"user_name": "x" * 256},
        "Shorten it to 255 characters (it has 256): Zendesk takes no more.",
    ),
    (
        "user_name",
        {"user_name": "Ada\tLovelace"},
        "Remove invisible characters: the author is one line of plain text.",
    ),
    (
        "user_email",
        {"user_email": "ada at example"},
        "Write an address, such as ada@example.com, in plain ASCII, or leave it empty.",
    ),
    (
        "integration_id",
        {"integration_id": "acme reviews"},
        "Write the id without spaces, in plain ASCII, as a URI or GUID, for example: com.acme.reviews.zendesk.",
    ),
    (
        "integration_id",
        {"integration_id": "x" * 512},
        "Shorten it to 511 characters (it has 512): Zendesk takes no more.",
    ),
    (
        "capabilities",
        {"capabilities": ["channelback", "about"]},
        "Choose pull or push as well: channelback answers posts, and only these two bring posts into Zendesk.",
    ),
    (
        "capabilities",
        {"capabilities": ["pull", "listen"]},
        (
            "Choose push as well: listen hands what it hears to the outbox, from which push sends it to Zendesk. "
            "Or leave listen out."
        ),
    ),
    (
        "capabilities",
        {"capabilities": ["push", "deferred_replies"]},
        (
            "Choose channelback as well: deferred_replies answers agents' replies, and only channelback takes them. "
            "Or leave deferred_replies out."
        ),
    ),
    (
        "capabilities",
        {"capabilities": ["pull", "channelback", "deferred_replies"]},
        (
            "Choose push as well: only push brings the token with which Zendesk is told that a reply failed "
            "after it was answered. Or leave deferred_replies out."
        ),
    ),
    (
        "capabilities",
        {"capabilities": ["clickthrough", "event_callback"]},
        "Choose pull or push as well: clickthrough opens posts, and only these two bring posts into Zendesk.",
    ),
    (
        "capabilities",
        {"capabilities": ["proxy", "event_callback"]},
        "Choose pull or push as well: proxy acts on posts, and only these two bring posts into Zendesk.",
    ),
    (
        "capabilities",
        {"capabilities": ["zis", "event_callback"]},
        (
            "Choose pull or push as well: zis tells what becomes of tickets, and only these two bring posts into "
            "Zendesk that become tickets."
        ),
    ),
    (
        "origin",
        {"capabilities": ["pull", "zis"], "origin": "matrix"},
        (
            "Choose demonstration, or leave choices, proxy, zis and oauth out: the form of Matrix has one step, apps "
            "have no actions for a room yet, a solved ticket changes none, and a homeserver gives its bot a token."
        ),
    ),
    (
        "hosting",
        {"capabilities": ["pull", "push"], "hosting": "aws_lambda"},
        (
            "Choose another hosting, such as cloud_run or fly, or leave push out: what push sends must be kept and sent "
            "again by a worker that is always there, and AWS Lambda runs nothing between requests."
        ),
    ),
    (
        "public_url",
        {"public_url": "http://reviews.example.com"},
        (
            "Write https:// and a lower-case host, with nothing behind it, "
            "for example: https://reviews.example.com."
        ),
    ),
    (
        "public_url",
        {"public_url": "https://" + "x" * 393},
        "Shorten it to 400 characters: with its path no URL of the manifest may pass 511.",
    ),
]


@pytest.mark.parametrize(
    ("question", "given", "sentence"),
    REFUSED,
    ids=[f"{question}-{n}" for n, (question, *_) in enumerate(REFUSED)],
)
def test_copier_refuses_with_a_sentence_that_says_what_to_do(
    question: str, given: dict[str, Any], sentence: str, template: Template, tmp_path: Path
) -> None:
    with pytest.raises(
        ValueError, match=rf"(Validation error for question|Invalid choice for) '{question}':"
    ) as refused:
        copier.run_copy(
            str(template.path),
            tmp_path / "project",
            data={"origin_name": "Acme Reviews", **given},
            defaults=True,
            quiet=True,
        )
    assert " ".join(str(refused.value).split()).endswith(f"'{question}': {sentence}")
    assert not (tmp_path / "project").exists()


def test_the_form_shows_what_to_do_in_one_line_of_80_columns() -> None:
    """Copier's own words come before it, and what is behind the 80th column is not shown."""
    for question, _, sentence in REFUSED:
        if question != "hosting":
            advice = re.split(r"[,;(]|[.:](?= |$)", sentence)[0]
            shown = f"Validation error for question '{question}': {advice}"
            assert len(shown) <= COLUMNS, f"{len(shown)} columns: {shown}"


GAP = "\0"


def branches(validator: str, questionnaire: Questionnaire) -> list[str]:
    """Return a pattern for each sentence that a validator can end in."""
    parsed = questionnaire.parse(validator)
    found = []
    for condition in parsed.find_all(nodes.If):
        for branch in [condition, *condition.elif_]:
            pieces = [
                piece.data if isinstance(piece, nodes.TemplateData) else GAP
                for output in branch.body
                for piece in output.nodes
            ]
            found.append(".*".join(map(re.escape, " ".join("".join(pieces).split()).split(GAP))))
    return found


def test_each_branch_of_each_validator_has_a_row(questionnaire: Questionnaire) -> None:
    without_row = []
    for name in questionnaire.asked:
        sentences = [sentence for question, _, sentence in REFUSED if question == name]
        validators = [
            questionnaire.questions[name].get("validator", ""),
            *questionnaire.conditions(name).values(),
        ]
        without_row += [
            f"{name}: {branch}"
            for validator in validators
            for branch in branches(validator, questionnaire)
            if not any(re.fullmatch(branch, sentence) for sentence in sentences)
        ]
    assert not without_row


@pytest.mark.parametrize("given", [{"hosting": "moon"}, {"capabilities": ["pull", "fax"]}], ids=str)
def test_copier_refuses_a_value_that_is_no_choice(
    given: dict[str, Any], template: Template, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="Invalid choice for"):
        copier.run_copy(
            str(template.path), tmp_path, data={"origin_name": "Acme", **given}, defaults=True, quiet=True
        )


def test_the_origin_name_has_no_default(template: Template, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='Question "origin_name" is required'):
        copier.run_copy(str(template.path), tmp_path, defaults=True, quiet=True)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"capabilites": ["pull"]}, "no such question"),
        ({"pull": True}, "computed"),
        ({"capabilities": ["pull"], "channelback_files": True}, "not asked"),
        ({"capabilities": [], "create_followup_tickets": False}, "not asked"),
        ({"hosting": "moon"}, "is not in"),
        ({"project_slug": "class"}, "Choose another slug"),
    ],
    ids=str,
)
def test_the_strict_fixture_refuses(given: dict[str, Any], reason: str, generate: Generate) -> None:
    """Copier itself takes the first four in silence, and a test with such a typing error would prove nothing."""
    with pytest.raises(RefusedError, match=reason):
        generate(**given)


def test_the_questionnaire_of_the_tests_answers_as_copier_does(generate: Generate) -> None:
    project = generate(origin_name="Café Zürich", capabilities=["pull", "about"], hosting="none")
    recorded = {name: value for name, value in project.recorded.items() if not name.startswith("_")}
    assert recorded == {
        "origin_name": "Café Zürich",
        "project_slug": "cafe-zurich",
        "package_name": "cafe_zurich",
        "user_name": "",
        "user_email": "",
        "integration_id": recorded["integration_id"],
        "capabilities": ["pull", "about"],
        "create_followup_tickets": True,
        "origin": "demonstration",
        "hosting": "none",
        "public_url": "",
        "continuous_integration": "github",
    }


# Origin names from which a slug, a package name and an id must come that nobody has to correct.
ORIGIN_NAMES = [
    "Acme Reviews",
    "Ærøskøbing Ærlig",
    "Łódź Żółw",
    "東京レビュー",
    "🛒🛒🛒",
    "123 Reviews",
    "3",
    "---",
    "class",
    "Class",
    "json",
    "tests",
    "Import!",
    "my channel",
    "O'Reilly's",
    "x" * 255,
    "é" * 255,
    "a " * 127 + "a",
    "a-" * 15 + "bc d",
    "{{ origin_name }}",
    "C:\\new\\table",
    '"',
]


@pytest.mark.parametrize("origin_name", ORIGIN_NAMES, ids=lambda name: ascii(name)[:40])
def test_defaults_made_from_any_origin_name_are_valid(origin_name: str, questionnaire: Questionnaire) -> None:
    """What Copier computes has to satisfy what it would ask of a person, given back as an explicit answer."""
    answered = questionnaire.answer({"origin_name": origin_name})
    explicit = {name: answered.values[name] for name in questionnaire.asked}
    assert questionnaire.answer(explicit).values == answered.values


def test_the_integration_id_is_stable_and_differs_between_integrations(questionnaire: Questionnaire) -> None:
    def made_from(**given: str) -> str:
        identity: str = questionnaire.answer({"origin_name": "Acme", **given}).values["integration_id"]
        return identity

    assert made_from() == made_from()
    assert len({made_from(), made_from(user_name="Ada"), made_from(project_slug="other")}) == 3


def copier_command(template: Template, destination: Path, *arguments: str, **env: str) -> tuple[int, str]:
    ended = run(
        tool("copier"),
        "copy",
        *arguments,
        str(template.path),
        str(destination),
        folder=destination.parent,
        env=environment(**env),
        check=False,
    )
    return ended.code, ended.output


def test_the_command_line_needs_nothing_but_the_origin_name(template: Template, tmp_path: Path) -> None:
    code, output = copier_command(
        template, tmp_path / "project", "--defaults", "-d", "origin_name=Acme Reviews"
    )
    assert code == 0, output
    project = tmp_path / "project"
    facts = questionnaire_values(origin_name="Acme Reviews")
    assert f"Acme Reviews for Zendesk is in\n{project}\n" in output
    assert facts["set_up_command"] in output
    assert facts["run_command"] in output
    assert facts["test_command"] in output
    assert "src/acme_reviews/origin.py" in output


def questionnaire_values(**given: Any) -> dict[str, Any]:
    return present_questionnaire().answer(given).values


def test_the_command_line_takes_a_file_of_answers(template: Template, tmp_path: Path) -> None:
    answers = tmp_path / "answers.yml"
    answers.write_text("origin_name: Corner Café\ncapabilities: [pull]\nhosting: none\n", "utf-8")
    code, output = copier_command(template, tmp_path / "project", "--defaults", "--data-file", str(answers))
    assert code == 0, output
    assert (tmp_path / "project/src/corner_cafe/origin.py").exists()
    assert not (tmp_path / "project/deploy").exists()


def test_the_command_line_says_what_to_do(template: Template, tmp_path: Path) -> None:
    code, output = copier_command(template, tmp_path / "project", "--defaults", "-d", "origin_name= Acme")
    assert code != 0
    assert "Remove the space around the name." in output
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("given", ["pull,push", "pull", "pull push", "", "7", "{pull: push}"])
def test_capabilities_that_are_no_list_are_refused_without_a_traceback(
    given: str, template: Template, tmp_path: Path
) -> None:
    advice = "Write capabilities as a list in brackets, for example: --data capabilities='[pull, push]'"
    command = ("--defaults", "-d", "origin_name=Acme", "-d", f"capabilities={given}")
    code, output = copier_command(template, tmp_path / "project", *command)
    assert code == 1
    assert advice in output
    assert "Traceback" not in output
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("text", ["capabilities: pull, push", "capabilities:", "capabilities: {pull: true}"])
def test_a_file_of_answers_whose_capabilities_are_no_list_is_refused_so_too(
    text: str, template: Template, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.yml"
    answers.write_text(f"origin_name: Acme\n{text}\n", "utf-8")
    code, output = copier_command(template, tmp_path / "project", "--defaults", "--data-file", str(answers))
    assert (code, "capabilities='[pull, push]'" in output, "Traceback" in output) == (1, True, False)


@pytest.mark.parametrize("given", ["[pull, push]", "- pull\n- push", " [push, pull]", "[]"])
def test_a_list_of_capabilities_is_taken_from_the_command_line(
    given: str, template: Template, tmp_path: Path
) -> None:
    command = ("--defaults", "-d", "origin_name=Acme", "-d", f"capabilities={given}")
    code, output = copier_command(template, tmp_path / "project", *command)
    assert code == 0, output
    assert (tmp_path / "project/src/acme/push").exists() == ("push" in given)


def test_the_message_after_copy_names_what_exists(template: Template, tmp_path: Path) -> None:
    _, output = copier_command(template, tmp_path / "project", "--defaults", "-d", "origin_name=Acme Reviews")
    for name in re.findall(r"src/[\w/]+\.py", output):
        assert (tmp_path / "project" / name).exists(), name
    assert "{{" not in output
