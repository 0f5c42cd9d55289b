"""`sandbox/zendesk/forms.py`: a form posts what a browser would post."""

import pytest
from sandbox.zendesk.forms import Form, Page


def form(inner: str) -> Form:
    return Page(f"<form action='/save' method='post'>{inner}</form>").forms[0]


@pytest.mark.parametrize(
    ("inner", "posted"),
    [
        ("<input name=a value='1 &amp; 2'>", {"a": "1 & 2"}),
        ("<input value=nameless>", {}),
        ("<input name=a value=1 disabled>", {}),
        ("<input name=a type=file>", {}),
        ("<input name=a type=checkbox>", {}),
        ("<input name=a type=checkbox value=1 checked>", {"a": "1"}),
        ("<input name=a type=radio value=1><input name=a type=radio value=2 checked>", {"a": "2"}),
        ("<select name=a><option value=1>One<option value=2 selected>Two</select>", {"a": "2"}),
        ("<select name=a><option value=1>One<option value=2>Two</select>", {"a": "1"}),
        ("<textarea name=a>\nü\n</textarea>", {"a": "ü\n"}),
        ("<button type=button name=a value=1>No</button><button name=b value=2>Yes</button>", {"b": "2"}),
        (
            "<input name=a type=checkbox value=1 checked><input name=a type=checkbox value=2 checked>",
            {"a": ["1", "2"]},
        ),
        ("<input type=submit name=a value=1><button name=b value=2>Other</button>", {"a": "1"}),
    ],
)
def test_what_stands_in_the_form_is_posted(inner: str, posted: dict[str, str]) -> None:
    assert form(inner).filled({}) == posted


@pytest.mark.parametrize(
    ("inner", "typed", "posted"),
    [
        ("<input name=a value=1>", "2", {"a": "2"}),
        ("<input name=a type=checkbox value=1>", "1", {"a": "1"}),
        ("<input name=a type=checkbox value=1 checked>", "", {}),
        ("<select name=a><option value=1>One<option value=2>Two</select>", "2", {"a": "2"}),
        ("<select name=a multiple><option value=1 selected>One<option value=2>Two</select>", "2", {"a": "2"}),
        (
            "<select name=a multiple><option value=1>One<option value=2>Two</select>",
            ["1", "2"],
            {"a": ["1", "2"]},
        ),
        (
            "<input name=a type=checkbox value=1 checked><input name=a type=checkbox value=2><input name=a type=checkbox value=3>",
            ["2", "3"],
            {"a": ["2", "3"]},
        ),
        ("<input name=a type=checkbox value=1 checked><input name=a type=checkbox value=2>", "", {}),
        ("<textarea name=a>old</textarea>", "new", {"a": "new"}),
        ("<textarea name=a>old</textarea>", ["one", "two"], {"a": "one\ntwo"}),
        ("<input name=other>", "1", {"other": ""}),
    ],
)
def test_what_is_typed_takes_its_place(inner: str, typed: str | list[str], posted: dict[str, str]) -> None:
    assert form(inner).filled({"a": typed}) == posted


@pytest.mark.parametrize(
    ("inner", "posted"),
    [
        ("<input type=hidden name=a value=1>", "1"),
        ("<input type=HIDDEN name=a value=1>", "1"),
        ("<input name=a value=1 readonly>", "1"),
        ("<input name=a value=1 hidden>", "1"),
        ("<div style='display : none'><input name=a value=1></div>", "1"),
        ("<fieldset hidden><textarea name=a>1</textarea></fieldset>", "1"),
        ("<input name=a value=1 maxlength=2>", "23"),
        ("<input type=hidden name=a value=0><input type=checkbox name=a value=235>", ["0", "235"]),
        ("<input type=radio name=a value=1 checked><input type=radio name=a value=235>", "235"),
    ],
)
def test_only_a_person_can_type(inner: str, posted: str | list[str]) -> None:
    assert form(inner).filled({"a": "235"}) == {"a": posted}


def test_a_choice_that_is_not_offered_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="3"):
        form("<select name=a><option value=1>One</select>").filled({"a": "3"})
    with pytest.raises(ValueError, match="3"):
        form("<input name=a type=checkbox value=1><input name=a type=checkbox value=2>").filled(
            {"a": ["1", "3"]}
        )


def test_fields_with_secrets_are_known() -> None:
    assert form("<input name=key type=password><input name=name>").passwords == {"key"}


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<!-- nothing -->", ""),
        ("<title>Page</title><p>One</p>\n<p>two</p><script>no</script><style>no</style>", "One two"),
        ("<?xml version='1.0' encoding='latin-1'?><p>ü", "ü"),
    ],
)
def test_the_words_of_a_page_are_what_a_person_reads(html: str, text: str) -> None:
    assert Page(html).text == text
