"""Sign-in: an admin connects an account at the origin, in a window beside the form (RFC 9700).

Providers refuse to be framed, and in a frame there are no cookies. So the form leads to a window of its own, and asks
every second what has come of it. Nothing ties that window to the form but the signed state, and whoever has opened a
form could send its link to somebody else, who would connect their own account with a stranger's Zendesk: so the window
says at the end which Zendesk it is, and asks.
"""

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import structlog
from oauthlib.oauth2 import OAuth2Error
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from ..core.handshake import FormSection, HandshakeStep
from ..core.messages import AdminUiRequest
from ..core.outbound import calling_for
from ..core.security import Signer, UntrustedError
from ..identity import NAME
from ..origin_protocol import (
    AccessToken,
    ConfigurationRejectedError,
    CredentialsRejectedError,
    OAuth,
    OriginAccount,
    OriginError,
)
from ..web.errors import RequestError
from ..web.forms import BODY_LIMIT, read_form
from ..web.pages import Pages
from ..web.pages.translations import fill, translator
from .grants import STATE_LIFETIME, Grant, Grants, Stage
from .provider import GrantRefusedError, Provider
from .renewal import Renewal
from .revocation import FORM_LIFETIME, Revocation

FORM = "oauth form"
STATE = "oauth state"
CONFIRMATION = "oauth confirmation"

SECTION = "sign-in"
"""What a message about the connection is for: no field has such a name."""

CARRIED = timedelta(days=365)
"""What the form carries is as old as its first page; whether that is too long is for the form to say."""

CONNECTED = "Connected as {name}"
CONNECT_FIRST = "Connect to {origin_name} first."
CONNECT_AGAIN = "{origin_name} does not accept the connection as {name} any more. Connect again."
NOT_GRANTED = "{origin_name} has not granted access. Connect again to try once more."
UNREACHABLE = "{origin_name} did not answer. Connect again in a minute."
NOT_OURS = (
    "This page belongs to no form that is open in Zendesk. Open the account in Zendesk and connect again."
)
NOT_SET_UP = (
    "This service is not set up for {origin_name} yet. The people who run it find the reason in its log."
)
USED = "This sign-in has been used already, or took too long. Connect again from the form in Zendesk."
DECLINED = "Nothing was connected. You can close this window."
DONE = "You can close this window and go on in Zendesk."

logger = structlog.get_logger()


class Ticket(BaseModel):
    """The form for which somebody signs in."""

    form_id: str
    account_id: str
    subdomain: str
    locale: str
    grant_id: str = ""


class SignIn:
    def __init__(
        self,
        *,
        grants: Grants,
        provider: Provider,
        renewal: Renewal,
        revocation: Revocation,
        oauth: OAuth,
        signer: Signer,
        pages: Pages,
    ) -> None:
        self._grants = grants
        self._provider = provider
        self._renewal = renewal
        self._revocation = revocation
        self._oauth = oauth
        self._signer = signer
        self._pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/channel/oauth/start", self.start, methods=["GET"]),
            Route("/channel/oauth/callback", self.come_back, methods=["GET"]),
            Route("/channel/oauth/confirm", self.confirm, methods=["POST"], max_body_size=BODY_LIMIT),
            Route("/channel/oauth/status", self.tell, methods=["GET"]),
        ]

    @property
    def step(self) -> HandshakeStep:
        return HandshakeStep(self.open_form, self.save, self.show, self.access_token)

    async def open_form(self, account_id: str, opened: AdminUiRequest) -> str:
        """Name the form, which is what everything that follows is bound to."""
        ticket = Ticket(
            form_id=str(uuid.uuid4()),
            account_id=account_id,
            subdomain=opened.subdomain.lower(),
            locale=opened.locale,
        )
        return self._sign(FORM, ticket)

    async def show(self, signed: str, locale: str) -> FormSection:
        """The form's section: who is connected, and the link to the window in which somebody connects."""
        ticket = self._ticket(FORM, signed, CARRIED)
        told = await self._told(ticket)
        return FormSection("oauth/form_section.html", told | {"ticket": self._sign(FORM, ticket)})

    def access_token(self, signed: str) -> AccessToken:
        """Give the token with which the form's settings are tried."""
        ticket = self._ticket(FORM, signed, CARRIED)
        _ = translator(ticket.locale)

        async def access_token(refused: str = "") -> str:
            grant = await self._grant(ticket)
            if grant is None:
                raise ConfigurationRejectedError({SECTION: fill(_(CONNECT_FIRST), origin_name=NAME)})
            try:
                return await self._renewal.of(lambda: self._grants.by_id(grant.id))(refused)
            except CredentialsRejectedError:
                message = fill(_(CONNECT_AGAIN), origin_name=NAME, name=grant.connected_as)
                raise ConfigurationRejectedError({SECTION: message}) from None

        return access_token

    async def save(self, signed: str, account: OriginAccount[Any]) -> Callable[[], Awaitable[None]]:
        """Have the account use what was granted. Raises ConfigurationRejectedError if that is nothing."""
        await account.access_token()
        ticket = self._ticket(FORM, signed, CARRIED)
        return lambda: self._use(ticket)

    async def start(self, request: Request) -> Response:
        """Send the window to the provider."""
        try:
            ticket = self._ticket(FORM, request.query_params.get("form", ""), FORM_LIFETIME)
        except UntrustedError:
            return self._refuse("", NOT_OURS)
        if not self._provider.client_id:
            return self._not_set_up(ticket, "OAUTH_CLIENT_ID is not set, see docs/oauth.md")
        verifier = self._provider.new_verifier()
        grant_id = await self._grants.begin(ticket.account_id, ticket.form_id, verifier)
        state = self._sign(STATE, ticket.model_copy(update={"grant_id": grant_id}))
        try:
            address = self._provider.authorize_url(state, verifier)
        except OAuth2Error as error:
            return self._not_set_up(ticket, f"the provider's addresses need https: {error}")
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return RedirectResponse(address, status_code=303, headers=headers)

    async def come_back(self, request: Request) -> Response:
        """Take the provider's answer, once, and ask whether this Zendesk is meant."""
        query = request.query_params
        try:
            ticket = self._ticket(STATE, query.get("state", ""), STATE_LIFETIME)
        except UntrustedError:
            return self._refuse("", USED)
        verifier = await self._grants.take_back(ticket.grant_id)
        if verifier is None:
            return self._refuse(ticket.locale, USED)
        try:
            connected_as = await self._connected_as(
                ticket, query.get("code", ""), query.get("error", ""), verifier
            )
        except GrantRefusedError as error:
            return await self._fail(ticket, NOT_GRANTED, str(error))
        except OriginError as error:
            return await self._fail(ticket, UNREACHABLE, str(error))
        except Exception as error:
            logger.exception("sign-in failed", account=ticket.account_id)
            return await self._fail(ticket, UNREACHABLE, repr(error))
        return self._pages.respond(
            "oauth/window.html",
            locale=ticket.locale,
            title=NAME,
            connected_as=connected_as,
            zendesk=f"{ticket.subdomain}.zendesk.com",
            origin_name=NAME,
            confirmation=self._sign(CONFIRMATION, ticket),
        )

    async def confirm(self, request: Request) -> Response:
        """Take the word of whoever has signed in."""
        try:
            form = await read_form(request)
            ticket = self._ticket(CONFIRMATION, form["confirmation"], STATE_LIFETIME)
        except (RequestError, UntrustedError):
            return self._refuse("", USED)
        if form["answer"] != "connect":
            await self._grants.decline(ticket.grant_id)
            await self._revocation.soon()
            return self._say(ticket.locale, DECLINED)
        if not await self._grants.confirm(ticket.grant_id):
            return self._refuse(ticket.locale, USED)
        logger.info("account connected", account=ticket.account_id, subdomain=ticket.subdomain)
        return self._say(ticket.locale, DONE)

    async def tell(self, request: Request) -> Response:
        """Tell the form what has come of it."""
        try:
            ticket = self._ticket(FORM, request.query_params.get("form", ""), FORM_LIFETIME)
        except UntrustedError:
            return JSONResponse({"error": "expired"}, status_code=403)
        return JSONResponse(await self._told(ticket), headers={"Cache-Control": "no-store"})

    async def _connected_as(self, ticket: Ticket, code: str, error: str, verifier: str) -> str:
        if error or not code:
            raise GrantRefusedError(error or "the provider gave no code")
        tokens = await self._provider.exchange(code, verifier)
        await self._grants.fill(ticket.grant_id, tokens)
        with calling_for("forms"):
            connected_as = await self._oauth.connected_as(tokens.access_token)
        await self._grants.name(ticket.grant_id, connected_as)
        return connected_as

    async def _fail(self, ticket: Ticket, message: str, reason: str) -> Response:
        logger.warning("sign-in failed", account=ticket.account_id, reason=reason)
        await self._grants.fail(ticket.grant_id, message)
        return self._refuse(ticket.locale, message)

    async def _grant(self, ticket: Ticket) -> Grant | None:
        """The grant that the form would save: its own, or else the one that the account has."""
        grant = await self._grants.of_form(ticket.form_id)
        if grant and grant.stage in (Stage.offered, Stage.in_use):
            return grant
        return await self._grants.of_account(ticket.account_id)

    async def _use(self, ticket: Ticket) -> None:
        grant = await self._grant(ticket)
        if grant and grant.stage is Stage.offered:
            await self._grants.use(ticket.account_id, grant.id)
            await self._revocation.soon()

    async def _told(self, ticket: Ticket) -> dict[str, Any]:
        """What the form shows."""
        _ = translator(ticket.locale)
        grant = await self._grant(ticket)
        latest = await self._grants.of_form(ticket.form_id)
        failed = latest.detail if latest and latest.stage is Stage.failed else ""
        is_connected = grant is not None and grant.refused_at is None
        if grant is None:
            text = ""
        elif is_connected:
            text = fill(_(CONNECTED), name=grant.connected_as)
        else:
            text = fill(_(CONNECT_AGAIN), origin_name=NAME, name=grant.connected_as)
        return {
            "connected": is_connected,
            "text": text,
            "problem": fill(_(failed), origin_name=NAME) if failed else "",
        }

    def _sign(self, purpose: str, ticket: Ticket) -> str:
        return self._signer.sign_expiring(purpose, ticket.model_dump())

    def _ticket(self, purpose: str, signed: str, lifetime: timedelta) -> Ticket:
        try:
            return Ticket.model_validate(self._signer.verify_expiring(purpose, signed, lifetime))
        except ValidationError:
            raise UntrustedError("this ticket is from another release") from None

    def _say(self, locale: str, message: str, status: int = 200) -> Response:
        return self._pages.respond(
            "oauth/window.html",
            locale=locale,
            status=status,
            title=NAME,
            message=fill(translator(locale)(message), origin_name=NAME),
            confirmation=None,
        )

    def _not_set_up(self, ticket: Ticket, reason: str) -> Response:
        logger.error("nobody can sign in", reason=reason)
        return self._refuse(ticket.locale, NOT_SET_UP)

    def _refuse(self, locale: str, message: str) -> Response:
        return self._say(locale, message, status=400)
