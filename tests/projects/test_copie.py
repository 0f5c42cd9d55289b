"""The ecosystem's own fixture finds the template usable too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from projects import Template
    from pytest_copie.plugin import Copie


def test_pytest_copie_generates_a_project(copie: Copie, template: Template) -> None:
    result = copie.copy({"origin_name": "Acme Reviews"}, template_dir=template.path)
    assert result.exception is None
    assert result.exit_code == 0
    assert result.project_dir is not None
    assert (result.project_dir / "src/acme_reviews/origin.py").is_file()
    assert result.answers["project_slug"] == "acme-reviews"
