"""Findings as people and programs read them."""

import json
from collections.abc import Sequence

from ..terminal import printable
from .findings import Finding


def report(found: Sequence[Finding], checked: int, what: str, output: str) -> str:
    """Write findings as text, or with `json` as an array of objects."""
    if output == "json":
        return json.dumps([finding._asdict() for finding in found], indent=2, ensure_ascii=False)
    wrong = len({finding.file for finding in found}) if what == "file" else min(len(found), 1)
    return printable("\n".join([*map(_text, found), _summary(checked, wrong, len(found), what)]))


def _text(finding: Finding) -> str:
    place = f"{finding.file}:{finding.line}:{finding.column}"
    check = ",".join(finding.rules) or "/".join(filter(None, [finding.schema, finding.keyword]))
    lines = [
        f"{place}: {'warning ' * (finding.severity == 'warning')}{check} {finding.pointer or '(whole message)'}: {finding.message}",
        f"    remedy: {finding.remedy}",
        f"    schema: {finding.schema or 'any'}, {finding.keyword}",
        *(f"    source: {url}" for url in finding.sources),
    ]
    return "\n".join(lines)


def _summary(checked: int, wrong: int, count: int, what: str) -> str:
    told = f"{checked} {what}{'s' * (checked != 1)}"
    if not count:
        return f"{told} checked, nothing is wrong."
    return f"{told} checked, {count} finding{'s' * (count != 1)} in {wrong} of them."
