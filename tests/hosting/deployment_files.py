"""The files of a hosting target, rendered for any answers in a moment, and in which sets of answers they differ."""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from combinations_of_answers import EXAMPLES, required, selections
from pathspec import GitIgnoreSpec
from questionnaire import RefusedError, present_questionnaire

if TYPE_CHECKING:
    from projects import Template

Files = dict[str, str]

OF_THE_DEPLOYMENT = (
    "deploy/",
    "fly.toml",
    ".dockerignore",
    ".env.example",
    ".github/dependabot.yml",
    "renovate.json",
)


class DeploymentFiles:
    """Renders as Copier does, with its environment and its rules, but each text once for all answers that it reads alike."""

    def __init__(self, template: Template, names: tuple[str, ...] = OF_THE_DEPLOYMENT) -> None:
        self._form = template.questionnaire
        self.texts = {
            name.removeprefix("template/"): (template.path / name).read_text("utf-8")
            for name in template.files()
            if name.removeprefix("template/").startswith(names)
        }
        self._memory: dict[tuple[Any, ...], str] = {}
        self._read: dict[str, list[str]] = {}

    def rendered(self, values: dict[str, Any]) -> Files:
        excluded = self._excluded(values)
        paths = {self._render(name.removesuffix(".jinja"), values): name for name in self.texts}
        return {
            path: self._render(self.texts[name], values) if name.endswith(".jinja") else self.texts[name]
            for path, name in paths.items()
            if not excluded.match_file(Path(path))
        }

    def _excluded(self, values: dict[str, Any]) -> GitIgnoreSpec:
        lines = [line for entry in self._exclusions for line in self._render(entry, values).splitlines()]
        return GitIgnoreSpec.from_lines(lines)

    @cached_property
    def _exclusions(self) -> list[str]:
        return list(self._form.settings["exclude"])

    def _render(self, text: str, values: dict[str, Any]) -> str:
        if text not in self._read:
            self._read[text] = sorted(self._form.read_by(text))
        key = (text, *(str(values[name]) for name in self._read[text]))
        if key not in self._memory:
            self._memory[key] = self._form.render(text, values)
        return self._memory[key]

    def distinct(self, hosting: str) -> dict[frozenset[tuple[str, str]], dict[str, Any]]:
        """Return every different set of files that a target can have, each with answers that lead to it."""
        found: dict[frozenset[tuple[str, str]], dict[str, Any]] = {}
        for answers, values in every_answer(hosting):
            found.setdefault(frozenset(self.rendered(values).items()), answers)
        return found


@cache
def every_answer(hosting: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return what the form takes for a target, and what becomes of it: all capabilities, with what only they bring.

    Continuous integration and a public address are asked of everybody: they vary beside the default capabilities.
    """
    form = present_questionnaire()
    given = {**required(form), "hosting": hosting}
    sets = [{**given, "capabilities": chosen} for chosen in selections(form.choices("capabilities"))]
    sets += [{**each, "channelback_files": False} for each in sets if "channelback" in each["capabilities"]]
    sets += [{**given, "continuous_integration": each} for each in form.choices("continuous_integration")]
    sets.append({**given, "public_url": EXAMPLES["public_url"][0]})
    found = []
    for answers in sets:
        try:
            found.append((answers, form.answer(answers).values))
        except RefusedError:
            continue
    return found
