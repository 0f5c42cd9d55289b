"""Which message of the contract a file holds, told by its name or by its keys."""

from pathlib import PurePath
from typing import Any

from .. import wire

FORMS = {
    "admin-ui-request",
    "admin-ui-return",
    "channelback-request",
    "clickthrough-request",
    "proxy-request",
    "pull-request",
    "zis-job-spec-install",
}
"""What travels as a urlencoded form or query."""

_NAMES = {
    "manifest.json": ["manifest", "installer-app-manifest"],
    "requirements.json": ["installer-app-requirements"],
}


def recognised(file: str, value: Any, *, is_form: bool) -> str | None:
    """Return the name of the schema, or None if neither the name of the file nor its keys tell.

    `translations/en.json` and `requirements.json` are named as in an app's package; `pull-response.json` and
    `pull-response.first.json` after a schema. Otherwise the message is the one that most of the keys belong to.
    """
    match _named(PurePath(file)):
        case [name]:
            return name
        case []:
            candidates = [name for name in wire.names() if not is_form or name in FORMS]
            return _fitting(candidates, value, is_form=is_form)
        case several:
            return _fitting(several, value, is_form=is_form, certain=True)


def _named(path: PurePath) -> list[str]:
    stem = path.name.partition(".")[0]
    if path.name in _NAMES:
        return _NAMES[path.name]
    if path.suffix == ".json" and path.parent.name == "translations":
        return ["installer-app-translation"]
    return [stem] if stem in wire.names() else []


def _fitting(candidates: list[str], value: Any, *, is_form: bool, certain: bool = False) -> str | None:
    """Return the one candidate that lacks fewest keys and has fewest to spare.

    Unless it is certain to be one of them, the message must have more in common with it, and with no other one as much.
    """
    if not isinstance(value, dict):
        return None
    keys = set(value)
    ranked = []
    for place, name in enumerate(candidates):
        schema = wire.schema(name)
        known, required = set(schema["properties"]), set(schema["required"])
        misfit = len(keys - known) + len(required - keys)
        if len(keys & known) > (0 if certain else misfit):
            ranked.append((misfit, (name in FORMS) != is_form, place))
    match sorted(ranked):
        case [best]:
            return candidates[best[2]]
        case [best, second, *_] if certain or best[:2] != second[:2]:
            return candidates[best[2]]
    return None
