"""`sandbox/validate`: payloads of the wire contract, checked by hand."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner, Result
from contract import MESSAGES, counter_examples, examples
from sandbox import wire
from sandbox.validate import app_rules
from sandbox.validate.__main__ import main
from sandbox.validate.documents import Document, read
from sandbox.validate.explanations import EXPLANATIONS, FORMATS
from sandbox.validate.findings import Finding, findings
from sandbox.validate.recognition import FORMS, recognised
from sandbox.validate.refusals import Refusal

MANIFEST = """{
  "name": "",
  "id": "com.acme.reviews",
  "url": {"admin_ui": "https://reviews.example.com/admin_ui"},
  "urls": {
    "admin_ui": "http://reviews.example.com/admin_ui"
  }
}
"""
REQUIREMENTS = """{
  "channel_integrations": {
    "acme": {"manifest": "https://reviews.example.com/manifest"}
  },
  "channel_integrations": {
    "acme": {}
  }
}
"""
BUNDLE = """{
  "zis_template_version": "2019-10-14",
  "name": "Solved tickets",
  "resources": {
    "solved": {
      "type": "ZIS::Flow",
      "properties": {
        "name": "solved",
        "definition": {"StartAt": "Strat", "States": {"Start": {"Type": "Pass", "Next": "Start", "End": true}}}
      }
    },
    "job": {
      "type": "ZIS::JobSpec",
      "properties": {
        "name": "job",
        "event_source": "support",
        "event_type": "ticket.TicketCreated",
        "flow_name": "zis:acme:flow:created"
      }
    }
  }
}
"""


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is checked lies in a folder of its own."""
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=typed)


def write(name: str, text: str) -> str:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")
    return name


# --- What people read -----------------------------------------------------------------------------


def test_a_wrong_manifest_is_explained() -> None:
    """SVC-02, SVC-03"""
    result = run(write("manifest.json", MANIFEST))

    assert result.exit_code == 1
    assert result.output == (
        "manifest.json:2:11: SVC-02 /name: the string is empty\n"
        "    remedy: Write at least one character, or leave the key out if it is optional. Meaning: Name of the "
        "integration, and the first name of its channel in Zendesk.\n"
        "    schema: manifest, minLength\n"
        f"    source: {wire.sources()['S3']['url']}\n"
        f"    source: {wire.sources()['SCH']['url']}\n"
        "manifest.json:4:3: manifest/additionalProperties /url: `url` is no key of this object\n"
        "    remedy: Remove it, or look for a spelling mistake. Meaning: What Zendesk reads, by GET and again every "
        "few hours, to learn who the integration is and where its endpoints are. Unknown keys are refused, although "
        "Zendesk ignores them: a mistyped key would silently switch a feature off.\n"
        "    schema: manifest, additionalProperties\n"
        "manifest.json:6:17: SVC-03,SVC-10,SVC-02,SVC-13 /urls/admin_ui: "
        '"http://reviews.example.com/admin_ui" is no complete https URL\n'
        "    remedy: Write https://, the host and the path; encode spaces, and letters beyond ASCII, with percent "
        "signs. Meaning: The form in which an admin adds or edits an account; opened by POST, in a frame.\n"
        "    schema: manifest, format\n"
        f"    source: {wire.sources()['S3']['url']}\n"
        f"    source: {wire.sources()['SCH']['url']}\n"
        "1 file checked, 3 findings in 1 of them.\n"
    )


def test_a_wrong_requirements_file_is_explained() -> None:
    """SVC-11"""
    result = run(write("requirements.json", REQUIREMENTS))

    assert result.exit_code == 1
    assert result.output == (
        "requirements.json:5:3: installer-app-requirements/duplicate-key /channel_integrations: "
        "the key `channel_integrations` stands in this object already, in line 2\n"
        "    remedy: Keep one of the two: readers of JSON drop the other without a word.\n"
        "    schema: installer-app-requirements, duplicate-key\n"
        "requirements.json:6:13: SVC-01,SVC-11 /channel_integrations/acme: `manifest_url` is missing\n"
        "    remedy: Add `manifest_url`. Meaning: Where Zendesk reads the channel's manifest. Anything but https "
        "ends the installation with an error.\n"
        "    schema: installer-app-requirements, required\n"
        f"    source: {wire.sources()['ZAS']['url']}\n"
        f"    source: {wire.sources()['D:channel_app']['url']}\n"
        "1 file checked, 2 findings in 1 of them.\n"
    )


def test_a_wrong_bundle_is_explained() -> None:
    result = run(write("bundle.json", BUNDLE))

    assert result.exit_code == 1
    machine = "/resources/solved/properties/definition"
    assert result.output == (
        f"bundle.json:9:35: zis-bundle/state-exists {machine}/StartAt: the flow has no state `Strat`\n"
        "    remedy: Name one of its states (`Start`), or add `Strat` to them.\n"
        "    schema: zis-bundle, state-exists\n"
        f"    source: {wire.sources()['Z:flow']['url']}\n"
        f"bundle.json:9:64: zis-bundle/oneOf {machine}/States/Start: `Next` and `End` exclude each other\n"
        "    remedy: Keep exactly one of `Next` and `End`. Meaning: One step. `Task`, `Parallel` and intrinsic "
        "functions do not exist.\n"
        "    schema: zis-bundle, oneOf\n"
        f"    source: {wire.sources()['Z:flow']['url']}\n"
        "bundle.json:18:22: zis-bundle/flow-exists /resources/job/properties/flow_name: "
        "the bundle has no flow `created`\n"
        "    remedy: Name one that it has (`solved`), or add `created` to its resources.\n"
        "    schema: zis-bundle, flow-exists\n"
        f"    source: {wire.sources()['Z:cust']['url']}\n"
        f"    source: {wire.sources()['Z:gloss']['url']}\n"
        "1 file checked, 3 findings in 1 of them.\n"
    )


def test_a_text_that_is_no_json_is_a_finding_like_any_other() -> None:
    result = run(write("reply.json", '{"external_id": "1",\n}'))

    assert result.exit_code == 1
    assert result.output == (
        "reply.json:2:1: syntax (whole message): a comma stands before the closing bracket\n"
        "    remedy: Remove the comma.\n"
        "    schema: any, syntax\n"
        "1 file checked, 1 finding in 1 of them.\n"
    )


def test_several_files_are_checked_at_once() -> None:
    right = examples("manifest")[0].value
    files = [
        write("a/manifest.json", json.dumps(right)),
        write("b/manifest.json", '{"name": "Acme"}'),
        write("c.json", "["),
    ]

    result = run(*files)

    assert result.exit_code == 1
    assert [
        line.partition(": ")[0] for line in result.output.splitlines() if line.endswith("is missing")
    ] == ["b/manifest.json:1:1"] * 2
    assert result.output.endswith("\n3 files checked, 3 findings in 2 of them.\n")


def test_what_is_right_is_said_to_be() -> None:
    result = run(write("manifest.json", json.dumps(examples("manifest")[0].value)))

    assert (result.exit_code, result.output) == (0, "1 file checked, nothing is wrong.\n")


def test_the_names_of_the_schemas_are_listed() -> None:
    result = run("--list")

    assert result.exit_code == 0
    listed = dict(line.split(maxsplit=1) for line in result.output.splitlines())
    assert listed == {name: wire.schema(name)["title"] for name in wire.names()}


# --- What programs read -----------------------------------------------------------------------------

OUTPUT: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "file": {"type": "string"},
            "line": {"type": "integer", "minimum": 1},
            "column": {"type": "integer", "minimum": 1},
            "pointer": {"type": "string", "pattern": "^(/|$)"},
            "schema": {"enum": [*wire.names(), None]},
            "keyword": {"type": "string", "minLength": 1},
            "rules": {"type": "array", "items": {"pattern": "^(SVC|ZEN)-[0-9]{2}$"}},
            "message": {"type": "string", "minLength": 1},
            "remedy": {"type": "string", "pattern": "[.]$"},
            "sources": {"type": "array", "items": {"type": "string", "pattern": "^https://"}},
            "severity": {"enum": ["error", "warning"]},
        },
        "required": list(Finding._fields),
        "additionalProperties": False,
    },
}


def test_the_findings_are_told_to_programs() -> None:
    files = [
        write("manifest.json", MANIFEST),
        write("requirements.json", REQUIREMENTS),
        write("bundle.json", BUNDLE),
        write("broken.json", "{"),
    ]

    result = run("--output", "json", *files)

    assert result.exit_code == 1
    told = json.loads(result.output)
    assert list(wire.violations_of(wire.validator(OUTPUT), told)) == []
    assert [finding["file"] for finding in told] == [files[0]] * 3 + [files[1]] * 2 + [files[2]] * 3 + [
        files[3]
    ]
    assert told[0] == {
        "file": "manifest.json",
        "line": 2,
        "column": 11,
        "pointer": "/name",
        "schema": "manifest",
        "keyword": "minLength",
        "rules": ["SVC-02"],
        "message": "the string is empty",
        "remedy": "Write at least one character, or leave the key out if it is optional. Meaning: Name of the "
        "integration, and the first name of its channel in Zendesk.",
        "sources": [wire.sources()["S3"]["url"], wire.sources()["SCH"]["url"]],
        "severity": "error",
    }


def test_programs_are_told_that_nothing_is_wrong() -> None:
    right = json.dumps(examples("manifest")[0].value)

    result = run("--schema", "manifest", "--output", "json", "-", typed=right)

    assert (result.exit_code, json.loads(result.output)) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Name at least one file"),
        (["nowhere.json"], "nowhere.json"),
        (["."], "there is no file whose name ends in .json"),
        (["--schema", "manifesto", "-"], "manifest"),
        (["--output", "xml", "-"], "json"),
        (["-"], "<stdin>: neither its name nor its keys tell which message it holds"),
    ],
)
def test_a_command_that_cannot_be_carried_out_says_why(arguments: list[str], said: str) -> None:
    result = run(*arguments, typed="{}")

    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr


def test_a_message_that_cannot_be_told_gets_the_names_to_choose_from() -> None:
    assert all(name in run("-", typed="[1]").stderr for name in wire.names())


# --- Every schema -----------------------------------------------------------------------------------


def keywords_of(schema: Any) -> Iterator[tuple[str, Any]]:
    """Yield every keyword with its value; `properties` and the like are looked into, not yielded."""
    for keyword, value in schema.items() if isinstance(schema, dict) else ():
        if keyword in {"$defs", "dependentSchemas", "patternProperties", "properties"}:
            for inner in value.values():
                yield from keywords_of(inner)
        elif keyword in {"additionalProperties", "else", "if", "items", "propertyNames", "then"}:
            yield from keywords_of(value)
        elif keyword == "allOf":
            for inner in value:
                yield from keywords_of(inner)
        else:
            yield keyword, value


def test_every_keyword_is_explained() -> None:
    annotations = {"$id", "$ref", "$schema", "default", "description", "examples", "title"}
    used = {keyword for name in MESSAGES for keyword, _ in keywords_of(wire.schema(name))}
    # These two are explained key by key.
    assert used - annotations - {"required"} <= set(EXPLANATIONS)


def test_every_format_is_explained() -> None:
    assert set(FORMATS) == set(wire.FORMATS.checkers)


@pytest.mark.parametrize(
    ("refusal", "wrong", "remedy"),
    [
        (
            Refusal("type", "string", None, {}, (), ()),
            "this is null, where a string must stand",
            "Write a string; if",
        ),
        (
            Refusal("type", ["string", "integer"], [], {}, (), ()),
            "this is an array, where a string or an integer must stand",
            "Write a string or an integer.",
        ),
        (
            Refusal("minLength", 3, "a", {}, (), ()),
            "the string has 1 character, at least 3 are needed",
            "Lengthen it to 3 characters.",
        ),
        (
            Refusal("maxLength", 65535, "a" * 65536, {}, (), ()),
            "the string has 65,536 characters, at most 65,535 are allowed",
            "Shorten it to 65,535 characters.",
        ),
        (
            Refusal("minItems", 2, ["a"], {}, (), ()),
            "there is 1 entry here, at least 2 are needed",
            "Add 1 more.",
        ),
        (
            Refusal("maxItems", 1, ["a", "b"], {}, (), ()),
            "the array has 2 entries, at most 1 are allowed",
            "Send at most 1 at once",
        ),
        (Refusal("minProperties", 1, {}, {}, (), ()), "there is no key here", "Add at least 1 key."),
        (
            Refusal("oneOf", [{"required": ["a"]}, {"required": ["b"]}], {}, {}, (), ()),
            "none of `a` and `b` is there",
            "Add exactly one of `a` and `b`.",
        ),
        (Refusal("not", {"const": "a"}, "a", {}, (), ()), '"a" is taken', 'Write anything but "a".'),
        (
            Refusal("enum", ["a"], "b" * 99, {}, (), ()),
            f'"{"b" * 59}… is not among',
            'Write one of "a".',
        ),
    ],
)
def test_a_keyword_is_explained_in_words(refusal: Refusal, wrong: str, remedy: str) -> None:
    explanation = EXPLANATIONS[refusal.keyword](refusal)

    assert explanation.wrong.startswith(wrong)
    assert explanation.remedy.startswith(remedy)


def test_a_missing_key_is_explained_wherever_the_schema_describes_it() -> None:
    """What a rule of a choice needs stands in one part of the schema, what that means in another."""
    bundle = json.loads(BUNDLE)
    choice = {"Type": "Choice", "Choices": [{"Variable": "$.input", "IsNull": True}]}
    bundle["resources"]["solved"]["properties"]["definition"]["States"]["Which"] = choice
    document = read(json.dumps(bundle).encode())

    (missing,) = [
        found for found in findings("f.json", "zis-bundle", document) if found.keyword == "required"
    ]

    assert missing.pointer.endswith("/Which/Choices/0")
    assert missing.remedy == "Add `Next`. Meaning: Name of the state that follows."


def test_a_key_that_resembles_another_is_told_so() -> None:
    document = read(b'{"nmae": "Acme", "id": "com.acme", "urls": {"admin_ui": "https://a/b"}}')

    mistaken, missing = sorted(findings("f.json", "manifest", document), key=lambda finding: finding.keyword)

    assert (mistaken.pointer, mistaken.column) == ("/nmae", 2)
    assert mistaken.remedy.startswith("Write `name` if you mean that.")
    assert (missing.message, missing.rules) == ("`name` is missing", ("SVC-02",))


def text_at(document: Document, finding: Finding) -> str:
    lines = document.text.split("\n")
    return "\n".join(lines[finding.line - 1 :])[finding.column - 1 :]


# An app's files are judged as Zendesk does, which takes more than the schemas: see test_app_package.py.
@pytest.mark.parametrize("name", [name for name in MESSAGES if name not in app_rules.CHECKS])
def test_every_counter_example_is_found_wrong_at_its_place(name: str) -> None:
    for example in counter_examples(name):
        document = read(json.dumps(example.value, indent=2, ensure_ascii=False).encode())
        found = findings("message.json", name, document)
        assert found == sorted(found, key=lambda finding: finding[1:3])
        of_keys = {"additionalProperties"}
        (expected,) = [
            finding
            for finding in found
            if finding.keyword == example.keyword
            and (finding.pointer.rpartition("/")[0] if finding.keyword in of_keys else finding.pointer)
            in {example.pointer, f"{example.pointer}/"}
        ]
        assert expected.schema == name
        stands, _ = json.JSONDecoder().raw_decode(text_at(document, expected))
        if expected.pointer == example.pointer:
            assert stands == wire.part_of(example.value, expected.pointer)
        else:
            assert expected.pointer == example.pointer + wire.pointer_of([stands])


@pytest.mark.parametrize("name", app_rules.CHECKS)
def test_every_counter_example_of_an_app_is_spoken_of_at_its_place(name: str) -> None:
    """As an error where Zendesk's validator refuses it, and else as a warning. Texts of its own an app may have."""
    for example in counter_examples(name):
        found = findings("message.json", name, read(json.dumps(example.value).encode()))
        if name == "installer-app-translation" and example.keyword == "additionalProperties":
            assert found == []
        else:
            assert any(example.pointer.startswith(finding.pointer.rpartition("/")[0]) for finding in found), (
                example
            )


@pytest.mark.parametrize("name", MESSAGES)
def test_nothing_is_wrong_with_an_example(name: str) -> None:
    for example in examples(name):
        found = findings("message.json", name, read(json.dumps(example.value).encode()))
        assert [finding for finding in found if finding.severity == "error"] == []


# --- Which message it is ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "value", "name"),
    [
        ("requirements.json", [], "installer-app-requirements"),
        ("app/translations/de.json", {}, "installer-app-translation"),
        ("translations/notes.txt", {}, None),
        ("manifest.json", {"urls": {}}, "manifest"),
        ("manifest.json", {"defaultLocale": "en"}, "installer-app-manifest"),
        ("manifest.json", {"name": "Acme"}, "manifest"),
        ("manifest.json", {}, None),
        ("zis-bundle.json", 7, "zis-bundle"),
        ("zis-bundle.second.json", 7, "zis-bundle"),
        ("message.json", {"external_resources": []}, "pull-response"),
        (
            "message.json",
            {"external_resources": [], "instance_push_id": "a", "request_id": "b"},
            "push-request",
        ),
        ("message.json", {"zis_template_version": "2019-10-14", "resources": {}}, "zis-bundle"),
        ("message.json", {"events": []}, "event-callback"),
        ("message.json", {"token": {}}, None),
        ("message.json", {"name": "Acme"}, None),
        ("message.json", ["manifest"], None),
    ],
)
def test_a_message_is_told_by_the_name_of_its_file_or_by_its_keys(
    file: str, value: object, name: str | None
) -> None:
    assert recognised(file, value, is_form=False) == name


# What another message could be as well: one of the names says so.
AMBIGUOUS = {"oauth-token-request", "oauth-token-response"}


@pytest.mark.parametrize("name", sorted({*MESSAGES} - FORMS - AMBIGUOUS))
def test_an_example_is_recognised_or_left_open(name: str) -> None:
    seen = [recognised("message.json", example.value, is_form=False) for example in examples(name)]

    assert set(seen) <= {name, None}
    assert seen.count(name) > seen.count(None)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_form_is_recognised_and_found_right(name: str) -> None:
    for number, example in enumerate(examples(name)):
        text = urlencode(example.value, doseq=True)
        seen = recognised("message.form", read(text.encode(), form=True).value, is_form=True)
        assert seen in {name, None}
        result = run("--schema", name, write(f"{number}.form", text))
        assert (result.exit_code, result.output) == (0, "1 file checked, nothing is wrong.\n")


def test_a_form_of_standard_input_is_one_by_its_looks_or_by_the_option() -> None:
    looks = run("--schema", "admin-ui-request", "-", typed="locale=&subdomain=&return_url=https://a")
    told = run(
        "--schema", "admin-ui-request", "--form", "-", typed=" locale=&subdomain=&return_url=https://a"
    )

    assert [line for line in looks.output.splitlines() if line.startswith("<stdin>")] == [
        "<stdin>:1:19: SVC-21,SVC-23 /subdomain: the string is empty"
    ]
    assert "`locale` is missing" in told.output


def test_what_a_stranger_wrote_moves_nothing_on_a_terminal(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps({"\x1b[2Jname": "\x9b31m", "\u202eurls": {}}), "utf-8")

    told = CliRunner().invoke(main, ["--schema", "manifest", str(file)], color=True).output

    assert "\\x1b[2Jname" in told
    assert not set("\x1b\x9b\u202e").intersection(told)
