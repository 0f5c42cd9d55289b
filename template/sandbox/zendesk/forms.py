"""A page as a browser without eyes sees it: its text, and its forms with what they would post."""

from typing import Any

from lxml import html

_SILENT = "ancestor::script or ancestor::style or ancestor::title or ancestor::textarea"
_SUBMITS = ".//button[not(@type) or @type='submit'] | .//input[@type='submit']"
_OUT_OF_REACH = (
    "ancestor-or-self::*[@hidden or contains(translate(@style, ' ', ''), 'display:none') or (self::fieldset and @disabled)]"
    " or @readonly or @disabled"
)
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

    def filled(self, typed: dict[str, str]) -> dict[str, str]:
        """What is posted after typing where a person can; an empty text clears a check box.

        Raises ValueError for a choice that is not offered.
        """
        for name in self.open_names & typed.keys():
            _type([each for each in self._open if each.name == name], typed[name])
        posted = {name: str(value) for name, value in self._element.form_values()}
        for button in self._element.xpath(_SUBMITS)[:1]:
            if button.get("name"):
                posted[button.get("name")] = button.get("value", "")
        return posted


def _is_open(field: html.HtmlElement) -> bool:
    return field.get("type", "").lower() not in _NOT_TYPED and not field.xpath(
        f"boolean(self::*[{_OUT_OF_REACH}])"
    )


def _type(fields: list[Any], text: str) -> None:
    """Type into a field, or choose among the boxes that share a name."""
    boxes = [each for each in fields if getattr(each, "checkable", False)]
    if not boxes:
        longest = fields[0].get("maxlength", "")
        typed = text[: int(longest)] if longest.isdecimal() else text
        fields[0].value = [typed] if getattr(fields[0], "multiple", False) else typed
        return
    is_one_box = len(boxes) == 1 and boxes[0].type == "checkbox"
    chosen = boxes if is_one_box and text else [each for each in boxes if each.get("value", "on") == text]
    if text and not chosen:
        raise ValueError(f"there is no box with the value {text!r}")
    for box in boxes:
        box.checked = box in chosen


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
        self.has_scripts = bool(document.xpath("//script"))
        self.text = " ".join(" ".join(document.xpath(f"//text()[not({_SILENT})]")).split())
