"""Which statements of the template's files are rendered, and which sides of its conditions are taken."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import jinja2
import pytest
from jinja2 import nodes, pass_context

if TYPE_CHECKING:
    from collections.abc import Iterator

FILTER = "_template_coverage"


class TemplateCoverage:
    """Marks each block of statements and each condition of a rendered file, and notes what happens to it.

    Jinja's compiler maps generated lines to template lines only where an expression stands, so a traced
    `{% if x %}plain text{% endif %}` would look covered whatever `x` is. Marking the parsed template sees
    plain text too, and a condition, inline ones included, counts as covered when it was true and false.
    """

    def __init__(self) -> None:
        self.points: dict[tuple[str, int, str], bool] = {}

    @property
    def files(self) -> set[str]:
        return {name for name, _, _ in self.points}

    @property
    def missed(self) -> list[str]:
        return [
            f"{name}:{line}: {what}" for (name, line, what), seen in sorted(self.points.items()) if not seen
        ]

    @contextmanager
    def measure(self) -> Iterator[None]:
        """Measure every file that Jinja renders; expressions of copier.yml and of paths have no file."""
        generate = jinja2.Environment._generate  # noqa: SLF001

        def generate_marked(
            environment: jinja2.Environment,
            source: nodes.Template,
            name: str | None,
            filename: str | None,
            defer_init: bool = False,  # noqa: FBT001, FBT002 - Jinja's signature
        ) -> str:
            if name is not None:
                environment.filters[FILTER] = self._note
                self._mark(source, name)
            return generate(environment, source, name, filename, defer_init)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(jinja2.Environment, "_generate", generate_marked)
            yield

    def _mark(self, template: nodes.Template, name: str) -> None:
        for node in [template, *template.find_all(nodes.Node)]:
            if isinstance(node, nodes.If | nodes.CondExpr):
                node.test = self._marker(cast("nodes.Expr", node.test), name, node.lineno, "condition")
            body: list[nodes.Node] = getattr(node, "body", [])
            if body and isinstance(body, list) and not isinstance(node, nodes.If):
                line = body[0].lineno
                body.insert(0, nodes.ExprStmt(self._marker(nodes.Const(""), name, line, "statement")))
        template.set_environment(template.environment)  # type: ignore[arg-type]

    def _marker(self, expression: nodes.Expr, name: str, line: int, kind: str) -> nodes.Filter:
        outcomes = {"statement": ["never rendered"], "condition": ["never true", "never false"]}[kind]
        for outcome in outcomes:
            self.points.setdefault((name, line, outcome), False)
        arguments = [nodes.Const(value) for value in (name, line, kind)]
        return nodes.Filter(expression, FILTER, arguments, [], None, None, lineno=line)

    @property
    def _note(self) -> Any:
        # A filter that takes the context is never run by the compiler to fold a constant.
        @pass_context
        def note(_context: Any, value: Any, name: str, line: int, kind: str) -> Any:
            if kind == "statement":
                self.points[name, line, "never rendered"] = True
            else:
                self.points[name, line, "never true" if value else "never false"] = True
            return value

        return note
