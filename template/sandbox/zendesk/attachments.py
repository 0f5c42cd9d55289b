"""Agents' files, which the service fetches with its push token (ZEN-45)."""

import secrets
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from .context import Part
from .front import Door, RefusedError
from .model import File
from .tokens import Tokens
from .verdicts import Remark

SIGN_IN = "/access/unauthenticated"


@dataclass
class Attachments(Part):
    tokens: Tokens

    def doors(self) -> list[Door]:
        return [
            ("/attachments/token/{token}/", "attachment", self._attachment),
            (SIGN_IN, "attachment", self._sign_in),
        ]

    async def _attachment(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        token: str = request.path_params["token"]
        files = (file for comment in self.state.comments() for file in comment.files)
        for file in files:
            if secrets.compare_digest(file.token.encode(), token.encode()):
                if not self._may_read(request, file):
                    if self.settings.attachments_lead_to_sign_in:
                        return RedirectResponse(
                            f"{SIGN_IN}?{urlencode({'return_to': str(request.url)})}", 302
                        )
                    raise RefusedError(401, "invalid_token", "Send the push token of the account (SVC-52).")
                headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"}
                return Response(file.content, 200, headers, file.content_type)
        raise RefusedError(404, "RecordNotFound", "There is no such file.")

    async def _sign_in(self, request: Request, content: bytes, remarks: list[Remark]) -> Response:
        wrong = "a redirect to the page where agents sign in was followed: the file was asked for without its token"
        remarks.append(Remark("", wrong, ("SVC-52",), refused=False))
        return HTMLResponse("<!doctype html><title>Sign in</title><h1>Sign in to Zendesk</h1>")

    def _may_read(self, request: Request, file: File) -> bool:
        if not (self.settings.attachments_need_token and self._has_token(file)):
            return True
        owner = self.tokens.owner(request.headers.get("authorization", ""))
        account = self.state.account_of_push_id(owner) if owner else None
        return account is not None and account.id == file.account_id

    def _has_token(self, file: File) -> bool:
        """Tell whether anybody could send one: an integration that does not push is given none."""
        manifest = self.state.manifest
        is_there = any(account.id == file.account_id for account in self.state.accounts)
        return not is_there or manifest is None or bool(manifest.push_client_id)
