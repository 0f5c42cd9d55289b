"""The push API: push, validate_token and report_error (ZEN-47 to ZEN-54)."""

import secrets
from dataclasses import dataclass
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .calls import JSON, media_type
from .context import Part
from .events import Events
from .front import Door, RefusedError
from .imports import Imports, Resource, Result, resource_events
from .model import Account
from .tokens import Tokens
from .verdicts import Remark, verdict

BASE = "/api/v2/any_channel"


@dataclass
class Push(Part):
    imports: Imports
    events: Events
    tokens: Tokens

    def doors(self) -> list[Door]:
        return [
            (f"{BASE}/push", "push", self._push),
            (f"{BASE}/validate_token", "validate_token", self._validate_token),
            (f"{BASE}/channelback/report_error", "report_error", self._report_error),
        ]

    async def _push(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        document = self._authorised(request, content, "push-request", remarks)
        account = self._account(document["instance_push_id"])
        request_id: str = document.get("request_id") or secrets.token_hex(8)
        results: list[Result] = []
        halted = False
        for resource in document["external_resources"]:
            result = await self._pushed(account, resource, request_id, halted=halted)
            halted = halted or self._halts(result)
            results.append(result)
        for created in resource_events(results, request_id):
            self.events.emit("resources_created_from_external_ids", created)
        entries = [
            {
                "external_resource_id": result.external_id,
                "status": {"code": result.code}
                | ({"description": result.description} if result.description else {}),
            }
            for result in results
        ]
        return JSONResponse({"results": entries}, background=BackgroundTask(self.events.hand_over))

    async def _pushed(self, account: Account, resource: Resource, request_id: str, *, halted: bool) -> Result:
        external_id: str = resource["external_id"]
        if halted:
            return Result(external_id, "halted", "an earlier resource failed")
        scripted = self.faults.result_of(external_id)
        if scripted and scripted != "success":
            return Result(external_id, scripted, "made by the sandbox")
        return await self.imports.take(account, resource, request_id, pushed=True)

    def _halts(self, result: Result) -> bool:
        if result.code == "could_not_locate_parent_external_resource":
            return self.settings.unknown_parent_halts_push
        return result.code not in ("success", "already_imported")

    async def _validate_token(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        self._authorised(request, content, "validate-token-request", remarks)
        return Response(b"null", media_type="application/json")

    async def _report_error(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        document = self._authorised(request, content, "report-error-request", remarks)
        account = self._account(document["instance_push_id"])
        for comment in self.state.comments(account):
            if comment.by_agent and comment.external_id == document["external_id"]:
                comment.error = document.get("description") or "The reply could not be delivered."
                return Response()
        status = self.settings.unknown_reported_id_status
        raise RefusedError(status, "RecordNotFound", "No reply was answered with this external_id.")

    def _authorised(
        self, request: Request, content: bytes, schema: str, remarks: list[Remark]
    ) -> dict[str, Any]:
        """The body of a call whose token belongs to the `instance_push_id` in it."""
        authorization = request.headers.get("authorization", "")
        owner = self.tokens.owner(authorization)
        status = self.settings.unknown_token_status
        if owner is None:
            wrong = "The access token is invalid, has expired or was revoked."
            raise RefusedError(status, "invalid_token", wrong, *self.tokens.remarks(authorization))
        if media_type(request.headers) != JSON:
            remark = Remark("", "the body is not declared as application/json", ("SVC-56",))
            raise RefusedError(415, "UnsupportedMediaType", "Send JSON.", remark)
        found = verdict(schema, content, self.settings)
        remarks += found.remarks
        if found.refusals:
            raise RefusedError(422, "RecordInvalid", str(found.refusals[0]))
        document: dict[str, Any] = found.value
        if document["instance_push_id"] != owner:
            wrong = "The access token belongs to another instance_push_id."
            raise RefusedError(
                status, "invalid_token", wrong, Remark("/instance_push_id", wrong, ("SVC-23",))
            )
        return document

    def _account(self, push_id: str) -> Account:
        account = self.state.account_of_push_id(push_id)
        if account is None:
            raise RefusedError(404, "RecordNotFound", "There is no account with this instance_push_id.")
        if not account.active and self.settings.inactive_account_status:
            status = self.settings.inactive_account_status
            raise RefusedError(status, "Forbidden", "The account is not active.")
        return account
