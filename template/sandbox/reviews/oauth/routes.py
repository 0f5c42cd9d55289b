"""Where people let a service in, where that gets its tokens, and the page with the switches."""

import base64
import binascii
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from ..pages import Pages
from ..review_site import ReviewSite
from ..transfer import read_body
from .provider import Provider, RefusedError, Request

BODY_LIMIT = 64 * 1024
ASKED = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)


class OAuthRoutes:
    def __init__(self, provider: Provider, site: ReviewSite, pages: Pages) -> None:
        self._provider = provider
        self._site = site
        self._pages = pages
        self.routes = (
            Route("/oauth", self.read_switches),
            Route("/oauth", self.switch, methods=["POST"]),
            Route("/oauth/authorize", self.ask),
            Route("/oauth/authorize", self.answer, methods=["POST"]),
            Route("/oauth/token", self.give, methods=["POST"]),
            Route("/oauth/revoke", self.revoke, methods=["POST"]),
            Route("/api/me", self.read_me),
        )

    async def ask(self, request: HttpRequest) -> Response:
        """Ask somebody which business lets the service in."""
        asked = self._asked(request.query_params)
        fields = {name: request.query_params.get(name, "") for name in ASKED}
        # A browser holds the redirect after a form to `form-action`, too.
        parts = urlsplit(asked.redirect_uri)
        policy = (
            "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; "
            f"form-action 'self' {parts.scheme}://{parts.netloc}"
        )
        return self._pages.respond(
            "authorize.html",
            {"fields": fields, "host": parts.netloc},
            headers={"Content-Security-Policy": policy, "X-Frame-Options": "DENY"},
        )

    async def answer(self, request: HttpRequest) -> Response:
        form = await _form(request)
        asked = self._asked(form)
        business = self._site.business(form.get("business", ""))
        given = {"code": self._provider.allow(business.id, asked)} if business else {"error": "access_denied"}
        query = urlencode(given | {"state": asked.state})
        joint = "&" if urlsplit(asked.redirect_uri).query else "?"
        return RedirectResponse(f"{asked.redirect_uri}{joint}{query}", status_code=303)

    async def give(self, request: HttpRequest) -> Response:
        """Give tokens for a code or a refresh token (RFC 6749, sections 4.1.3 and 6)."""
        form = await _form(request)
        try:
            self._authenticate(request, form)
            if form.get("grant_type") == "authorization_code":
                verifier = form.get("code_verifier", "")
                grant = self._provider.exchange(form.get("code", ""), form.get("redirect_uri", ""), verifier)
            elif form.get("grant_type") == "refresh_token":
                grant = self._provider.refresh(form.get("refresh_token", ""))
            else:
                raise RefusedError("unsupported_grant_type", "Send a code or a refresh token.")
        except RefusedError as refused:
            return _refused(refused)
        return JSONResponse(
            {
                "access_token": grant.access_token,
                "token_type": "Bearer",
                "expires_in": self._provider.switches.lifetime,
                "refresh_token": grant.refresh_token,
                "scope": grant.scope,
            },
            headers={"Cache-Control": "no-store"},
        )

    async def revoke(self, request: HttpRequest) -> Response:
        """End a grant; a token that is unknown is over already (RFC 7009)."""
        form = await _form(request)
        try:
            self._authenticate(request, form)
        except RefusedError as refused:
            return _refused(refused)
        self._provider.revoke_token(form.get("token", ""))
        return Response(status_code=200)

    async def read_me(self, request: HttpRequest) -> Response:
        """Tell which business a token is from."""
        token = request.headers.get("authorization", "").partition(" ")[2].strip()
        business = self._site.business(self._provider.business_of(token) or "")
        if business is None:
            raise HTTPException(
                401, "Send an access token as a bearer token.", {"WWW-Authenticate": "Bearer"}
            )
        return JSONResponse({"id": business.id, "name": business.name})

    async def read_switches(self, request: HttpRequest) -> Response:
        grants = [(grant, self._site.business(grant.business_id)) for grant in self._provider.grants.values()]
        return self._pages.respond("oauth.html", {"switches": self._provider.switches, "grants": grants})

    async def switch(self, request: HttpRequest) -> Response:
        """Set the switches, or end a token or a whole grant."""
        form = await _form(request)
        switches = self._provider.switches
        if form.get("expire") in self._provider.grants:
            self._provider.expire(form["expire"])
        elif "revoke" in form:
            self._provider.revoke(form["revoke"])
        else:
            switches.lifetime = _seconds(form.get("lifetime", ""), switches.lifetime)
            switches.grace = _seconds(form.get("grace", ""), switches.grace)
            switches.rotate = "rotate" in form
            switches.refuse_refresh = "refuse_refresh" in form
        return RedirectResponse("/oauth", status_code=303)

    def _asked(self, fields: Mapping[str, str]) -> Request:
        """Read what is asked of a person; whatever is wrong is said here, as nobody knows where else to go."""
        redirect_uri = fields.get("redirect_uri", "")
        if fields.get("client_id") != self._provider.client.id:
            raise HTTPException(400, "No service is registered here under this client_id.")
        if urlsplit(redirect_uri).scheme not in ("http", "https") or not urlsplit(redirect_uri).netloc:
            raise HTTPException(400, "The redirect_uri is no address.")
        if fields.get("response_type") != "code":
            raise HTTPException(400, "The response_type must be code.")
        if fields.get("code_challenge_method") != "S256" or not fields.get("code_challenge"):
            raise HTTPException(400, "Send a code_challenge, and S256 as its method: PKCE is required here.")
        return Request(
            redirect_uri, fields["code_challenge"], fields.get("scope", ""), fields.get("state", "")
        )

    def _authenticate(self, request: HttpRequest, form: Mapping[str, str]) -> None:
        name, secret = _basic(request.headers.get("authorization", ""))
        client = self._provider.client
        given = (name or form.get("client_id", ""), secret or form.get("client_secret", ""))
        if not all(map(secrets.compare_digest, _bytes(given), _bytes((client.id, client.secret)))):
            raise RefusedError("invalid_client", "The client's id or secret is wrong.")


def _bytes(texts: tuple[str, str]) -> tuple[bytes, bytes]:
    return texts[0].encode(), texts[1].encode()


def _basic(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(name), unquote_plus(secret)


def _refused(refused: RefusedError) -> Response:
    body = {"error": refused.error, "error_description": refused.description}
    return JSONResponse(
        body, 401 if refused.error == "invalid_client" else 400, {"Cache-Control": "no-store"}
    )


def _seconds(text: str, otherwise: int) -> int:
    return int(text) if text.isdecimal() and len(text) <= 7 else otherwise


async def _form(request: HttpRequest) -> dict[str, str]:
    body = await read_body(request, BODY_LIMIT)
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
