"""A page as a browser without eyes sees it: its text, and its forms with what they would post."""

from collections.abc import Mapping, Sequence
from typing import Any

from lxml import html

_SILENT = "ancestor::script or ancestor::style or ancestor::title or ancestor::textarea"
_SUBMITS = ".//button[not(@type) or @type='submit'] | .//input[@type='submit']"
_OUT_OF_REACH = (
    "ancestor-or-self::*[@hidden or contains(translate(@style, ' ', ''), 'display:none') or (self::fieldset and @disabled)]"
    " or @readonly or @disabled"
)
Typed = Mapping[str, str | Sequence[str]]
"""What a person types, by the fields' names; several texts choose several options."""

_NOT_TYPED = ("hidden", "submit", "button", "image", "reset", "file")


class Form:
    def __init__(self, element: html.FormElement) -> None:
        self.action = element.get("action", "")
        self.method = element.method.lower()
        self.names = {each.name for each in element.inputs if each.name}
        self.passwords = {
            each.name for each in element.inputs if each.name and each.get("type") == "password"
        }
        self._element = element
        self._open = [each for each in element.inputs if each.name and _is_open(each)]
        self.open_names = {str(each.name) for each in self._open}
        """Of the fields into which a person can type."""

    def filled(self, typed: Typed) -> dict[str, str | list[str]]:
        """What is posted after typing where a person can; an empty text clears a check box.

        Raises ValueError for a choice that is not offered.
        """
        for name in self.open_names & typed.keys():
            _type([each for each in self._open if each.name == name], typed[name])
        values: dict[str, list[str]] = {}
        for name, value in self._element.form_values():
            values.setdefault(name, []).append(str(value))
        for button in self._element.xpath(_SUBMITS)[:1]:
            if button.get("name"):
                values.setdefault(button.get("name"), []).append(button.get("value", ""))
        return {name: value[0] if len(value) == 1 else value for name, value in values.items()}

    def pressed(self, label: str) -> dict[str, str] | None:
        """What is posted when somebody presses the button with this label; None if there is none."""
        for button in self._element.xpath(_SUBMITS):
            if label in (" ".join(button.text_content().split()), button.get("value")):
                posted = {name: str(value) for name, value in self._element.form_values()}
                return posted | ({button.get("name"): button.get("value", "")} if button.get("name") else {})
        return None


def _is_open(field: html.HtmlElement) -> bool:
    return field.get("type", "").lower() not in _NOT_TYPED and not field.xpath(
        f"boolean(self::*[{_OUT_OF_REACH}])"
    )


def _type(fields: list[Any], typed: str | Sequence[str]) -> None:
    """Type into a field, or choose among its options or the boxes that share its name."""
    texts = [text for text in ([typed] if isinstance(typed, str) else typed) if text]
    boxes = [each for each in fields if getattr(each, "checkable", False)]
    if boxes:
        _tick(boxes, texts)
    elif getattr(fields[0], "multiple", False):
        fields[0].value = texts
    else:
        text, longest = "\n".join(texts), fields[0].get("maxlength", "")
        fields[0].value = text[: int(longest)] if longest.isdecimal() else text


def _tick(boxes: list[Any], texts: list[str]) -> None:
    values = [box.get("value", "on") for box in boxes]
    if len(boxes) == 1 and boxes[0].type == "checkbox" and len(texts) == 1:
        texts = values
    if missing := [text for text in texts if text not in values]:
        raise ValueError(f"there is no box with the value {missing[0]!r}")
    for box, value in zip(boxes, values, strict=True):
        box.checked = value in texts


class Page:
    def __init__(self, text: str) -> None:
        # The first tag is for a text without any, which is a page, too.
        document = html.document_fromstring(
            f"<html>{text}".encode(), parser=html.HTMLParser(encoding="utf-8")
        )
        # Unlike lxml, a browser posts what is empty, and drops a line break that opens a text.
        for field in document.xpath("//input[not(@value or @type='checkbox' or @type='radio')]"):
            field.set("value", "")
        for area in document.iter("textarea"):
            area.text = (area.text or "").removeprefix("\n")
        self.forms = [Form(form) for form in document.forms]
        self.windows = [
            str(link.get("href")) for link in document.xpath("//form//a[@href and @target='_blank']")
        ]
        """Where links within a form lead that open a window of their own."""
        self.has_scripts = bool(document.xpath("//script"))
        self.text = " ".join(" ".join(document.xpath(f"//text()[not({_SILENT})]")).split())
