"""A page as a browser without eyes sees it: its text, and its forms with what they would post."""

from lxml import html

_SILENT = "ancestor::script or ancestor::style or ancestor::title or ancestor::textarea"
_SUBMITS = ".//button[not(@type) or @type='submit'] | .//input[@type='submit']"


class Form:
    def __init__(self, element: html.FormElement) -> None:
        self.action = element.get("action", "")
        self.method = element.method.lower()
        self.names = {each.name for each in element.inputs if each.name}
        self.passwords = {
            each.name for each in element.inputs if each.name and each.get("type") == "password"
        }
        self._element = element

    def filled(self, typed: dict[str, str]) -> dict[str, str]:
        """What is posted after typing into those fields that the form has; an empty text clears a check box.

        Raises ValueError for a choice that is not offered.
        """
        for name in self.names & typed.keys():
            self._element.fields[name] = typed[name]
        posted = {name: str(value) for name, value in self._element.form_values()}
        for button in self._element.xpath(_SUBMITS)[:1]:
            if button.get("name"):
                posted[button.get("name")] = button.get("value", "")
        return posted


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
        self.text = " ".join(" ".join(document.xpath(f"//text()[not({_SILENT})]")).split())
