"""Sets of answers computed from copier.yml, so that a new question enlarges them by itself."""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING, Any

from copier._types import MISSING
from covering import CoveringArray, Row
from questionnaire import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from questionnaire import Questionnaire

DEFAULT = "its default"
HIDDEN = "not asked"
MORE = 3

# Free text has no list of values to combine: beside its default, each such question takes these.
EXAMPLES: dict[str, list[str]] = {
    "origin_name": ["Acme Reviews", 'Café "Zürich" & Co.'],
    "project_slug": ["front-desk"],
    "package_name": ["desk_reviews"],
    "user_name": ["Ada Lovelace"],
    "user_email": ["ada@example.com"],
    "integration_id": ["com.acme.reviews.zendesk"],
    "public_url": ["https://reviews.example.com"],
}


def factors(questionnaire: Questionnaire) -> dict[str, list[Any]]:
    """Return what can vary: one factor per question, and per choice where several may be chosen."""
    found: dict[str, list[Any]] = {}
    for name in questionnaire.asked:
        details = questionnaire.questions[name]
        if details.get("multiselect"):
            found |= {f"{name}:{choice}": [True, False] for choice in questionnaire.choices(name)}
            continue
        if details.get("choices"):
            values = questionnaire.choices(name)
        elif details["type"] == "bool":
            values = [True, False]
        else:
            values = [*([DEFAULT] if "default" in details else []), *EXAMPLES[name]]
        found[name] = [*values, *([HIDDEN] if "when" in details else [])]
    return found


def answers_of(questionnaire: Questionnaire, row: Row) -> dict[str, Any]:
    """Turn a row into the answers that a user would give; defaults and hidden questions are left out."""
    answers: dict[str, Any] = {}
    for factor, value in row.items():
        name, _, choice = factor.partition(":")
        if questionnaire.questions[name].get("multiselect"):
            answers.setdefault(name, [])
            if value:
                answers[name].append(choice)
        elif value not in (DEFAULT, HIDDEN):
            answers[name] = value
    return answers


def covering_answers(
    questionnaire: Questionnaire,
    strength: int,
    candidates: int = 10,
    apart: Iterable[tuple[str, str]] = (),
) -> list[dict[str, Any]]:
    """Return sets of answers in which every `strength` values meet that may meet, and need not stay `apart`."""
    varying = factors(questionnaire)
    rules = Rules(questionnaire, varying)
    array = CoveringArray(rules.most_bound_first(), rules.allow, strength, candidates, apart)
    return [answers_of(questionnaire, row) for row in array.rows()]


class Rules:
    """Which rows a user could answer: what Copier's validators and conditions say about some of them."""

    def __init__(self, questionnaire: Questionnaire, varying: dict[str, list[Any]]) -> None:
        self._questionnaire = questionnaire
        self._varying = varying
        self._factors_of: dict[str, list[str]] = {}
        for factor in varying:
            self._factors_of.setdefault(factor.partition(":")[0], []).append(factor)
        self._closure = {name: self._reads(name) for name in questionnaire.questions}
        # For each factor the questions whose fate it may decide, with all the factors that decide it.
        self._touched: dict[str, list[tuple[str, list[str]]]] = {factor: [] for factor in varying}
        for name in questionnaire.asked:
            deciding = [factor for read in self._closure[name] for factor in self._factors_of.get(read, [])]
            for factor in deciding:
                self._touched[factor].append((name, deciding))
        self._memory: dict[tuple[Any, ...], bool] = {}
        self._completed: dict[tuple[Any, ...], bool] = {}

    def _reads(self, name: str) -> list[str]:
        """Return a question and all questions that its answer depends on, in the form's order."""
        found = {name}
        waiting = [name]
        while waiting:
            for read in self._questionnaire.references[waiting.pop()] - found:
                found.add(read)
                waiting.append(read)
        return [other for other in self._questionnaire.questions if other in found]

    def most_bound_first(self) -> dict[str, list[Any]]:
        """Return the factors, those first on which the presence of questions depends."""
        questions = self._questionnaire.questions
        conditional = {name for name in self._questionnaire.asked if "when" in questions[name]}
        bound = {read for name in conditional for read in self._closure[name]}
        bound |= {name for name in questions if questions[name].get("multiselect")}
        return dict(sorted(self._varying.items(), key=lambda item: item[0].partition(":")[0] not in bound))

    def allow(self, row: Row, factor: str) -> bool:
        """Say whether every question that `factor` helps to decide can be answered so, as far as that can be told.

        A selection of which some choices are still open counts as possible if it is with at most three more of them.
        """
        for name, deciding in self._touched[factor]:
            undecided = [other for other in deciding if other not in row]
            if all(self._is_choice(other) for other in undecided) and not self._completable(
                name, deciding, undecided, row
            ):
                return False
        return True

    def _is_choice(self, factor: str) -> bool:
        return bool(self._questionnaire.questions[factor.partition(":")[0]].get("multiselect"))

    def _completable(self, name: str, deciding: list[str], undecided: list[str], row: Row) -> bool:
        key = (name, *(row.get(factor) for factor in deciding))
        if key not in self._completed:
            none = dict.fromkeys(undecided, False)
            self._completed[key] = any(
                self._answerable(name, deciding, {**row, **none, **dict.fromkeys(more, True)})
                for size in range(min(MORE, len(undecided)) + 1)
                for more in combinations(undecided, size)
            )
        return self._completed[key]

    def _answerable(self, name: str, deciding: list[str], row: Row) -> bool:
        known = {factor: row[factor] for factor in deciding}
        key = (name, *known.values())
        if key not in self._memory:
            self._memory[key] = self._take(name, known)
        return self._memory[key]

    def _take(self, name: str, row: Row) -> bool:
        given = answers_of(self._questionnaire, row)
        values: dict[str, Any] = {}
        shown = True
        try:
            for read in self._closure[name]:
                values[read], shown = self._questionnaire.ask(read, given.get(read, MISSING), values)
        except RefusedError:
            return False
        return shown == (row.get(name) != HIDDEN)


FEW = 2
"""Choices that are all that is chosen, or all that is left out. Every selection at all would double with each choice."""


def selections(choices: list[Any], few: int = FEW) -> Iterator[list[Any]]:
    """Yield the selections of a few choices, and those of nearly all, the smallest first."""
    sizes = [size for size in range(len(choices) + 1) if min(size, len(choices) - size) <= few]
    return map(list, chain.from_iterable(combinations(choices, size) for size in sizes))


def every_choice(questionnaire: Questionnaire, multiselect: str, choice: str) -> list[dict[str, Any]]:
    """Return the allowed selections of one question with every value of another, the rest at defaults."""
    found = []
    for selection in selections(questionnaire.choices(multiselect)):
        for value in questionnaire.choices(choice):
            answers = {**required(questionnaire), multiselect: selection, choice: value}
            try:
                questionnaire.answer(answers)
            except RefusedError:
                continue
            found.append(answers)
    return found


def required(questionnaire: Questionnaire) -> dict[str, Any]:
    """Return answers for the questions without default."""
    return {
        name: EXAMPLES[name][0]
        for name in questionnaire.asked
        if "default" not in questionnaire.questions[name]
    }


def title(questionnaire: Questionnaire, answers: dict[str, Any]) -> str:
    """Name a set of answers by its choices."""
    parts = []
    for name in questionnaire.asked:
        value = answers.get(name)
        if isinstance(value, list):
            parts.append("+".join(value) or f"no {name}")
        elif isinstance(value, bool):
            parts.append(name if value else f"no {name}")
        elif value is not None and questionnaire.questions[name].get("choices"):
            parts.append(value)
    return ",".join(parts)
