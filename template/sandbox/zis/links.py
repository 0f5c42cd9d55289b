"""Links: which object of one system belongs to which of another. Their type and both names identify them."""

import uuid
from typing import Any

from starlette.responses import JSONResponse, Response

from ..validate.rules import as_object
from .calls import Ask, RefusedError, first, page
from .model import Integration, Link, covers

SIDES = ("left_object", "right_object")


def create(integration: Integration, asked: dict[str, Any]) -> dict[str, Any]:
    """Link two objects, unless they are."""
    links = _found(integration, asked, named=SIDES)
    if not links:
        left, right = (asked[side] | {"name": str(asked[side]["name"])} for side in SIDES)
        links = [Link(asked["link_type"], left, right, str(uuid.uuid4()))]
        integration.links += links
    return {"link": _shown(integration, links[0])}


def load(integration: Integration, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Find links by the name of one object or of both, in which * stands for anything."""
    return [_shown(integration, link) for link in _found(integration, asked)]


def patch(integration: Integration, asked: dict[str, Any]) -> dict[str, Any]:
    """Change what a link says of its objects beside their names."""
    link = _one(integration, asked)
    for side, known in zip(SIDES, (link.left_object, link.right_object), strict=True):
        known |= {key: value for key, value in as_object(asked.get(side)).items() if key != "name"}
    return {"link": _shown(integration, link)}


def delete(integration: Integration, asked: dict[str, Any]) -> None:
    integration.links.remove(_one(integration, asked))


# --- The same by the API ------------------------------------------------------------------------------


def answer_load(integration: Integration, ask: Ask) -> Response:
    return page(ask, "links", load(integration, ask.query))


def answer_create(integration: Integration, ask: Ask) -> Response:
    return JSONResponse(create(integration, ask.document), 201)


def answer_patch(integration: Integration, ask: Ask) -> Response:
    return JSONResponse(patch(integration, {**ask.query, **ask.document}))


def answer_delete(integration: Integration, ask: Ask) -> Response:
    delete(integration, {**ask.query, **ask.document})
    return Response(status_code=204)


def _one(integration: Integration, asked: dict[str, Any]) -> Link:
    return first(_found(integration, asked, named=SIDES), "link")


def _found(integration: Integration, asked: dict[str, Any], named: tuple[str, ...] = ()) -> list[Link]:
    type_ = asked.get("link_type")
    if not type_ or not isinstance(type_, str):
        raise RefusedError(400, "the parameter link_type is missing")
    names = {side: asked.get(f"{side}_name", as_object(asked.get(side)).get("name")) for side in SIDES}
    for side in named:
        if names[side] is None:
            raise RefusedError(400, f"the parameter {side} has no name")
    if not any(names.values()):
        raise RefusedError(400, "left_object_name or right_object_name is missing")
    left, right = ("*" if name is None else str(name) for name in names.values())
    return [
        link
        for link in integration.links
        if link.link_type == type_
        and covers(left, link.left_object["name"])
        and covers(right, link.right_object["name"])
    ]


def _shown(integration: Integration, link: Link) -> dict[str, Any]:
    return {
        "account_id": 1,
        "integration": integration.name,
        "left_object": link.left_object,
        "link_type": link.link_type,
        "right_object": link.right_object,
        "uuid": link.uuid,
    }
