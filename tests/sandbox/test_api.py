"""`sandbox/zendesk/push.py`, `proxy.py` and `attachments.py`: what a service calls at Zendesk."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sandbox import wire
from sandbox.zendesk import Account, Comment, Fault, InProcess, Zendesk
from scripted_integration import ScriptedIntegration, resource
from starlette.responses import JSONResponse, Response

BASE = "https://acme.zendesk.com/api/v2/any_channel"


class Service:
    """Calls as a push service does, with the token of its last handshake."""

    def __init__(self, http: httpx2.AsyncClient, opened: dict[str, str]) -> None:
        self.http = http
        self.push_id = opened["instance_push_id"]
        self.token = opened["zendesk_access_token"]

    async def call(self, path: str, **document: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self.token}"}
        return await self.http.post(
            f"{BASE}/{path}", json={"instance_push_id": self.push_id} | document, headers=headers
        )

    async def push(self, *resources: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
        """Push, and give code and description of each result."""
        answer = await self.call("push", external_resources=list(resources), **more)
        assert answer.status_code == 200, answer.text
        wire.check("push-response", answer.json())
        ids = [result["external_resource_id"] for result in answer.json()["results"]]
        assert ids == [resource["external_id"] for resource in resources]
        return [result["status"] for result in answer.json()["results"]]


@pytest.fixture
def integration() -> ScriptedIntegration:
    integration = ScriptedIntegration()
    integration.manifest["push_client_id"] = "zdg-scripted"
    return integration


@pytest.fixture
async def service(
    integration: ScriptedIntegration, zendesk: Zendesk, account: Account
) -> AsyncIterator[Service]:
    async with httpx2.AsyncClient(transport=InProcess(zendesk)) as http:
        yield Service(http, integration.opened[-1])


OK = {"code": "success"}


@pytest.mark.parametrize("suffix", ["", ".json"])
async def test_every_call_has_two_spellings(zendesk: Zendesk, service: Service, suffix: str) -> None:
    """ZEN-47, ZEN-52: 200 each; `null` for validate_token, nothing for report_error."""
    pushed = await service.call(f"push{suffix}", external_resources=[resource("post-1")])
    assert (pushed.status_code, pushed.json()["results"][0]["status"]) == (200, OK)
    valid = await service.call(f"validate_token{suffix}", request_id="r")
    assert (valid.status_code, valid.content) == (200, b"null")
    reply = await zendesk.reply(zendesk.tickets[0], "Hello")
    reported = await service.call(f"channelback/report_error{suffix}", external_id=reply.external_id)
    assert (reported.status_code, reported.content) == (200, b"")


async def test_json_that_nobody_can_mean_is_refused(service: Service) -> None:
    headers = {"authorization": f"Bearer {service.token}", "content-type": "application/json"}
    answer = await service.http.post(f"{BASE}/push", content=b"[" * 100_000, headers=headers)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("path", ["push", "validate_token", "channelback/report_error"])
@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic {token}", "Bearer {other}"])
async def test_only_the_instances_own_token_is_taken(
    zendesk: Zendesk, service: Service, path: str, authorization: str
) -> None:
    """ZEN-48."""
    other = zendesk.tokens.mint("another")
    headers = {"authorization": authorization.format(token=service.token, other=other)}
    documents: dict[str, dict[str, Any]] = {
        "push": {"external_resources": []},
        "validate_token": {},
        "channelback/report_error": {"external_id": "x"},
    }
    answer = await service.http.post(
        f"{BASE}/{path}", json=documents[path] | {"instance_push_id": service.push_id}, headers=headers
    )
    assert answer.status_code == 401
    wire.check("error-response", answer.json())


async def test_the_status_for_a_wrong_token_is_a_setting(zendesk: Zendesk, service: Service) -> None:
    """ZEN-48."""
    zendesk.settings.unknown_token_status = 403
    service.token = "wrong"
    assert (await service.call("validate_token")).status_code == 403


async def test_a_token_is_good_before_the_account_is_there(
    integration: ScriptedIntegration, zendesk: Zendesk, service: Service
) -> None:
    """ZEN-48: a service checks it while the admin's form is open; pushing needs the account."""
    opened = zendesk.admin.open().fields
    new = Service(service.http, opened)
    assert (await new.call("validate_token")).status_code == 200
    assert (await new.call("push", external_resources=[])).status_code == 404


async def test_a_token_expires(zendesk: Zendesk, service: Service) -> None:
    """ZEN-48."""
    zendesk.settings.token_lifetime = 1800
    await zendesk.advance(1799)
    assert (await service.call("validate_token")).status_code == 200
    await zendesk.advance(1)
    assert (await service.call("validate_token")).status_code == 401


@pytest.mark.parametrize("why", ["expired", "rotated", "form not saved"])
async def test_nobody_is_blamed_for_the_newest_token_that_was_given(
    zendesk: Zendesk, service: Service, account: Account, why: str
) -> None:
    """SVC-23: another one has to be known to its service before it can take a place."""
    if why == "expired":
        zendesk.settings.token_lifetime = 1800
        await zendesk.advance(1800)
    elif why == "rotated":
        zendesk.tokens.rotate(account)
    else:
        zendesk.admin.open(account)
    assert (await service.call("validate_token")).status_code == 401
    assert zendesk.log.of("validate_token")[-1].remarks == []
    await zendesk.edit_account(account)
    assert (await service.call("validate_token")).status_code == 401
    assert zendesk.log.of("validate_token")[-1].rules == {"SVC-23"}


async def test_a_token_is_rotated_and_revoked(zendesk: Zendesk, service: Service, account: Account) -> None:
    """ZEN-48: and goes with its account."""
    old, service.token = service.token, zendesk.tokens.rotate(account)
    assert (await service.call("validate_token")).status_code == 200
    new, service.token = service.token, old
    assert (await service.call("validate_token")).status_code == 401
    service.token = new
    await zendesk.remove_account(account)
    assert (await service.call("validate_token")).status_code == 401


async def test_too_many_requests_have_to_wait(zendesk: Zendesk, service: Service) -> None:
    """ZEN-48."""
    zendesk.settings.requests_per_minute = 2
    statuses = [(await service.call("validate_token")).status_code for _ in range(2)]
    limited = await service.call("validate_token")
    assert [*statuses, limited.status_code] == [200, 200, 429]
    await zendesk.advance(int(limited.headers["retry-after"]))
    assert (await service.call("validate_token")).status_code == 200


@pytest.mark.parametrize(("status", "taken"), [(403, False), (None, True)])
async def test_whether_an_inactive_account_takes_pushes_is_a_setting(
    zendesk: Zendesk, service: Service, account: Account, status: int | None, taken: bool
) -> None:
    zendesk.settings.inactive_account_status = status
    await zendesk.deactivate(account)
    answer = await service.call("push", external_resources=[resource("post-1")])
    assert (answer.status_code == 200) == taken == (len(zendesk.tickets) == 1)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"external_resources": None},
        {"external_resources": [{"external_id": "a"}]},
        {"external_resources": [resource("ü")]},
        {"external_resources": [], "request_id": "r" * 65},
        {"external_resources": [resource(str(number)) for number in range(257)]},
    ],
)
async def test_an_invalid_body_is_refused(
    zendesk: Zendesk, service: Service, document: dict[str, Any]
) -> None:
    """ZEN-49: with `error` and `description`, and nothing is imported."""
    answer = await service.call("push", **document)
    assert answer.status_code == 422
    wire.check("error-response", answer.json())
    assert {"error", "description"} == answer.json().keys()
    assert zendesk.tickets == []
    assert zendesk.log.of("push")[0].rules


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("validate_token", {"request_id": "r" * 65}),
        ("channelback/report_error", {}),
        ("channelback/report_error", {"external_id": " a"}),
        ("channelback/report_error", {"external_id": "reply-1", "description": "d" * 512}),
    ],
)
async def test_every_calls_body_is_held_to_its_schema(
    zendesk: Zendesk, service: Service, path: str, document: dict[str, Any]
) -> None:
    """ZEN-49."""
    comment = await replied(zendesk, service)
    answer = await service.call(path, **document)
    assert (answer.status_code, answer.json().keys()) == (422, {"error", "description"})
    assert comment.error is None


async def test_a_body_that_is_no_json_is_refused(service: Service) -> None:
    """ZEN-49."""
    headers = {"authorization": f"Bearer {service.token}", "content-type": "application/json"}
    assert (await service.http.post(f"{BASE}/push", content=b"{", headers=headers)).status_code == 422
    headers["content-type"] = "application/x-www-form-urlencoded"
    assert (await service.http.post(f"{BASE}/push", content=b"{}", headers=headers)).status_code == 415


async def test_an_unknown_parent_is_named(service: Service) -> None:
    """ZEN-33, ZEN-50: and holds nobody up, by default."""
    results = await service.push(resource("a", parent_id="unknown"), resource("b"))
    assert results == [
        {"code": "could_not_locate_parent_external_resource", "description": "unknown"},
        OK,
    ]


async def test_an_unknown_parent_may_halt_the_rest(zendesk: Zendesk, service: Service) -> None:
    """ZEN-50: a switch."""
    zendesk.settings.unknown_parent_halts_push = True
    results = await service.push(resource("a"), resource("b", parent_id="unknown"), resource("c"))
    codes = ["success", "could_not_locate_parent_external_resource", "halted"]
    assert [result["code"] for result in results] == codes


async def test_a_failure_halts_the_rest(zendesk: Zendesk, service: Service) -> None:
    """ZEN-28, ZEN-50."""
    wrong = resource("b", parent_id="a", thread_id="a")
    results = await service.push(resource("a"), wrong, resource("c"))
    assert [result["code"] for result in results] == ["success", "processing_error", "halted"]
    assert ["description" in result for result in results] == [False, True, True]
    assert len(zendesk.tickets) == 1


async def test_results_can_be_made_to_fail(zendesk: Zendesk, service: Service) -> None:
    """ZEN-50: a partial push."""
    zendesk.faults.push_results["b"] = ["processing_error"]
    posts = [resource("a"), resource("b"), resource("c")]
    first = await service.push(*posts)
    second = await service.push(*posts)
    assert [result["code"] for result in first] == ["success", "processing_error", "halted"]
    assert [result["code"] for result in second] == ["already_imported", "success", "success"]


async def test_what_is_known_is_already_imported(zendesk: Zendesk, service: Service) -> None:
    """ZEN-51: also what a channelback gave."""
    await service.push(resource("a"))
    await zendesk.reply(zendesk.tickets[0], "Hello")
    results = await service.push(resource("a"), resource("reply-1", parent_id="a"))
    assert results == [{"code": "already_imported"}] * 2
    assert len(zendesk.tickets[0].comments) == 2


async def replied(zendesk: Zendesk, service: Service) -> Comment:
    await service.push(resource("a"))
    return await zendesk.reply(zendesk.tickets[0], "Hello")


async def test_a_late_failure_stands_on_the_reply(zendesk: Zendesk, service: Service) -> None:
    """ZEN-53."""
    comment = await replied(zendesk, service)
    await service.call("channelback/report_error", external_id="reply-1", description="The post is gone.")
    assert comment.error == "The post is gone."


@pytest.mark.parametrize("external_id", ["unknown", "a"])
async def test_only_a_reply_can_have_failed(zendesk: Zendesk, service: Service, external_id: str) -> None:
    """ZEN-53."""
    await replied(zendesk, service)
    assert (await service.call("channelback/report_error", external_id=external_id)).status_code == 404


async def test_a_pushs_request_id_comes_back_with_its_event(
    integration: ScriptedIntegration, zendesk: Zendesk, service: Service
) -> None:
    """ZEN-54."""
    await service.push(resource("a"), resource("b", parent_id="a"), request_id="mine-1")
    assert integration.events[-1]["data"]["request_id"] == "mine-1"
    ids = [entry["external_id"] for entry in integration.events[-1]["data"]["resource_events"]]
    assert ids == ["a", "b"]


async def test_an_apps_path_is_as_long_as_it_may_be(
    integration: ScriptedIntegration, zendesk: Zendesk, service: Service
) -> None:
    """ZEN-58: 511 characters; beyond the service's folder it may lead."""
    await service.push(resource("a"))
    path = "/channel/like?" + "x" * 497
    answer = await proxied(service, ticket_id=str(zendesk.tickets[0].id), post_to_path=path)
    assert (len(path), answer.status_code, integration.requests[-1][1]) == (511, 200, path)


async def proxied(service: Service, **query: str) -> httpx2.Response:
    return await service.http.post(f"{BASE}/proxy.json", params=query, content=b'{"like": true}')


@pytest.mark.parametrize("path", ["/channel/like", "like", "https://integration.test/channel/like"])
async def test_an_apps_call_goes_to_the_service(
    integration: ScriptedIntegration, zendesk: Zendesk, service: Service, path: str
) -> None:
    """ZEN-58: as a form, with the metadata of the ticket's account."""
    await service.push(resource("a"))
    answer = await proxied(service, ticket_id=str(zendesk.tickets[0].id), post_to_path=path)
    assert (answer.status_code, answer.json()) == (200, {"liked": True})
    method, at, body, kind = integration.requests[-1]
    assert (method, at) == ("POST", "/channel/like")
    assert body == b"instance_metadata=secret-1&client_data=%7B%22like%22%3A+true%7D"
    assert kind.startswith("application/x-www-form-urlencoded")


async def test_an_apps_call_may_go_as_json(
    integration: ScriptedIntegration, zendesk: Zendesk, service: Service
) -> None:
    """ZEN-58: nothing says which it is."""
    zendesk.settings.proxy_as_json = True
    await service.push(resource("a"))
    await proxied(service, ticket_id=str(zendesk.tickets[0].id), post_to_path="like")
    assert (
        integration.requests[-1][2]
        == b'{"instance_metadata": "secret-1", "client_data": "{\\"like\\": true}"}'
    )


@pytest.mark.parametrize(
    "path",
    [
        "https://other.test/like",
        "http://integration.test/like",
        "//other.test/like",
        "https://integration.test:444/like",
        "/" + "x" * 511,
    ],
)
async def test_an_apps_call_goes_nowhere_else(
    integration: ScriptedIntegration, zendesk: Zendesk, service: Service, path: str
) -> None:
    """ZEN-58."""
    await service.push(resource("a"))
    before = len(integration.requests)
    answer = await proxied(service, ticket_id=str(zendesk.tickets[0].id), post_to_path=path)
    assert (answer.status_code, len(integration.requests)) == (422, before)


@pytest.mark.parametrize("ticket_id", ["", "x", "999"])
async def test_an_apps_call_needs_a_ticket(service: Service, ticket_id: str) -> None:
    """ZEN-58."""
    assert (await proxied(service, ticket_id=ticket_id, post_to_path="like")).status_code == 404


async def test_an_app_gets_only_json(
    integration: ScriptedIntegration, zendesk: Zendesk, service: Service
) -> None:
    """ZEN-58."""
    await service.push(resource("a"))
    query = {"ticket_id": str(zendesk.tickets[0].id), "post_to_path": "like"}
    integration.answers["like"] = lambda: Response("<p>")
    assert (await proxied(service, **query)).status_code == 502
    assert zendesk.log.of("proxied")[0].rules == {"SVC-61"}
    integration.answers["like"] = lambda: JSONResponse({"no": 1}, 409)
    assert (await proxied(service, **query)).status_code == 409
    zendesk.faults.add("proxied", Fault(dropped="before"))
    assert (await proxied(service, **query)).status_code == 504


@pytest.mark.parametrize(("dropped", "imported"), [("before", 0), ("after", 1)])
async def test_an_answer_can_be_lost(zendesk: Zendesk, service: Service, dropped: Any, imported: int) -> None:
    """Before the posts are imported, or after."""
    zendesk.faults.add("push", Fault(dropped=dropped))
    with pytest.raises(httpx2.RemoteProtocolError):
        await service.push(resource("a"))
    assert len(zendesk.tickets) == imported
    assert zendesk.log.of("push")[0].failure


async def test_an_answer_can_be_lost_over_http(zendesk: Zendesk, service: Service) -> None:
    zendesk.faults.add("validate_token", Fault(dropped="after"))
    async with zendesk.serving() as address, httpx2.AsyncClient(trust_env=False) as http:
        url = f"{address}/api/v2/any_channel/validate_token"
        document = {"instance_push_id": service.push_id}
        headers = {"authorization": f"Bearer {service.token}"}
        with pytest.raises(httpx2.RemoteProtocolError):
            await http.post(url, json=document, headers=headers)
        assert (await http.post(url, json=document, headers=headers)).status_code == 200


async def test_another_status_can_be_answered(zendesk: Zendesk, service: Service) -> None:
    zendesk.faults.add("push", Fault(status=429, headers={"retry-after": "7"}))
    answer = await service.call("push", external_resources=[resource("a")])
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    wire.check("error-response", answer.json())
    assert zendesk.tickets == []
