"""`sandbox/zis/registry.py`: what each call answers, to whom, and the texts of its refusals."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from sandbox import wire
from zis_callers import BASE, bundle, client

if TYPE_CHECKING:
    import httpx2
    from sandbox.zendesk import Zendesk
    from zis_callers import Callers

WEBHOOKS = f"{BASE}/inbound_webhooks/generic"
INSTALL = f"{BASE}/registry/job_specs/install"
SPEC = {"job_spec_name": "zis:acme:job_spec:solved"}
BEARER = {"name": "site", "token": "not-a-secret", "allowed_domain": "integration.test"}


def detail(answer: httpx2.Response) -> tuple[int, str]:
    body = answer.json()
    (error,) = body["errors"]
    assert error["detail"] == body["message"]
    assert error["status"] == str(answer.status_code)
    assert error["code"] in {"1010", "1001", "1050"}
    return answer.status_code, error["detail"]


# --- Who may call what ------------------------------------------------------------------------------

REGISTERING = {"api_token": 200, "session": 200, "oauth": 200, "zis": 401, "nobody": 401}
UPLOADING = {"api_token": 200, "session": 200, "oauth": 401, "zis": 401, "nobody": 401}
READING = {"api_token": 200, "session": 200, "oauth": 200, "zis": 200, "nobody": 401}
CONNECTING = {"api_token": 403, "session": 200, "oauth": 200, "zis": 200, "nobody": 401}


@pytest.mark.parametrize(
    ("method", "path", "body", "matrix"),
    [
        ("POST", f"{BASE}/registry/acme", {"description": "d"}, REGISTERING),
        ("GET", "/api/v2/oauth/clients.json", None, REGISTERING),
        ("GET", f"{BASE}/registry/integrations", None, REGISTERING),
        ("POST", f"{BASE}/registry/acme/bundles", bundle(), UPLOADING),
        ("GET", f"{BASE}/registry/acme/bundles", None, READING),
        ("GET", f"{BASE}/registry/acme/job_specs", None, READING),
        ("POST", f"{INSTALL}?job_spec_name=zis:acme:job_spec:solved", None, READING),
        ("GET", f"{BASE}/integrations/acme/connections/all", None, CONNECTING),
        ("GET", f"{WEBHOOKS}/acme/all", None, CONNECTING),
        ("GET", f"{BASE}/connections/oauth/clients/acme", None, CONNECTING),
        ("PATCH", f"{BASE}/integrations/acme/configs/kept", {"config": {}}, CONNECTING),
        ("GET", f"{BASE}/links/acme?link_type=a&left_object_name=*", None, CONNECTING),
    ],
)
async def test_each_call_takes_its_credentials(
    callers: Callers, method: str, path: str, body: Any, matrix: dict[str, int]
) -> None:
    clients = {**vars(callers), "zis": await callers.of_integration("acme")}
    await callers.install("acme", bundle())
    await clients["zis"].post(f"{BASE}/integrations/acme/configs", json={"scope": "kept", "config": {}})

    answers = {name: (await clients[name].request(method, path, json=body)).status_code for name in matrix}

    assert {name: 200 if status == 204 else status for name, status in answers.items()} == matrix


async def test_a_token_of_an_integration_is_made_by_whoever_may_register(callers: Callers) -> None:
    """Only who can see the number of a client asks for its tokens, so the rest is told nothing of it."""
    mine = await callers.of_integration("acme")
    clients = (await callers.api_token.get("/api/v2/oauth/clients.json")).json()["clients"]
    asked = {"token": {"client_id": clients[0]["id"], "scopes": ["read", "write"]}}
    statuses = [
        (await each.post("/api/v2/oauth/tokens", json=asked)).status_code
        for each in (callers.api_token, callers.session, callers.oauth, mine, callers.nobody)
    ]
    assert statuses == [201, 201, 201, 401, 401]


async def test_a_refusal_says_what_zendesk_says_and_the_log_why(callers: Callers, zendesk: Zendesk) -> None:
    mine, other = await callers.of_integration("acme"), await callers.of_integration("other")
    path = f"{BASE}/registry/acme/bundles"

    assert detail(await mine.post(path, json=bundle())) == (
        401,
        "Authorization failed due to OAuth being disabled for this API request",
    )
    assert "2027-04-30" in zendesk.log.of("zis")[-1].remarks[0].message
    assert detail(await other.get(path)) == (401, "Authorization failed due to integration mismatch")
    assert detail(await callers.nobody.get(path)) == (401, "Authentication failed")
    connections = f"{BASE}/integrations/acme/connections/all"
    assert detail(await callers.api_token.get(connections)) == (403, "API token is not supported")


async def test_a_session_writes_with_its_csrf_token_only(callers: Callers, zendesk: Zendesk) -> None:
    cookie = {"cookie": callers.session.headers["cookie"]}
    strange = client(zendesk, cookie)

    assert (await strange.post(f"{BASE}/registry/acme")).status_code == 403
    assert (await callers.session.post(f"{BASE}/registry/acme")).status_code == 200


async def test_an_agents_browser_is_refused(callers: Callers, zendesk: Zendesk) -> None:
    zendesk.settings.zis_person_is_admin = False

    answer = await callers.session.post(f"{BASE}/registry/acme")

    assert detail(answer) == (403, "Only admin user is allowed")
    assert (await callers.api_token.post(f"{BASE}/registry/acme")).status_code == 200


# --- Integrations and tokens --------------------------------------------------------------------------


async def test_registering_again_is_no_error(callers: Callers) -> None:
    first = await callers.api_token.post(f"{BASE}/registry/acme", json={"description": "d"})
    again = await callers.oauth.post(f"{BASE}/registry/acme", json={"description": "e"})

    wire.check("zis-integration-response", first.json())
    assert first.json()["zendesk_oauth_client"] == again.json()["zendesk_oauth_client"]
    assert again.json()["description"] == "e"
    listed = (await callers.api_token.get(f"{BASE}/registry/integrations")).json()["integrations"]
    assert [each["name"] for each in listed] == ["acme"]
    assert set(listed[0]["zendesk_oauth_client"]["secret"]) == {"*"}


async def test_names_of_others_and_odd_ones_are_refused(callers: Callers, zendesk: Zendesk) -> None:
    zendesk.settings.zis_names_taken = ("taken",)

    assert detail(await callers.api_token.post(f"{BASE}/registry/taken")) == (
        400,
        "the integration: taken is not available for upsert by this account",
    )
    for name in ("Acme", "a" * 65, "a.b"):
        refused = await callers.api_token.post(f"{BASE}/registry/{name}")
        assert detail(refused) == (400, "invalid integration key")


async def test_who_asks_whether_an_integration_is_registered_does_nothing_wrong(
    callers: Callers, zendesk: Zendesk
) -> None:
    path = f"{BASE}/registry/nobody/bundles"

    assert detail(await callers.api_token.get(path)) == (400, "invalid integration key")
    assert zendesk.log.of("zis")[-1].remarks == []

    assert detail(await callers.api_token.post(path, json=bundle())) == (400, "invalid integration key")
    assert "register the integration first" in zendesk.log.of("zis")[-1].remarks[0].message


async def test_a_token_is_made_by_the_number_of_the_client(callers: Callers) -> None:
    registered = (await callers.api_token.post(f"{BASE}/registry/acme")).json()["zendesk_oauth_client"]
    clients = (await callers.api_token.get("/api/v2/oauth/clients.json")).json()
    wire.check("oauth-clients-response", clients)
    assert [client["id"] for client in clients["clients"]] == [registered["id"]]

    made = await callers.oauth.post(
        "/api/v2/oauth/tokens.json", json={"token": {"client_id": registered["id"], "scopes": ["zis:read"]}}
    )
    wire.check("oauth-token-response", made.json())

    by_name = {"token": {"client_id": registered["identifier"], "scopes": []}}
    assert (await callers.api_token.post("/api/v2/oauth/tokens", json=by_name)).status_code == 400


async def test_only_the_admins_client_gets_a_token_by_client_credentials(callers: Callers) -> None:
    asked = {"grant_type": "client_credentials", "client_id": "sandbox_admin", "client_secret": "wrong"}

    assert (await callers.nobody.post("/oauth/tokens", json=asked)).status_code == 401


async def test_an_admins_token_ends_after_half_an_hour(callers: Callers, zendesk: Zendesk) -> None:
    path = f"{BASE}/registry/integrations"
    assert (await callers.oauth.get(path)).status_code == 200

    await zendesk.advance(30 * 60)

    assert detail(await callers.oauth.get(path)) == (401, "Authentication failed")
    assert (await callers.api_token.get(path)).status_code == 200


# --- Bundles and job specs ----------------------------------------------------------------------------


def with_choice(rule: dict[str, Any]) -> dict[str, Any]:
    document = bundle()
    states = document["resources"]["flow"]["properties"]["definition"]["States"]
    states["C"] = {"Type": "Choice", "Choices": [{**rule, "Variable": "$.x", "Next": "Tell"}]}
    return document


def with_twin() -> dict[str, Any]:
    document = bundle()
    document["resources"]["twin"] = copy.deepcopy(document["resources"]["tell"])
    return document


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        (with_choice({"StringMatches": "a*"}), "BundleValidationError: C: And is required"),
        (with_twin(), "Bundle contains duplicated resources"),
        (bundle() | {"zis_template_version": "1"}, "BundleValidationError: zis_template_version is invalid"),
        (bundle() | {"resources": []}, "BundleValidationError: name and resources are required"),
        (bundle() | {"resources": {"a": {"type": "ZIS::Other"}}}, "BundleValidationError: a is invalid"),
    ],
)
async def test_an_upload_is_checked(callers: Callers, document: Any, wrong: str) -> None:
    await callers.of_integration("acme")

    answer = await callers.api_token.post(f"{BASE}/registry/acme/bundles", json=document)

    assert detail(answer) == (400, wrong)


async def test_what_zendesk_does_not_check_is_taken(callers: Callers, zendesk: Zendesk) -> None:
    """A real export refers to a flow that is not there, and has a version of its own."""
    await callers.of_integration("acme")
    document = bundle(created="ticket.Created") | {"zis_template_version": "2019-02-28"}
    del document["resources"]["flow"]

    await callers.install("acme", document, "created")

    uploads = [exchange for exchange in zendesk.log.of("zis") if exchange.url.endswith("/bundles")]
    assert "2019-10-14 only" in uploads[-1].remarks[0].message


async def test_a_bundle_is_returned_as_it_was_uploaded(callers: Callers) -> None:
    await callers.of_integration("acme")
    await callers.install("acme", bundle())

    listed = (await callers.api_token.get(f"{BASE}/registry/acme/bundles")).json()["bundles"]
    path = f"{BASE}/registry/acme/bundles/{listed[0]['uuid']}"
    whole = (await callers.api_token.get(path)).json()

    assert [set(each) for each in listed] == [
        {"name", "description", "zis_template_version", "uuid", "integration", "zendesk_account_id"}
    ]
    assert whole == bundle() | {"uuid": listed[0]["uuid"], "integration": "acme", "zendesk_account_id": 1}
    assert detail(await callers.api_token.delete(path)) == (404, "bundles cannot be deleted")
    assert detail(await callers.api_token.get(f"{BASE}/registry/acme/bundles/none")) == (
        404,
        "bundle not found",
    )


async def installed(callers: Callers) -> dict[str, bool]:
    answer = await callers.api_token.get(f"{BASE}/registry/acme/job_specs")
    return {spec["name"]: spec["installed"] for spec in answer.json()["job_specs"]}


async def test_an_upload_uninstalls_what_it_holds_and_leaves_what_it_no_longer_holds(
    callers: Callers, zendesk: Zendesk
) -> None:
    await callers.of_integration("acme")
    both = bundle(solved="ticket.StatusChanged", created="ticket.TicketCreated")
    await callers.install("acme", both, "solved", "created")
    assert await installed(callers) == {"solved": True, "created": True}

    upload = f"{BASE}/registry/acme/bundles"
    await callers.api_token.post(upload, json=bundle())
    assert await installed(callers) == {"solved": False, "created": True}

    refused = await callers.api_token.post(INSTALL, params={"job_spec_name": "zis:acme:job_spec:created"})
    assert detail(refused) == (400, "one or more requested job specs is invalid")

    zendesk.settings.zis_upload_uninstalls = False
    await callers.install("acme", bundle())
    await callers.api_token.post(upload, json=bundle())
    assert await installed(callers) == {"solved": True, "created": True}


async def test_both_installers_install_and_one_uninstalls(callers: Callers) -> None:
    mine = await callers.of_integration("acme")
    await callers.api_token.post(f"{BASE}/registry/acme/bundles", json=bundle())

    path = f"{BASE}/integrations/acme/job_specs/installation"
    assert (await mine.post(path, json=[{"name": SPEC["job_spec_name"]}])).status_code == 200
    assert await installed(callers) == {"solved": True}

    assert (await mine.delete(INSTALL, params=SPEC)).status_code == 204
    assert (await mine.delete(INSTALL, params=SPEC)).status_code == 404
    assert await installed(callers) == {"solved": False}
    assert (await mine.post(INSTALL, params=SPEC)).status_code == 200
    assert detail(await callers.api_token.post(INSTALL, params={"job_spec_name": "solved"})) == (
        400,
        "one or more requested job specs is invalid",
    )


async def test_lists_come_in_pages(callers: Callers) -> None:
    mine = await callers.of_integration("acme")
    names = [f"spec{number}" for number in range(5)]
    specs: dict[str, Any] = dict.fromkeys(names, "ticket.TicketCreated")
    document = bundle(**specs)
    await callers.api_token.post(f"{BASE}/registry/acme/bundles", json=document)

    found, after, more = [], "0", True
    while more:
        query = {"page[size]": "2", "page[after]": after}
        page = (await mine.get(f"{BASE}/registry/acme/job_specs", params=query)).json()
        found += [spec["name"] for spec in page["job_specs"]]
        after, more = page["meta"]["after"], page["meta"]["has_more"]

    assert found == names
    before = {"page[size]": "2", "page[before]": "4"}
    back = (await mine.get(f"{BASE}/registry/acme/job_specs", params=before)).json()["job_specs"]
    assert [spec["name"] for spec in back] == names[2:4]
    assert (await mine.get(f"{BASE}/registry/acme/job_specs", params={"page[size]": "x"})).status_code == 400


# --- Connections, configs and webhooks ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "credentials"),
    [
        ("bearer_token", {"token": "not-a-secret"}),
        ("basic_auth", {"username": "ada", "password": "not-a-secret"}),
        ("api_key", {"api_key": "not-a-secret", "header_name": "X-Key"}),
    ],
)
async def test_a_connection_is_made_and_its_secret_never_shown(
    callers: Callers, zendesk: Zendesk, kind: str, credentials: dict[str, str]
) -> None:
    mine = await callers.of_integration("acme")
    path = f"{BASE}/integrations/acme/connections"
    document = {"name": "site", "allowed_domain": "integration.test", **credentials}

    made = await mine.post(f"{path}/{kind}", json=document)

    assert made.status_code == 201
    assert made.json()[kind]["name"] == "site"
    shown = made.text + (await mine.get(f"{path}/all")).text
    assert "not-a-secret" not in shown + zendesk.log.text_of(zendesk.log.of("zis")[-2])
    again = await mine.post(f"{path}/bearer_token", json=BEARER)
    assert detail(again) == (409, "connection site already exists")
    assert (await mine.delete(f"{path}/{kind}/site")).status_code == 204
    assert (await mine.get(f"{path}/all")).json()["connections"] == []


@pytest.mark.parametrize("change", [{"name": "ab"}, {"allowed_domain": ""}, {"token": ""}])
async def test_a_connection_needs_name_domain_and_credentials(
    callers: Callers, change: dict[str, str]
) -> None:
    mine = await callers.of_integration("acme")

    answer = await mine.post(f"{BASE}/integrations/acme/connections/bearer_token", json=BEARER | change)

    assert answer.status_code == 400
    assert (await mine.get(f"{BASE}/connections/acme", params={"name": "site"})).status_code == 404


async def test_configs_are_kept_by_scope(callers: Callers) -> None:
    mine = await callers.of_integration("acme")
    path = f"{BASE}/integrations/acme/configs"
    assert (await mine.get(path, params={"filter[scope]": "*"})).status_code == 404

    await mine.post(path, json={"scope": "a_1", "config": {"x": 1}})
    await mine.post(path, json={"scope": "b", "config": {}})
    assert (await mine.post(path, json={"scope": "b", "config": {}})).status_code == 409
    await mine.patch(f"{path}/a_1", json={"config": {"y": 2}})
    await mine.put(f"{path}/b", json={"config": {"z": 3}})

    everything = (await mine.get(path)).json()["configs"]
    assert everything == [{"scope": "a_1", "config": {"x": 1, "y": 2}}, {"scope": "b", "config": {"z": 3}}]
    some = (await mine.get(path, params={"filter[scope]": "a_*"})).json()["configs"]
    assert [each["scope"] for each in some] == ["a_1"]
    assert (await mine.delete(f"{path}/b")).status_code == 204
    assert (await mine.delete(f"{path}/b")).status_code == 404


async def test_links_are_kept_by_type_and_names(callers: Callers) -> None:
    mine = await callers.of_integration("acme")
    path, names = f"{BASE}/links/acme", {"left_object_name": "ticket:1", "right_object_name": "thread:9"}
    link = {"link_type": "t", "left_object": {"name": "ticket:1"}, "right_object": {"name": "thread:9"}}

    made = await mine.post(path, json=link)

    assert made.status_code == 201
    query = {"link_type": "t", "left_object_name": "ticket:*"}
    assert (await mine.get(path, params=query)).json()["links"] == [made.json()["link"]]
    assert detail(await mine.get(path, params={"link_type": "t"}))[0] == 400
    change = {"left_object": {"metadata": {"seen": True}}}
    changed = await mine.patch(path, params={"link_type": "t", **names}, json=change)
    assert changed.json()["link"]["left_object"] == {"name": "ticket:1", "metadata": {"seen": True}}
    assert (await mine.delete(path, params={"link_type": "t", **names})).status_code == 204
    assert (await mine.delete(path, params={"link_type": "t", **names})).status_code == 404


async def test_a_webhook_shows_its_credentials_once_and_takes_events(callers: Callers) -> None:
    mine = await callers.of_integration("acme")
    asked = {"source_system": "shop", "event_type": "order"}

    made = (await mine.post(f"{WEBHOOKS}/acme", json=asked)).json()

    shown = (await mine.get(f"{WEBHOOKS}/acme/{made['uuid']}")).json()
    assert made.keys() - shown.keys() == {"username", "password"}
    assert (await mine.get(f"{WEBHOOKS}/acme/all")).json() == {"webhooks": [shown]}
    login = (made["username"], made["password"])
    assert (await callers.nobody.post(made["path"], json={}, auth=login)).status_code == 200
    assert (await callers.nobody.post(made["path"], json={}, auth=("a", "b"))).status_code == 401
    large = {"text": "a" * 200 * 1024}
    assert (await callers.nobody.post(made["path"], json=large, auth=login)).status_code == 413
    assert (await mine.delete(f"{WEBHOOKS}/acme/{made['uuid']}")).status_code == 204
    assert (await callers.nobody.post(made["path"], json={}, auth=login)).status_code == 404


async def test_what_is_no_json_is_refused(callers: Callers) -> None:
    answer = await callers.api_token.post(f"{BASE}/registry/acme", content=b"{")

    assert detail(answer) == (400, "invalid JSON")
