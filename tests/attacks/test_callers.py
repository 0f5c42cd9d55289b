"""Who calls: metadata, events, webhooks, operators and the links of files prove it, and nothing else does (SVC-60)."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from acme_reviews.core.request_ids import RequestIds
from acme_reviews.core.security import Signer
from acme_reviews.core.signatures import sign
from acme_reviews.settings import new_signing_key
from acme_reviews.zis.connection_tokens import connection_token
from attacked import FILE, OPERATOR_PASSWORD, Attacked, hidden, link

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _base64(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


class Forger(NamedTuple):
    """What somebody has who wants to be taken for Zendesk: everything but the metadata itself."""

    metadata: str
    account_id: str
    others: str
    signer: Signer
    stranger: Signer
    form: str
    dashboard: str
    file: str

    @property
    def payload(self) -> str:
        return self.metadata.partition(".")[0]

    @property
    def signature(self) -> str:
        return self.metadata.partition(".")[2]


async def forger(attacked: Attacked) -> Forger:
    form = await attacked.open(metadata=attacked.metadata)
    account = await attacked.account()
    return Forger(
        metadata=attacked.metadata,
        account_id=account.id,
        others=attacked.others_metadata,
        signer=attacked.signer,
        stranger=Signer([new_signing_key()]),
        form=hidden(form, "handshake"),
        dashboard=link(form, "/channel/dashboard").partition("=")[2],
        file=attacked.signer.sign_expiring("file", {"account": account.id, "file": "x"}),
    )


FORGED_METADATA: dict[str, Callable[[Forger], str]] = {
    "nothing": lambda _: "",
    "a space": lambda _: " ",
    "null": lambda _: "null",
    "the account's id": lambda known: known.account_id,
    "the payload as JSON": lambda known: json.dumps({"account": known.account_id}),
    "the payload alone": lambda known: known.payload,
    "the payload and a full stop": lambda known: f"{known.payload}.",
    "the signature alone": lambda known: f".{known.signature}",
    "another account's signature": lambda known: f"{known.payload}.{known.others.partition('.')[2]}",
    "a changed payload": lambda known: (
        f"{_base64({'account': '0' + known.account_id[1:]})}.{known.signature}"
    ),
    "one payload behind another": lambda known: f"{known.others.partition('.')[0]}.{known.metadata}",
    "a changed signature": lambda known: f"{known.payload}.{known.signature[::-1]}",
    "half a signature": lambda known: f"{known.payload}.{known.signature[:20]}",
    "a longer signature": lambda known: f"{known.metadata}AAAA",
    "small letters": lambda known: known.metadata.lower(),
    "packed": lambda known: f".{known.metadata}",
    "a token without a signature": lambda known: f"{_base64({'alg': 'none'})}.{known.payload}.",
    "another service's signature": lambda known: known.stranger.sign(
        "metadata", {"account": known.account_id}
    ),
    "a form": lambda known: known.form,
    "a link to the dashboard": lambda known: known.dashboard,
    "the link of a file": lambda known: known.file,
    "a connection of flows": lambda known: connection_token(known.signer, "acme"),
}


@pytest.mark.parametrize("endpoint", ["pull", "channelback", "proxy"])
@pytest.mark.parametrize("forge", FORGED_METADATA.values(), ids=FORGED_METADATA)
async def test_forged_metadata_opens_nothing(
    attacked: Attacked, forge: Callable[[Forger], str], endpoint: str
) -> None:
    origin = attacked.origin
    before = origin.fetched, len(origin.replies), len(origin.liked)
    forged = forge(await forger(attacked))
    fields = {
        "pull": {"metadata": forged, "state": ""},
        "channelback": {
            "metadata": forged,
            "message": "Hello",
            "parent_id": "1",
            "request_unique_identifier": "1",
        },
        "proxy": {"instance_metadata": forged, "client_data": '{"post_id": "1"}'},
    }[endpoint]
    path = "/channel/proxy/like" if endpoint == "proxy" else f"/channel/{endpoint}"

    answer = await attacked.http.post(path, data=fields)

    assert answer.status_code == 403, answer.text
    assert (origin.fetched, len(origin.replies), len(origin.liked)) == before


async def test_true_metadata_opens_everything(attacked: Attacked) -> None:
    reply = {
        "metadata": attacked.metadata,
        "message": "Hello",
        "parent_id": "1",
        "request_unique_identifier": "1",
    }
    action = {"instance_metadata": attacked.metadata, "client_data": '{"post_id": "1"}'}
    assert (await attacked.http.post("/channel/channelback", data=reply)).is_success
    assert (await attacked.http.post("/channel/pull", data={"metadata": attacked.metadata})).is_success
    assert (await attacked.http.post("/channel/proxy/like", data=action)).is_success


TOLD: dict[str, dict[str, Any]] = {
    "create_integration_instance": {},
    "destroy_integration_instance": {},
    "activate_integration_instance": {},
    "deactivate_integration_instance": {"deactivated_by": "api"},
    "destroy_user_identity": {"author": {"external_id": "ada"}},
}
UNPROVEN: dict[str, Callable[[Forger], tuple[str, str | None]]] = {
    "no metadata": lambda _: ("acme", None),
    "the account's id": lambda known: ("acme", known.account_id),
    "another service's signature": lambda known: (
        "acme",
        known.stranger.sign("metadata", {"account": known.account_id}),
    ),
    "another account's Zendesk": lambda known: ("umbrella", known.metadata),
    "another account's metadata": lambda known: ("acme", known.others),
}
IMPORTED: dict[str, Callable[[Forger, RequestIds], tuple[str, str]]] = {
    "a push of another account's": lambda known, ids: ("umbrella", ids.make(known.account_id)),
    "a push of another service's": lambda known, _: (
        "acme",
        RequestIds([new_signing_key()], "push").make(known.account_id),
    ),
    "a signature for something else": lambda known, _: (
        "acme",
        f"{'A' * 30}.{known.signature[:24]}",
    ),
}
FOREIGN_EVENTS = [(kind, proof) for kind in TOLD for proof in UNPROVEN] + [
    ("resources_created_from_external_ids", proof) for proof in IMPORTED
]


@pytest.mark.parametrize(("kind", "proof"), FOREIGN_EVENTS)
async def test_foreign_events_change_nothing(attacked: Attacked, kind: str, proof: str) -> None:
    known = await forger(attacked)
    account = await attacked.account()
    other = await attacked.account(attacked.others_metadata)
    done = await attacked.counted(f'events_total{{outcome="done",type="{kind}"')
    if kind in TOLD:
        subdomain, metadata = UNPROVEN[proof](known)
        data: dict[str, Any] = TOLD[kind] | ({} if metadata is None else {"metadata": metadata})
    else:
        ids = RequestIds([key.get_secret_value() for key in attacked.settings.signing_keys], "push")
        subdomain, request_id = IMPORTED[proof](known, ids)
        imported = {
            "type_id": "comment_on_new_ticket",
            "external_id": "post-1",
            "ticket_id": 1,
            "comment_id": 1,
        }
        data = {"request_id": request_id, "resource_events": [imported]}
    event = {
        "type_id": kind,
        "timestamp": "2026-11-20T10:21:00Z",
        "subdomain": subdomain,
        "integration_name": "Attacked Reviews",
        "integration_id": "attacked",
        "data": data,
    }

    answer = await attacked.http.post("/channel/event_callback", json={"events": [event]})

    assert answer.status_code == 200
    assert await attacked.counted(f'events_total{{outcome="done",type="{kind}"') == done
    assert await attacked.account() == account
    assert await attacked.account(attacked.others_metadata) == other


class Delivery(NamedTuple):
    """A webhook as the origin would send it now."""

    path: str
    others_path: str
    secret: str
    others_secret: str
    now: datetime
    body: bytes

    def signed(self, **changed: Any) -> tuple[str, dict[str, str], bytes]:
        """Give path, headers and body; what is named is changed before it is signed."""
        moment = changed.get("moment", self.now)
        headers = {
            "Webhook-Timestamp": str(int(moment.timestamp())),
            "Webhook-Signature": sign(
                changed.get("secret", self.secret), moment, changed.get("body", self.body)
            ),
        }
        return self.path, headers, self.body

    def but(self, **headers: str | None) -> tuple[str, dict[str, str], bytes]:
        """Change headers of a signed delivery, or leave them out."""
        path, signed, body = self.signed()
        changed = signed | {f"Webhook-{name.title()}": value for name, value in headers.items()}
        return path, {name: value for name, value in changed.items() if value is not None}, body

    @property
    def signature(self) -> str:
        return self.signed()[1]["Webhook-Signature"]

    @property
    def timestamp(self) -> str:
        return self.signed()[1]["Webhook-Timestamp"]


Sent = tuple[str, dict[str, str], bytes]
WEBHOOKS: dict[str, Callable[[Delivery], Sent]] = {
    "no headers": lambda sent: (sent.path, {}, sent.body),
    "no signature": lambda sent: sent.but(signature=None),
    "an empty signature": lambda sent: sent.but(signature=""),
    "no timestamp": lambda sent: sent.but(timestamp=None),
    "an empty timestamp": lambda sent: sent.but(timestamp=""),
    "a timestamp of another script": lambda sent: sent.but(
        timestamp="\u0661\u0662".encode().decode("latin-1")
    ),
    "a negative timestamp": lambda sent: sent.but(timestamp=f"-{sent.timestamp}"),
    "a timestamp with a fraction": lambda sent: sent.but(timestamp=f"{sent.timestamp}.0"),
    "a very long timestamp": lambda sent: sent.but(timestamp="9" * 5000),
    "another timestamp": lambda sent: sent.but(timestamp=str(int(sent.timestamp) + 1)),
    "too old": lambda sent: sent.signed(moment=sent.now - timedelta(minutes=6)),
    "from the future": lambda sent: sent.signed(moment=sent.now + timedelta(minutes=6)),
    "another body": lambda sent: sent.signed(body=sent.body + b" "),
    "half a signature": lambda sent: sent.but(signature=sent.signature[:32]),
    "a signature in capitals": lambda sent: sent.but(signature=sent.signature.upper()),
    "a signature of its kind": lambda sent: sent.but(signature=f"sha256={sent.signature}"),
    "an empty secret": lambda sent: sent.signed(secret=""),
    "another account's secret": lambda sent: sent.signed(secret=sent.others_secret),
    "another account's address": lambda sent: (sent.others_path, *sent.signed()[1:]),
}


@pytest.mark.parametrize("forge", WEBHOOKS.values(), ids=WEBHOOKS)
async def test_a_webhook_is_signed_by_the_origin(
    attacked: Attacked, forge: Callable[[Delivery], Sent]
) -> None:
    path, headers, body = forge(await _delivery(attacked))
    accepted = await attacked.counted('webhooks_total{outcome="accepted"')

    status, answer = await attacked.ask(path, "POST", list(headers.items()), body)

    assert status == 401, answer
    assert await attacked.counted('webhooks_total{outcome="accepted"') == accepted


async def test_a_true_webhook_is_taken(attacked: Attacked) -> None:
    path, headers, body = (await _delivery(attacked)).signed()
    assert (await attacked.http.post(path, content=body, headers=headers)).json() == {
        "new": 1,
        "quarantined": 0,
    }


async def _delivery(attacked: Attacked) -> Delivery:
    path, others_path = [
        f"/webhook/{(await attacked.account(metadata)).id}"
        for metadata in (attacked.metadata, attacked.others_metadata)
    ]
    secrets = attacked.origin.secrets
    body = json.dumps({"id": "delivery-1", "posts": [{"id": "told"}]}).encode()
    return Delivery(path, others_path, secrets[path], secrets[others_path], datetime.now(UTC), body)


def _basic(credentials: str, encoding: str = "utf-8") -> str:
    return f"Basic {base64.b64encode(credentials.encode(encoding)).decode()}"


TRUE = _basic(f"operator:{OPERATOR_PASSWORD}")
CREDENTIALS: dict[str, list[tuple[str, str]]] = {
    "nothing": [],
    "an empty header": [("Authorization", "")],
    "the scheme alone": [("Authorization", "Basic")],
    "no user and no password": [("Authorization", _basic(":"))],
    "the user alone": [("Authorization", _basic("operator:"))],
    "the password alone": [("Authorization", _basic(f":{OPERATOR_PASSWORD}"))],
    "no colon": [("Authorization", _basic("operator"))],
    "another user": [("Authorization", _basic(f"admin:{OPERATOR_PASSWORD}"))],
    "another password": [("Authorization", _basic("operator:operator"))],
    "half the password": [("Authorization", _basic(f"operator:{OPERATOR_PASSWORD[:-1]}"))],
    "more than the password": [("Authorization", _basic(f"operator:{OPERATOR_PASSWORD}\0"))],
    "capitals": [("Authorization", _basic(f"operator:{OPERATOR_PASSWORD.upper()}"))],
    "UTF-16": [("Authorization", _basic(f"operator:{OPERATOR_PASSWORD}", "utf-16"))],
    "a bearer": [("Authorization", TRUE.replace("Basic", "Bearer"))],
    "not encoded": [("Authorization", f"Basic operator:{OPERATOR_PASSWORD}")],
    "through a proxy": [("Proxy-Authorization", TRUE)],
    "in cookies and names of users": [
        ("Cookie", f"authorization={TRUE}"),
        ("X-Forwarded-User", "operator"),
        ("X-Remote-User", "operator"),
    ],
}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("path", ["/metrics", "/channel/dashboard/all"])
@pytest.mark.parametrize("headers", CREDENTIALS.values(), ids=CREDENTIALS)
async def test_operators_prove_themselves(
    attacked: Attacked, headers: list[tuple[str, str]], path: str, method: str
) -> None:
    status, answer = await attacked.ask(f"{path}?password={OPERATOR_PASSWORD}", method, headers)

    assert status == (405 if method == "POST" else 401)
    assert b"http_requests" not in answer
    assert b"umbrella" not in answer


@pytest.mark.parametrize("path", ["/metrics", "/channel/dashboard/all"])
async def test_the_operator_may_enter(attacked: Attacked, path: str) -> None:
    status, _ = await attacked.ask(path, headers=[("Authorization", TRUE)])
    assert status == 200


FILES: dict[str, Callable[[Forger], str]] = {
    "no token": lambda _: "/channel/files//photo.png",
    "no name": lambda known: f"/channel/files/{known.file}/",
    "nothing": lambda _: "/channel/files/",
    "a folder": lambda known: f"/channel/files/{known.file}/a/photo.png",
    "the file's name alone": lambda _: "/channel/files/x/photo.png",
    "the parent": lambda _: "/channel/files/../../etc/passwd",
    "the parent, escaped": lambda _: "/channel/files/%2e%2e/%2e%2e",
    "the parent's slash, escaped": lambda _: "/channel/files/..%2f..%2fetc/passwd",
    "the parent, escaped twice": lambda _: "/channel/files/%252e%252e%252f/passwd",
    "backslashes": lambda _: "/channel/files/..%5c..%5c/photo.png",
    "a NUL": lambda known: f"/channel/files/{known.file[:20]}%00{known.file[20:]}/photo.png",
    "a token in the query": lambda known: f"/channel/files/x/photo.png?token={known.file}",
    "metadata": lambda known: f"/channel/files/{known.metadata}/photo.png",
    "a form": lambda known: f"/channel/files/{known.form}/photo.png",
    "a link to the dashboard": lambda known: f"/channel/files/{known.dashboard}/photo.png",
    "a token that lasts": lambda known: (
        f"/channel/files/{known.signer.sign('file', {'account': known.account_id, 'file': 'x'})}/photo.png"
    ),
    "another service's token": lambda known: (
        f"/channel/files/{known.stranger.sign_expiring('file', {'account': known.account_id, 'file': 'x'})}/photo.png"
    ),
    "a changed token": lambda known: f"/channel/files/{known.file.swapcase()}/photo.png",
    "another file": lambda known: (
        f"/channel/files/{_base64({'account': known.account_id, 'file': 'y'})}.{known.file.partition('.')[2]}/photo.png"
    ),
    "half a token": lambda known: f"/channel/files/{known.file.rpartition('.')[0]}/photo.png",
    "an account that is gone": lambda known: (
        f"/channel/files/{known.signer.sign_expiring('file', {'account': 'gone', 'file': 'x'})}/photo.png"
    ),
}


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("forge", FILES.values(), ids=FILES)
async def test_files_need_their_own_link(
    attacked: Attacked, forge: Callable[[Forger], str], method: str
) -> None:
    status, answer = await attacked.ask(forge(await forger(attacked)), method)
    assert status == 404
    assert FILE not in answer


async def test_the_link_of_a_file_opens_it(attacked: Attacked) -> None:
    _, answer = await attacked.ask(f"/channel/files/{(await forger(attacked)).file}/photo.png", "POST")
    assert answer.endswith(FILE)
