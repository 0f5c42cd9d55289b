"""What is wrong with a message: which rule it breaks, where, and whether Zendesk refuses it for that."""

from typing import Any, NamedTuple

from .. import wire
from ..validate.documents import UnreadableError, read
from ..validate.findings import Finding, finding_of, findings
from .addresses import is_loopback_http
from .settings import Settings

_PUBLISHED = {
    ("external_resources", "maxItems"): 256,
    ("file_urls", "maxItems"): 64,
    ("image_url", "maxLength"): 511,
    ("push_client_id", "maxLength"): 128,
    ("state", "minLength"): 0,
    ("metadata", "minLength"): 0,
    ("description", "minLength"): 0,
}
"""Limits of Zendesk's published schemas, where the documentation and with it the contract are stricter."""

_WHOLE = {"manifest": ("SVC-01",), "pull-response": ("SVC-27",), "channelback-response": ("SVC-47",)}
"""What a message breaks that cannot be read at all."""

_REMARKS_ONLY = ("additionalProperties", "not", "parent-first")
"""What no published schema refuses: unknown keys, both threading keys, an answer before what it answers."""


class Remark(NamedTuple):
    """One thing that is wrong. `pointer` is a JSON pointer; `refused` tells that the message was not taken."""

    pointer: str
    message: str
    rules: tuple[str, ...] = ()
    remedy: str = ""
    refused: bool = True

    def __str__(self) -> str:
        return f"{', '.join(self.rules) or 'wrong'}: {self.pointer or '(whole message)'}: {self.message}"


class Verdict(NamedTuple):
    """A message after reading; its value is None when it cannot be read."""

    value: Any
    remarks: list[Remark]

    @property
    def refusals(self) -> list[Remark]:
        return [remark for remark in self.remarks if remark.refused]


def verdict(name: str, content: bytes, settings: Settings, *, form: bool = False) -> Verdict:
    """Hold a message to the schema `name`."""
    try:
        document = read(content, form=form)
    except UnreadableError as error:
        return Verdict(None, [_remark(name, finding_of(name, name, error.problem), refused=True)])
    if document.is_form and not form:
        rules = _WHOLE.get(name, ())
        return Verdict(None, [Remark("", "the body is a form, where JSON must be", rules, "Answer JSON.")])
    return Verdict(
        document.value,
        [
            _remark(name, finding, refused=not _passes(finding, document.value, settings))
            for finding in findings(name, name, document)
            if not _is_loopback(finding, document.value, settings)
        ],
    )


def _remark(name: str, finding: Finding, *, refused: bool) -> Remark:
    rules = (
        finding.rules if finding.pointer else tuple(dict.fromkeys([*finding.rules, *_WHOLE.get(name, ())]))
    )
    return Remark(finding.pointer, finding.message, rules, finding.remedy, refused)


def _passes(finding: Finding, value: Any, settings: Settings) -> bool:
    if not settings.published_schemas:
        return False
    if finding.keyword in _REMARKS_ONLY:
        return True
    limit = _PUBLISHED.get((finding.pointer.rpartition("/")[2], finding.keyword))
    return limit is not None and (
        finding.keyword == "minLength" or len(wire.part_of(value, finding.pointer)) <= limit
    )


def _is_loopback(finding: Finding, value: Any, settings: Settings) -> bool:
    if not (settings.allow_loopback_http and finding.keyword == "format"):
        return False
    part = wire.part_of(value, finding.pointer)
    return isinstance(part, str) and is_loopback_http(part)
