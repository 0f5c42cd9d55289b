"""The questions of copier.yml, answered by Copier's own rules, without rendering anything."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from commands import ROOT
from copier._main import Worker
from copier._settings import SettingsModel
from copier._types import MISSING
from copier._user_data import AnswersMap, Question
from jinja2 import meta

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class RefusedError(Exception):
    """Copier would refuse these answers; `sentence` is what its user reads."""

    def __init__(self, question: str, sentence: str) -> None:
        super().__init__(f"{question}: {sentence}")
        self.question = question
        self.sentence = sentence


@dataclass(frozen=True)
class Answered:
    """What a set of given answers becomes once every question has been through."""

    values: dict[str, Any] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)


class Questionnaire:
    def __init__(self, form: Path) -> None:
        # In a folder of its own Copier finds no git history, in which it would look for a released version.
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(form, folder)
            self._worker = Worker(src_path=folder, settings=SettingsModel())
            assert self._worker.template.config_data
            environment = self._worker.jinja_env
        # Copier compiles each expression again whenever it reads one; there are few, and they are read very often.
        environment.from_string = cache(environment.from_string)  # type: ignore[assignment, method-assign]
        self._memory: dict[str, tuple[Any, bool] | RefusedError] = {}

    @cached_property
    def questions(self) -> dict[str, dict[str, Any]]:
        return dict(self._worker.template.questions_data)

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self._worker.template.config_data)

    @cached_property
    def asked(self) -> list[str]:
        return [name for name, details in self.questions.items() if details.get("when") is not False]

    @cached_property
    def computed(self) -> list[str]:
        return [name for name in self.questions if name not in self.asked]

    def choices(self, name: str) -> list[Any]:
        """Return the stored values of a question's choices, without their labels."""
        return [
            choice["value"] if isinstance(choice, dict) else choice
            for choice in self.questions[name].get("choices", {}).values()
        ]

    def conditions(self, name: str) -> dict[Any, str]:
        """Return the validators of those choices of a question that not all other answers allow."""
        choices = self.questions[name].get("choices", {}).values()
        return {choice["value"]: choice["validator"] for choice in choices if isinstance(choice, dict)}

    @cached_property
    def references(self) -> dict[str, set[str]]:
        """For each question, the other questions that its expressions read."""
        return {
            name: {
                variable
                for text in texts_of(details)
                for variable in self.read_by(text)
                if variable in self.questions and variable != name
            }
            for name, details in self.questions.items()
        }

    @property
    def setting_references(self) -> set[str]:
        """Return the questions that the settings read: exclusions, messages, the answers file."""
        return {variable for text in texts_of(self.settings) for variable in self.read_by(text)}

    def read_by(self, text: str) -> set[str]:
        """Return the names that an expression of copier.yml reads."""
        return meta.find_undeclared_variables(self.parse(text))

    def parse(self, text: str) -> Any:
        """Parse one expression of copier.yml, as Copier's Jinja would."""
        return self._worker.jinja_env.parse(text)

    def lex(self, text: str) -> Iterator[tuple[int, str, str]]:
        """Return the line, kind and text of each piece of an expression of copier.yml, or of a file of template/."""
        return self._worker.jinja_env.lex(text)

    def render(self, text: str, values: Mapping[str, Any]) -> str:
        """Render one expression of copier.yml, or a path of template/."""
        return self._worker.jinja_env.from_string(text).render(**values)

    def ask(self, name: str, given: Any, values: Mapping[str, Any]) -> tuple[Any, bool]:
        """Return the answer to one question and whether a user is shown it at all.

        `given` may be MISSING, which takes the default; `values` are the answers of earlier questions.
        """
        context = {other: values[other] for other in self.references[name] if other in values}
        key = repr((name, given, sorted(context.items())))
        if key not in self._memory:
            try:
                self._memory[key] = self._ask(name, given, context)
            except RefusedError as refusal:
                self._memory[key] = refusal
        answer = self._memory[key]
        if isinstance(answer, RefusedError):
            raise answer
        return answer

    def _ask(self, name: str, given: Any, context: dict[str, Any]) -> tuple[Any, bool]:
        question = Question(
            var_name=name,
            answers=AnswersMap(init={} if given is MISSING else {name: given}),
            context=context,
            jinja_env=self._worker.jinja_env,
            settings=SettingsModel(),
            **self.questions[name],
        )
        shown = question.get_when()
        if not shown and given is not MISSING:
            raise RefusedError(name, "this question is not asked, given the other answers")
        try:
            value = question.get_default()
            if value is MISSING:
                raise RefusedError(name, "an answer is required")
            if shown:
                value = question.parse_answer(value)
                question.validate_answer(value)
        except ValueError as error:
            raise RefusedError(name, str(error).split("': ", 1)[-1]) from error
        return value, shown

    def answer(self, given: Mapping[str, Any]) -> Answered:
        """Go through the whole form; refuse what Copier would take silently.

        An unknown name, a computed fact and an answer to a question that these other answers hide are all
        mistakes of the caller, which Copier either ignores or uses without recording them.
        """
        for name in given:
            if name not in self.questions:
                raise RefusedError(name, "copier.yml has no such question")
            if name in self.computed:
                raise RefusedError(name, "this fact is computed, never given")
        answered = Answered()
        for name in self.questions:
            value, shown = self.ask(name, given.get(name, MISSING), answered.values)
            answered.values[name] = value
            if not shown:
                answered.hidden.add(name)
        return answered


@cache
def present_questionnaire() -> Questionnaire:
    return Questionnaire(ROOT / "copier.yml")


def texts_of(details: Any) -> Iterator[str]:
    """Yield every string inside a question or a setting: each may be an expression."""
    if isinstance(details, str):
        yield details
    elif isinstance(details, dict):
        for value in details.values():
            yield from texts_of(value)
    elif isinstance(details, list):
        for value in details:
            yield from texts_of(value)
