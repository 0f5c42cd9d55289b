"""Canaries: a secret of each kind, typed or given, stands in no log, no answer and, in clear, in no database."""

from __future__ import annotations

import base64
import io
import json
import logging
import uuid
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import httpx2
import pytest
import pytest_asyncio
import structlog
from acme_reviews.core import logs
from acme_reviews.origin_protocol import (
    ConfigurationRejectedError,
    CredentialsRejectedError,
    OriginUnavailableError,
)
from acme_reviews.settings import new_sealing_key, new_signing_key
from acme_reviews.zis.connection_tokens import connection_token
from attacked import ORIGIN, Attacked, hidden, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

pytestmark = pytest.mark.asyncio(loop_scope="session")

TYPED = {
    "what an admin typed": "canary-typed-Zz93kd/+=",
    "what was typed in vain": "canary-in-vain-Qk38dh",
    "the push token": "canary-push-token-8f3b2a",
    "the operator's password": "canary-operator-71ncbz",
    "a wrong password": "canary-guess-5tr9qa",
    "the client's secret": "canary-client-0x8ahd",
    "the provider's code": "canary-code-p3m1za",
    "the access token": "canary-access-9qwsuv",
    "the refresh token": "canary-refresh-2ndlqp",
}
MADE = ("the webhook's secret", "a connection's token", "the sealing key")
WHERE = ("log", "answers", "database")


class Seen(NamedTuple):
    """What the service has written and said, and the secrets that it knew."""

    secrets: dict[str, str]
    places: dict[str, str]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seen(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Seen]:
    """A service that is used by everybody, while everything else fails and repeats what it was told."""
    folder = tmp_path_factory.mktemp("canaries")
    sealing_key, signing_key = new_sealing_key(), new_signing_key()
    answers: list[str] = []

    async def keep(response: httpx2.Response) -> None:
        await response.aread()
        answers.append(f"{response.headers} {response.text}")

    with _logged() as log:
        async with running(
            folder,
            operator_password=TYPED["the operator's password"],
            oauth_client_secret=TYPED["the client's secret"],
            sealing_keys=sealing_key,
            signing_keys=signing_key,
        ) as service:
            service.http.event_hooks["response"].append(keep)
            connection = connection_token(service.signer, "acme")
            await _use(service, connection)
            path = f"/webhook/{(await service.account()).id}"
            made = dict(zip(MADE, (service.origin.secrets[path], connection, sealing_key), strict=True))
    content = b"".join(file.read_bytes() for file in folder.glob("service.db*"))
    places = {"log": log.getvalue(), "answers": "\n".join(answers), "database": content.decode("latin-1")}
    yield Seen(TYPED | made, places)


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("secret", [*TYPED, *MADE])
async def test_no_secret_is_seen(seen: Seen, secret: str, where: str) -> None:
    for written in _written(seen.secrets[secret]):
        found = seen.places[where].find(written)
        assert found == -1, seen.places[where][max(found - 300, 0) : found + 100]


async def test_everybody_has_used_the_service(seen: Seen) -> None:
    """What is looked through is not empty, and holds what its neighbours say."""
    log, answers, database = (seen.places[place] for place in WHERE)
    for what in ("refused with", "account saved", "sign-in failed", "webhook rejected", "push token"):
        assert what in log
    assert "The operator's password opens this page." in answers
    assert "refused with" in answers
    assert "Canary account" in database


async def _use(service: Attacked, connection: str) -> None:
    """Let admins, operators, Zendesk and the origin do what they can, each time with an answer that repeats secrets."""
    http, origin, elsewhere = service.http, service.origin, service.elsewhere
    elsewhere.answers = {"https://": _repeat}
    opened = {"instance_push_id": "push-1", "zendesk_access_token": TYPED["the push token"]}
    form = await service.open("acme", **opened)
    await service.connect(form)
    elsewhere.answers = {
        f"{ORIGIN}/oauth/token": lambda _: httpx2.Response(
            200,
            json={
                "access_token": TYPED["the access token"],
                "refresh_token": TYPED["the refresh token"],
                "expires_in": 3600,
                "token_type": "Bearer",
            },
        ),
        "https://": _repeat,
    }
    form = await service.open("acme", **opened)
    await service.confirm(await service.connect(form, TYPED["the provider's code"]))
    for gossips in _errors():
        origin.gossips = gossips
        await service.save(form, password=TYPED["what was typed in vain"])
    origin.gossips = None
    typed = {"password": TYPED["what an admin typed"], "name": "Canary account"}
    second = await service.save(form, **typed)
    returned = await service.save(second, **typed)
    service.metadata = hidden(returned, "metadata")
    for gossips in _errors():
        origin.gossips = gossips
        await _work(service)
    origin.gossips = None
    origin.posts = [{"id": "post-1", "text": "Text"}]
    await _work(service)
    await service.open("acme", metadata=service.metadata, **opened)
    for password in (TYPED["a wrong password"], TYPED["the operator's password"]):
        for path in ("/metrics", "/channel/dashboard/all"):
            await http.get(path, auth=("operator", password))
    event: dict[str, object] = {"meta": {}, "ticket": {}}
    for token in (connection, f"{connection}x"):
        headers = {"Authorization": f"Bearer {token}"}
        await http.post("/channel/zis/ticket_event", json=event, headers=headers)


async def _work(service: Attacked) -> None:
    http = service.http
    fields = {"metadata": service.metadata, "parent_id": "1", "message": "Hello"}
    webhook = f"/webhook/{(await service.account()).id}"
    await http.post("/channel/pull", data=fields)
    await http.post("/channel/channelback", data=fields | {"request_unique_identifier": str(uuid.uuid4())})
    action = {"instance_metadata": service.metadata, "client_data": '{"post_id": "1"}'}
    await http.post("/channel/proxy/like", data=action)
    await http.post(webhook, content=b"{}", headers={"Authorization": TYPED["what an admin typed"]})


def _errors() -> list[Callable[[str], Exception]]:
    return [
        OriginUnavailableError,
        CredentialsRejectedError,
        lambda text: ConfigurationRejectedError({"password": text, "": text}),
        RuntimeError,
    ]


def _repeat(request: httpx2.Request) -> httpx2.Response:
    """Refuse a request with all that it says."""
    said = {
        "error": "invalid_grant",
        "error_description": f"{request.headers.raw} {request.content.decode()}",
    }
    return httpx2.Response(400, json=said)


def _written(secret: str) -> set[str]:
    return {
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        base64.b64encode(secret.encode()).decode().rstrip("="),
    }


@contextmanager
def _logged() -> Iterator[io.StringIO]:
    """Take what the service logs in production, and give the tests their own configuration back."""
    structured, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log = io.StringIO()
    with redirect_stdout(log):
        logs.configure("debug", readable=False)
        structlog.configure(logger_factory=structlog.PrintLoggerFactory(log))
        yield log
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**structured)
