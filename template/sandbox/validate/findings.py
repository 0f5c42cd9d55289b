"""What is wrong with a document: where, by which rule, and what to do about it."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from .. import wire
from . import app_rules
from .cross_references import cross_references
from .documents import Document, Place, Problem
from .explanations import Explanation, explained, missing, unknown
from .refusals import Refusal, refusals
from .rules import Broken
from .statements import statement_of_key, statement_of_place


class Finding(NamedTuple):
    """One thing that is wrong. The names of these fields are those of the JSON output, and stay."""

    file: str
    line: int
    column: int
    pointer: str
    """Where in the message, as a JSON pointer; empty for the whole message."""
    schema: str | None
    """None where the text could not be read and nothing tells which message it should be."""
    keyword: str
    """What refused it: a keyword of the schema, or the name of a check beyond it."""
    rules: tuple[str, ...]
    """Numbers of the protocol's rules, where it has one for this place."""
    message: str
    remedy: str
    sources: tuple[str, ...]
    """Where that is documented, as URLs."""
    severity: str = "error"
    """`error`, or `warning` for what passes but is hardly meant."""


def findings(
    file: str, name: str, document: Document, checks: Callable[[Any], Iterable[Broken]] | None = None
) -> list[Finding]:
    """Check a document against the schema `name` and what no schema can express; answer in order of place.

    Where the schema refuses something already, nothing more is said about the same place. For an app's files, of which
    Zendesk takes more than the schema does, its own rules decide; `checks` are those that know the other files, too.
    """
    problems = [finding_of(file, name, problem) for problem in document.problems]
    refused = [
        found
        for refusal in refusals(name, document.value)
        for found in _refused(file, name, document, refusal)
    ]
    rules = list(checks(document.value) if checks else cross_references(name, document.value))
    if name in app_rules.CHECKS:
        refused = list(_beside_zendesks_rules(refused, rules, document.value))
        said = {(found.pointer, found.message) for found in refused}
        rules = [rule for rule in rules if (rule.pointer, rule.wrong) not in said]
    else:
        places = {found.pointer for found in refused}
        rules = [rule for rule in rules if rule.pointer not in places]
    broken = [finding_of_rule(file, name, document.place(rule.pointer), rule) for rule in rules]
    return sorted(dict.fromkeys([*problems, *refused, *broken]), key=lambda found: (found.line, found.column))


def finding_of(file: str, name: str | None, problem: Problem) -> Finding:
    """Make a finding of what is wrong with the text itself."""
    return Finding(
        file, *problem.place, problem.pointer, name, problem.keyword, (), problem.wrong, problem.remedy, ()
    )


def finding_of_rule(file: str, name: str | None, place: tuple[int, int], rule: Broken) -> Finding:
    return Finding(
        file,
        *place,
        rule.pointer,
        name,
        rule.check,
        rule.rules,
        rule.wrong,
        rule.remedy,
        _urls(rule.sources),
        rule.severity,
    )


def _beside_zendesks_rules(refused: list[Finding], rules: list[Broken], value: Any) -> Iterator[Finding]:
    """What the schema refuses in an app's file is an error where Zendesk says the same, and else a warning.

    Nothing is said of what other apps than the installer may have: an interface, and texts of their own.
    """
    places = {rule.pointer for rule in rules if rule.severity == "error"}
    same = {(rule.pointer, rule.wrong) for rule in rules}
    interface = isinstance(value, dict) and not value.get("requirementsOnly")
    for found in refused:
        if (found.pointer, found.message) in same:
            yield found
        elif not _is_said(found, places) and not _is_of_another_app(found, interface=interface):
            yield found._replace(severity="warning")


def _is_said(found: Finding, places: set[str]) -> bool:
    return found.keyword != "required" and found.pointer in places


def _is_of_another_app(found: Finding, *, interface: bool) -> bool:
    return found.keyword == "additionalProperties" and (
        found.schema == "installer-app-translation"
        or (interface and found.pointer[1:] in app_rules.INTERFACE_KEYS)
    )


def _refused(file: str, name: str, document: Document, refusal: Refusal) -> Iterator[Finding]:
    pointer = wire.pointer_of(refusal.path)
    said = statement_of_place(name, refusal)

    def finding(at: str, place: Place, explanation: Explanation, said: wire.Statement = said) -> Finding:
        return Finding(
            file,
            *place,
            at,
            name,
            refusal.keyword,
            said.rules,
            explanation.wrong,
            f"{explanation.remedy} Meaning: {said.meaning}",
            _urls(said.sources),
        )

    match refusal.keyword:
        case "required":
            for key in refusal.limit:
                if key not in refusal.part:
                    about = statement_of_key(name, refusal, key)
                    yield finding(pointer, document.place(pointer), missing(key), about)
        case "additionalProperties":
            known = refusal.schema.get("properties", {})
            for key in _unknown_keys(refusal):
                inner = pointer + wire.pointer_of([key])
                similar = difflib.get_close_matches(key, known.keys() - refusal.part.keys(), n=1)
                yield finding(inner, document.key_place(inner), unknown(key, *similar))
        case _ if "propertyNames" in refusal.way:
            inner = pointer + wire.pointer_of([refusal.part])
            yield finding(inner, document.key_place(inner), explained(refusal))
        case _:
            yield finding(pointer, document.place(pointer), explained(refusal))


def _unknown_keys(refusal: Refusal) -> list[str]:
    patterns = refusal.schema.get("patternProperties", {})
    return [
        key
        for key in refusal.part
        if key not in refusal.schema.get("properties", {})
        and not any(re.search(pattern, key) for pattern in patterns)
    ]


def _urls(marks: Sequence[str]) -> tuple[str, ...]:
    return tuple(wire.sources()[mark]["url"] for mark in marks if "url" in wire.sources()[mark])
