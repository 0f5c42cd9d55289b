"""What apps read and change, by the paths of the framework's own documentation."""

from collections.abc import Mapping
from typing import Any, get_args

from ..imports import via
from ..model import Comment, State, Status, Ticket, User
from ..settings import Settings

AGENT_ID = 1
CUSTOM = "customField:custom_field_"

_MISSING = object()


class NotThereError(LookupError):
    """Zendesk has nothing of this name, or not in this place."""


class NotTakenError(ValueError):
    """What was set is no value for this."""


def fields(state: State, settings: Settings, ticket: Ticket | None) -> dict[str, Any]:
    """All that an app can read in this place."""
    agent = {
        "id": AGENT_ID,
        "name": "Agent",
        "email": f"agent@{settings.subdomain}.example",
        "role": "admin",
        "locale": settings.locale,
        "avatarUrl": "",
        "externalId": None,
        "groups": [],
        "organizations": [],
        "tags": [],
        "timeZone": {"name": "UTC", "ianaName": "Etc/UTC", "offset": 0},
    }
    account = {"subdomain": settings.subdomain, "planName": "Enterprise", "timeZone": agent["timeZone"]}
    found = {"currentUser": agent, "currentAccount": account}
    return found if ticket is None else found | {"ticket": _ticket(state, ticket)}


def value_at(known: Mapping[str, Any], path: str) -> Any:
    """Follow a path such as `ticket.requester.name` or `ticket.comments.0.value`. Raises NotThereError."""
    found: Any = known
    for name in path.split("."):
        found = _member(found, name)
        if found is _MISSING:
            raise NotThereError(path)
    return found


def _member(of: Any, name: str) -> Any:
    if isinstance(of, list):
        return of[int(name)] if name in map(str, range(len(of))) else _MISSING
    return of.get(name, _MISSING) if isinstance(of, Mapping) else _MISSING


def change(ticket: Ticket | None, path: str, value: Any) -> None:
    """Set what a path names. Raises NotThereError, and NotTakenError."""
    name = path.removeprefix("ticket.")
    if ticket is None or name == path:
        raise NotThereError(path)
    if name == "status":
        if value not in get_args(Status):
            raise NotTakenError(f"must be one of {', '.join(get_args(Status))}")
        ticket.status = value
    elif name == "subject":
        ticket.subject = str(value)
    elif name.startswith(CUSTOM):
        ticket.fields[name.removeprefix(CUSTOM)] = value
    else:
        raise NotThereError(path)


def _ticket(state: State, ticket: Ticket) -> dict[str, Any]:
    account = next((each for each in state.accounts if each.id == ticket.account_id), None)
    requester = next((each for each in state.users if each.id == ticket.requester_id), None)
    comments = [_comment(state, comment) for comment in ticket.comments]
    custom = {f"{CUSTOM}{id_}": value for id_, value in ticket.fields.items()}
    return custom | {
        "id": ticket.id,
        "subject": ticket.subject,
        "description": ticket.comments[0].body if ticket.comments else "",
        "status": ticket.status,
        "isNew": False,
        "type": None,
        "priority": None,
        "tags": [],
        "externalId": None,
        "createdAt": ticket.comments[0].created_at.isoformat() if ticket.comments else None,
        "updatedAt": ticket.comments[-1].created_at.isoformat() if ticket.comments else None,
        "brand": {"id": 1, "name": state.installed.name if state.manifest else "", "isDefault": True},
        "via": via(state.manifest, account) if state.manifest else {},
        "requester": _user(requester) if requester else None,
        "assignee": {"user": None, "group": None},
        "organization": None,
        "collaborators": [],
        "comments": comments,
        "conversation": comments,
    }


def _comment(state: State, comment: Comment) -> dict[str, Any]:
    author = next((each for each in state.users if each.id == comment.author_id), None)
    return {
        "id": comment.id,
        "value": comment.html_body or comment.body,
        "contentType": "text/html" if comment.html_body else "text/plain",
        "author": {"id": AGENT_ID, "name": "Agent", "role": "admin"}
        if comment.by_agent
        else _user(author)
        if author
        else None,
        "public": comment.public,
        "channel": {"name": "any_channel"},
        "channelDisplayInfo": comment.display_info,
        "timestamp": comment.created_at.isoformat(),
        "attachments": [{"filename": file.name, "contentType": file.content_type} for file in comment.files],
    }


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "name": user.name,
        "role": "end-user",
        "locale": user.locale,
        "externalId": user.external_id,
        "avatarUrl": user.image_url or "",
        "email": None,
        "identities": [{"type": "any_channel", "value": user.external_id}],
    }
