"""`sandbox/zendesk/integration_services.py`: what happens to tickets starts flows, at their time, and into the log."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.zendesk import FakeClock, Fault, Zendesk
from sandbox.zendesk.state import load
from scripted_integration import MANIFEST_URL, ScriptedIntegration, resource
from starlette.responses import JSONResponse
from starlette.routing import Route
from zis_callers import BASE, TELL, bundle

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2
    from sandbox.zendesk import Account, Ticket
    from starlette.requests import Request
    from zis_callers import Callers


class Service:
    """What the flows tell, behind its door."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.authorizations: list[str | None] = []
        self.answers: list[tuple[int, dict[str, str]]] = []

    async def answer(self, request: Request) -> JSONResponse:
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        if status == 200:
            self.told.append(json.loads(await request.body()))
            self.authorizations.append(request.headers.get("authorization"))
        return JSONResponse({}, status, headers)


@pytest.fixture
def service(integration: ScriptedIntegration, zendesk: Zendesk) -> Service:
    service = Service()
    integration.app.router.routes.insert(0, Route("/zis", service.answer, methods=["POST"]))
    return service


@pytest.fixture
async def ticket(integration: ScriptedIntegration, zendesk: Zendesk, account: Account) -> Ticket:
    integration.posts = [resource("a")]
    await zendesk.pull(account)
    integration.posts = []
    await zendesk.zis.settle()
    return zendesk.tickets[0]


@pytest.fixture
async def mine(callers: Callers) -> httpx2.AsyncClient:
    """The integration's own client, with a connection to the service."""
    client = await callers.of_integration("acme")
    connection = {"name": "site", "token": "not-a-secret", "allowed_domain": "integration.test"}
    await client.post(f"{BASE}/integrations/acme/connections/bearer_token", json=connection)
    return client


def log(zendesk: Zendesk) -> list[tuple[str, str]]:
    return [(run.status, run.description) for run in zendesk.state.zis.runs]


async def solve(zendesk: Zendesk, ticket: Ticket) -> None:
    zendesk.set_status(ticket, "solved")
    await zendesk.zis.settle()


TICKET = {
    *("id", "created_at", "updated_at", "type", "priority", "status", "requester_id", "submitter_id"),
    *("assignee_id", "organization_id", "group_id", "brand_id", "form_id", "external_id", "tags", "via"),
}


async def test_a_solved_ticket_reaches_the_service(
    zendesk: Zendesk, callers: Callers, mine: Any, service: Service, ticket: Ticket
) -> None:
    document = bundle(
        tell={key: value for key, value in TELL.items() if key != "requestBody"}
        | {"requestBody.$": "$.input.ticket_event"}
    )
    await callers.install("acme", document)

    await solve(zendesk, ticket)

    (event,) = service.told
    assert service.authorizations == ["Bearer not-a-secret"]
    assert (event["type"], event["previous"], event["current"]) == ("Status Changed", "new", "solved")
    assert event["ticket"].keys() == TICKET
    assert event["ticket"]["id"] == ticket.id
    assert event["ticket"]["status"] == "solved"
    assert event["ticket"]["via"] == {"channel": "any_channel"}
    assert set(event["meta"]) == {"version", "occurred_at", "ref", "sequence"}
    assert event["meta"]["sequence"].keys() == {"id", "position", "total"}
    assert log(zendesk) == [("info", "Execution Successful")]
    assert zendesk.state.zis.runs[0].states == ["Tell"]


async def test_an_agent_solves_it_in_the_workspace(
    zendesk: Zendesk, callers: Callers, mine: Any, service: Service, ticket: Ticket, pages: httpx2.AsyncClient
) -> None:
    await callers.install("acme", bundle())

    await pages.post(f"/agent/tickets/{ticket.id}/status", data={"status": "solved"})
    await zendesk.advance(1)

    assert service.told == [{"ticket": str(ticket.id)}]


async def test_new_tickets_and_comments_are_told_of(
    zendesk: Zendesk,
    callers: Callers,
    mine: Any,
    service: Service,
    integration: ScriptedIntegration,
    account: Account,
) -> None:
    document = bundle(created="ticket.TicketCreated", commented="ticket.CommentAdded")
    document["resources"]["tell"]["properties"]["definition"]["requestBody"] = {
        "type": "{{$.input.ticket_event.type}}"
    }
    await callers.install("acme", document, "created", "commented")
    integration.posts = [resource("a")]

    await zendesk.pull(account)
    await zendesk.zis.settle()
    assert service.told == [{"type": "Ticket Created"}]

    zendesk.note(zendesk.tickets[0], "Look at this")
    await zendesk.zis.settle()
    assert service.told[1:] == [{"type": "Comment Added"}]


async def test_what_apps_change_on_a_ticket_is_told_of(
    zendesk: Zendesk, callers: Callers, mine: Any, service: Service, ticket: Ticket
) -> None:
    types = ("SubjectChanged", "TagsChanged", "CustomFieldChanged", "StatusChanged")
    tell = {key: value for key, value in TELL.items() if key != "requestBody"}
    document = bundle(
        tell=tell | {"requestBody.$": "$.input.ticket_event"},
        **{type_.lower(): f"ticket.{type_}" for type_ in types},
    )
    await callers.install("acme", document, *map(str.lower, types))

    ticket.subject = "Good soup"
    ticket.fields |= {"tags": ["warm"], "24100": "bulk"}
    zendesk.set_status(ticket, "open")
    await zendesk.zis.settle()

    told = {event.pop("type"): event for event in service.told}
    assert told.keys() == {"Subject Changed", "Tags Changed", "Custom Field Changed", "Status Changed"}
    assert told["Subject Changed"]["current"] == "Good soup"
    assert (told["Tags Changed"]["tags_added"], told["Tags Changed"]["tags_removed"]) == (["warm"], [])
    changed = told["Custom Field Changed"]
    assert (changed["custom_field"], changed["previous"], changed["current"]) == (
        {"id": "24100"},
        None,
        "bulk",
    )
    assert sorted(event["meta"]["sequence"]["position"] for event in told.values()) == [1, 2, 3, 4]
    assert {event["meta"]["sequence"]["total"] for event in told.values()} == {4}
    await zendesk.zis.settle()
    assert len(service.told) == 4


async def test_a_flow_knows_its_account_and_its_integration(
    zendesk: Zendesk, callers: Callers, mine: Any, service: Service, ticket: Ticket
) -> None:
    document = bundle()
    document["resources"]["flow"]["properties"]["definition"] = {
        "StartAt": "Say",
        "States": {
            "Say": {
                "Type": "Succeed",
                "Message": "{{$.account_id}} {{$.integration_key}} {{$.subdomain}}.{{$.zendeskHost}}",
            }
        },
    }
    await callers.install("acme", document)

    await solve(zendesk, ticket)

    assert log(zendesk) == [("info", "1 acme acme.zendesk.com")]


async def test_events_may_come_out_of_order(
    zendesk: Zendesk, callers: Callers, mine: Any, service: Service, ticket: Ticket
) -> None:
    document = bundle(solved="ticket.StatusChanged", commented="ticket.CommentAdded")
    document["resources"]["tell"]["properties"]["definition"]["requestBody"] = {
        "type": "{{$.input.ticket_event.type}}"
    }
    await callers.install("acme", document, "solved", "commented")
    zendesk.faults.reorder_events = True
    zendesk.note(ticket, "Look at this")

    await solve(zendesk, ticket)

    assert service.told == [{"type": "Comment Added"}, {"type": "Status Changed"}]


async def solved_again(zendesk: Zendesk, ticket: Ticket) -> None:
    zendesk.set_status(ticket, "open")
    await zendesk.zis.settle()
    await solve(zendesk, ticket)


async def test_the_log_is_kept_for_a_week(
    zendesk: Zendesk, callers: Callers, mine: Any, service: Service, ticket: Ticket
) -> None:
    await callers.install("acme", bundle())
    await solve(zendesk, ticket)
    await solved_again(zendesk, ticket)
    first, second, *_ = zendesk.state.zis.runs
    first.started_at -= timedelta(days=7)
    second.started_at -= timedelta(days=6)
    await solved_again(zendesk, ticket)

    assert first not in zendesk.state.zis.runs
    assert second in zendesk.state.zis.runs


async def test_uninstalling_stops_it_and_an_upload_detaches(
    zendesk: Zendesk, callers: Callers, mine: httpx2.AsyncClient, service: Service, ticket: Ticket
) -> None:
    await callers.install("acme", bundle())
    await callers.api_token.post(f"{BASE}/registry/acme/bundles", json=bundle())
    await solve(zendesk, ticket)
    assert service.told == []

    await callers.install("acme", bundle())
    zendesk.set_status(ticket, "open")
    await zendesk.zis.settle()
    assert len(service.told) == 1

    specs = {"job_spec_name": "zis:acme:job_spec:solved"}
    await mine.delete(f"{BASE}/registry/job_specs/install", params=specs)
    await solve(zendesk, ticket)
    assert len(service.told) == 1


async def test_a_removed_job_spec_goes_on_taking_events(
    zendesk: Zendesk, callers: Callers, mine: Any, service: Service, ticket: Ticket
) -> None:
    await callers.install("acme", bundle())
    await callers.api_token.post(f"{BASE}/registry/acme/bundles", json=bundle(other="ticket.TicketCreated"))

    await solve(zendesk, ticket)

    assert len(service.told) == 1


async def test_a_flow_that_is_gone_or_lacks_its_connection_is_an_entry_of_the_log(
    zendesk: Zendesk, callers: Callers, service: Service, ticket: Ticket
) -> None:
    await callers.of_integration("acme")
    await callers.install("acme", bundle())
    await solve(zendesk, ticket)

    gone = bundle()
    del gone["resources"]["flow"]
    await callers.install("acme", gone)
    zendesk.set_status(ticket, "open")
    await zendesk.zis.settle()

    odd = bundle()
    odd["resources"]["flow"]["properties"]["definition"] = {"States": 7}
    await callers.install("acme", odd)
    await solve(zendesk, ticket)

    assert service.told == []
    assert [status for status, _ in log(zendesk)] == ["error"] * 3
    descriptions = [description for _, description in log(zendesk)]
    assert descriptions[0] == "Cannot start flow because the connection named 'site' does not exist"
    assert descriptions[1] == "The flow zis:acme:flow:flow does not exist"
    assert descriptions[2].startswith("The flow is not well-formed: ")


async def test_what_cannot_be_sent_is_an_entry_of_the_log(
    zendesk: Zendesk, callers: Callers, mine: Any, service: Service, ticket: Ticket
) -> None:
    tell = TELL | {"headers": [{"key": "X-Name", "value": "Café 日本"}]}
    await callers.install("acme", bundle(tell=tell))

    await solve(zendesk, ticket)

    ((status, description),) = log(zendesk)
    assert status == "error"
    assert description.startswith("The flow is not well-formed: UnicodeEncodeError")


# --- Again --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "waits"),
    [
        ((500, {}), [30, 60, 60]),
        ((429, {}), [30, 60, 60]),
        ((429, {"retry-after": "7"}), [7, 7, 7]),
        ((429, {"retry-after": "7000"}), [120, 120, 120]),
        ((409, {}), []),
        ((400, {}), []),
    ],
    ids=str,
)
async def test_only_429_and_5xx_run_the_flow_again(
    zendesk: Zendesk,
    callers: Callers,
    mine: Any,
    service: Service,
    ticket: Ticket,
    answer: tuple[int, dict[str, str]],
    waits: list[int],
) -> None:
    await callers.install("acme", bundle())
    service.answers = [answer] * 4

    await solve(zendesk, ticket)
    await zendesk.advance(1000)

    runs = zendesk.state.zis.runs
    starts = [run.started_at for run in runs]
    gaps = [(after - before).total_seconds() for before, after in pairwise(starts)]
    assert gaps == waits
    assert service.told == []
    assert [
        f"(runs again in {wait} s)" in run.description for wait, run in zip(waits, runs, strict=False)
    ] == [True for _ in waits]
    assert runs[-1].description.endswith(f"external action failed due to status code: {answer[0]}")


async def test_a_service_that_was_away_gets_the_event_again(
    zendesk: Zendesk, callers: Callers, mine: Any, service: Service, ticket: Ticket
) -> None:
    await callers.install("acme", bundle())
    zendesk.faults.add("zis_action", Fault(dropped="before"))

    await solve(zendesk, ticket)
    assert service.told == []
    await zendesk.advance(30)

    assert len(service.told) == 1


async def test_a_fail_state_is_final(
    zendesk: Zendesk, callers: Callers, mine: Any, service: Service, ticket: Ticket
) -> None:
    document = bundle()
    states = document["resources"]["flow"]["properties"]["definition"]["States"]
    states["Tell"] |= {"Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "Failed"}]}
    states["Failed"] = {"Type": "Fail", "Error": "Untold", "Cause": "{{$.e.Cause}}"}
    await callers.install("acme", document)
    service.answers = [(500, {})]

    await solve(zendesk, ticket)
    await zendesk.advance(300)

    assert log(zendesk) == [("error", "Untold: external action failed due to status code: 500")]


async def test_events_may_come_twice(
    zendesk: Zendesk, callers: Callers, mine: Any, service: Service, ticket: Ticket
) -> None:
    await callers.install("acme", bundle())
    zendesk.faults.duplicate_events = True

    await solve(zendesk, ticket)

    assert service.told == [{"ticket": str(ticket.id)}] * 2


async def test_an_inbound_webhook_starts_a_flow(
    zendesk: Zendesk, callers: Callers, mine: httpx2.AsyncClient, service: Service
) -> None:
    document = bundle(ordered="order", tell=TELL | {"requestBody": {"order": "{{$.input.number}}"}})
    document["resources"]["ordered"]["properties"]["event_source"] = "shop"
    await callers.install("acme", document, "ordered")
    asked = {"source_system": "shop", "event_type": "order"}
    webhook = (await mine.post(f"{BASE}/inbound_webhooks/generic/acme", json=asked)).json()

    login = (webhook["username"], webhook["password"])
    await callers.nobody.post(webhook["path"], json={"number": 5}, auth=login)
    await zendesk.zis.settle()

    assert service.told == [{"order": "5"}]


async def test_a_request_to_zendesk_itself_needs_credentials(
    zendesk: Zendesk, callers: Callers, service: Service, ticket: Ticket
) -> None:
    await callers.of_integration("acme")
    tell = {"method": "GET", "path": f"{BASE}/registry/acme/bundles"}
    await callers.install("acme", bundle(tell=tell))

    await solve(zendesk, ticket)

    assert log(zendesk) == [("error", "States.Runtime: external action failed due to status code: 401")]


# --- What is kept and shown ---------------------------------------------------------------------------


async def test_the_page_shows_the_log_and_credentials_once(
    zendesk: Zendesk, callers: Callers, mine: Any, service: Service, ticket: Ticket, pages: httpx2.AsyncClient
) -> None:
    await callers.install("acme", bundle())
    await solve(zendesk, ticket)
    zis = zendesk.state.zis

    page = await pages.get("/admin/zis")
    assert "Execution Successful" in page.text
    assert "solved (installed, ticket.StatusChanged)" in page.text
    assert zis.api_token not in page.text
    assert zis.session in page.headers["set-cookie"]

    renewed = await pages.post("/admin/zis/credentials")
    assert zis.api_token in renewed.text
    assert zis.admin_client
    assert zis.admin_client.secret in renewed.text
    assert zis.api_token not in (await pages.get("/admin/zis")).text
    assert (await callers.oauth.get(f"{BASE}/registry/integrations")).status_code == 401
    har = (await pages.get("/exchanges.har")).text
    assert "not-a-secret" not in har


PAGES = (
    "/",
    "/admin",
    "/admin/users",
    "/admin/zis",
    "/agent",
    "/exchanges",
    "/exchanges.har",
    "/faults",
    "/settings",
)


async def test_no_secret_is_in_any_log_or_page_though_a_service_repeats_what_it_gets(
    zendesk: Zendesk,
    callers: Callers,
    mine: Any,
    integration: ScriptedIntegration,
    ticket: Ticket,
    pages: Any,
) -> None:
    async def repeat(request: Request) -> JSONResponse:
        return JSONResponse({"got": dict(request.headers), "access_token": "canary-of-a-token"})

    integration.app.router.routes.insert(0, Route("/zis", repeat, methods=["POST"]))
    kept = f"{BASE}/integrations/acme/connections"
    for kind, credentials in (
        ("basic_auth", {"username": "ada", "password": "canary-of-a-password"}),
        ("api_key", {"api_key": "canary-of-a-key", "header_name": "X-Key"}),
    ):
        asked = {"name": kind, "allowed_domain": "integration.test", **credentials}
        assert (await mine.post(f"{kept}/{kind}", json=asked)).status_code == 201
    webhook = {"source_system": "shop", "event_type": "order"}
    made = (await mine.post(f"{BASE}/inbound_webhooks/generic/acme", json=webhook)).json()
    await callers.nobody.post(made["path"], json={}, auth=(made["username"], made["password"]))
    await connected_by_oauth(callers, mine)
    for name in ("site", "basic_auth", "api_key", "other"):
        tell = TELL | {"connectionName": name}
        document = bundle(tell=tell)
        states = document["resources"]["flow"]["properties"]["definition"]["States"]
        states["Tell"] = states["Tell"] | {"End": False, "Next": "Say", "ResultPath": "$.answer"}
        states["Say"] = {"Type": "Succeed", "Message": "The service had {{$.answer.got}}"}
        await callers.install("acme", document)
        await solved_again(zendesk, ticket)

    secrets = {*zendesk.state.zis.secrets(), "canary"} - {zendesk.state.zis.session}
    assert len(secrets) > 10
    assert len(log(zendesk)) > 4
    seen = [(await pages.get(path)).text for path in (*PAGES, f"/agent/tickets/{ticket.id}")]
    seen += [(await pages.get(f"/exchanges/{each.number}")).text for each in zendesk.log.entries]
    assert [secret for secret in secrets if any(secret in text for text in seen)] == []
    assert "The service had" in seen[PAGES.index("/admin/zis")]


async def connected_by_oauth(callers: Callers, mine: httpx2.AsyncClient) -> None:
    oauth, url = f"{BASE}/connections/oauth", "https://integration.test/zis"
    client = {"name": "other", "grant_type": "authorization_code", "client_id": "me", "token_url": url}
    client |= {"client_secret": "canary-of-a-client", "auth_url": url}
    await mine.post(f"{oauth}/clients/acme", json=client)
    asked = {"name": "other", "oauth_client_name": "other", "origin_oauth_redirect_url": url}
    state = (await mine.post(f"{oauth}/start/acme", json=asked)).json()["flow_token"]
    back = await callers.nobody.get(f"{oauth}/callback", params={"code": "canary-of-a-code", "state": state})
    code = back.headers["location"].partition("verification_code=")[2]
    await mine.get(f"{oauth}/access_codes/acme", params={"verification_code": code})


async def test_a_session_is_resumed_with_what_is_registered(
    integration: ScriptedIntegration, tmp_path: Path, zendesk: Zendesk, callers: Callers, mine: Any
) -> None:
    await callers.install("acme", bundle())
    file = tmp_path / "session.json"
    async with Zendesk(MANIFEST_URL, integration.app, clock=FakeClock(), file=file) as first:
        vars(first.state.zis).update(vars(zendesk.state.zis))

    (resumed,) = load(file).zis.integrations

    assert resumed == zendesk.state.zis.integrations[0]
    assert resumed.job_specs[0].installed
