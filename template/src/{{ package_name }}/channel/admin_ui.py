"""`POST /channel/admin_ui`: an admin adds or edits an account, in a frame inside Zendesk (SVC-13 to SVC-25).

Zendesk opens the form with a POST of its own. What that POST said travels on as a signed, expiring field, because
a frame can rely on no cookie; the second POST saves the account, and the admin's browser takes the result back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..accounts import Account, Accounts, ConfigurationOutdatedError, UnknownAccountError
from ..identity import NAME
from ..messages import AdminUiRequest, AdminUiReturn
from ..origin_protocol import ConfigurationRejectedError, OriginError, OriginProtocol
from ..trust import Signer, UntrustedError, zendesk_url
from .configuration_form import ConfigurationErrors, ConfigurationForm, Field
from .forms import BODY_LIMIT, Form, read_form, read_message
from .pages import Pages
from .pages.translations import fill, translator
from .refusals import Refusal

PURPOSE = "admin_ui"
HANDSHAKE_LIFETIME = timedelta(hours=4)
NAME_LIMIT = 255

NOT_FROM_ZENDESK = "This page can only be opened from Zendesk."
TOO_LATE = "This page was open for too long. Close it and open it again from Zendesk."
UNREADABLE = "The form could not be read. Close it and open it again from Zendesk."
NOT_RECOVERED = "This account was connected before, but its settings could not be read. Enter them again."
UNREACHABLE = "{origin_name} did not answer. Try again in a minute."

logger = structlog.get_logger()

Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Handshake:
    """What Zendesk said when it opened the form; `account_id` is empty for a new account."""

    return_url: str
    subdomain: str
    locale: str
    account_id: str

    @property
    def editing(self) -> bool:
        return bool(self.account_id)


class AdminUiEndpoint:
    def __init__(
        self, accounts: Accounts[Any], origin: OriginProtocol[Any], signer: Signer, pages: Pages
    ) -> None:
        self._accounts = accounts
        self._origin = origin
        self._signer = signer
        self._pages = pages
        self._form = ConfigurationForm(origin.configuration)

    def routes(self) -> list[Route]:
        return [
            Route("/channel/admin_ui", self.open, methods=["POST"], max_body_size=BODY_LIMIT),
            Route("/channel/admin_ui/save", self.save, methods=["POST"], max_body_size=BODY_LIMIT),
        ]

    async def open(self, request: Request) -> Response:
        """Show the form: empty for a new account, filled from what is stored on edit."""
        form = await read_form(request)
        try:
            opened = read_message(AdminUiRequest, form.fields())
            return_url = zendesk_url(opened.return_url, opened.subdomain.lower())
        except (Refusal, UntrustedError) as error:
            logger.warning("admin form refused", reason=str(error))
            return self._refuse(form["locale"], NOT_FROM_ZENDESK, 400)
        subdomain = opened.subdomain.lower()
        account = await self._account_to_edit(opened.metadata, subdomain)
        current = self._readable_configuration(account)
        handshake = Handshake(return_url, subdomain, opened.locale, account.id if account else "")
        lost = bool(opened.metadata) and current is None
        _ = translator(opened.locale)
        return self._show(
            handshake,
            name=opened.name or (account.name if account else ""),
            fields=self._form.fields(current, None, {}, _),
            notice=_(NOT_RECOVERED) if lost else None,
        )

    async def save(self, request: Request) -> Response:
        """Check what was typed, ask the origin, keep the account and send the browser back to Zendesk."""
        try:
            form = await read_form(request)
        except Refusal:
            return self._refuse("", UNREADABLE, 400)
        try:
            payload = self._signer.verify_expiring(PURPOSE, form["handshake"], HANDSHAKE_LIFETIME)
            handshake = Handshake(**payload)
            account = await self._accounts.by_id(handshake.account_id) if handshake.editing else None
        except (UntrustedError, UnknownAccountError):
            return self._refuse("", TOO_LATE, 400)
        _ = translator(handshake.locale)
        current = self._readable_configuration(account)
        name = form["name"].strip()
        try:
            errors = _name_errors(name, _)
            configuration = await self._checked(form, current, errors, _)
        except ConfigurationErrors as refused:
            return self._show(
                handshake,
                name=name,
                fields=self._form.fields(current, form.fields(), refused.errors, _),
                name_error=refused.errors.get("name"),
                problem=refused.problem,
                status=422,
            )
        if account:
            account = await self._accounts.update(account.id, name, configuration)
        else:
            account = await self._accounts.create(handshake.subdomain, name, configuration)
        logger.info(
            "account saved", account=account.id, subdomain=account.subdomain, edited=handshake.editing
        )
        returned = AdminUiReturn(name=name, metadata=self._accounts.metadata(account))
        return self._pages.respond(
            "admin_return.html",
            locale=handshake.locale,
            return_url=handshake.return_url,
            name=returned.name,
            metadata=returned.metadata,
        )

    async def _checked(self, form: Form, current: Any, errors: dict[str, str], _: Translate) -> Any:
        """Give the configuration that was typed; raises ConfigurationErrors with every fault that was found."""
        try:
            configuration = self._form.read(form.fields(), current, _)
        except ConfigurationErrors as refused:
            raise ConfigurationErrors(errors | refused.errors, refused.problem) from None
        if errors:
            raise ConfigurationErrors(errors)
        try:
            await self._origin.verify(configuration)
        except ConfigurationRejectedError as refused:
            found = {name: _(message) for name, message in refused.errors.items()}
            elsewhere = [
                message for name, message in found.items() if name not in self._form.model.model_fields
            ]
            raise ConfigurationErrors(found, " ".join(elsewhere) or None) from None
        except OriginError as error:
            logger.warning("origin could not verify an account", reason=str(error))
            raise ConfigurationErrors({}, fill(_(UNREACHABLE), origin_name=NAME)) from None
        return configuration

    async def _account_to_edit(self, metadata: str, subdomain: str) -> Account | None:
        if not metadata:
            return None
        try:
            account = await self._accounts.by_metadata(metadata)
        except UnknownAccountError:
            return None
        return account if account.subdomain == subdomain else None

    def _readable_configuration(self, account: Account | None) -> Any:
        try:
            return self._accounts.configuration_of(account) if account else None
        except ConfigurationOutdatedError:
            return None

    def _show(
        self,
        handshake: Handshake,
        *,
        name: str,
        fields: list[Field],
        name_error: str | None = None,
        notice: str | None = None,
        problem: str | None = None,
        status: int = 200,
    ) -> Response:
        _ = translator(handshake.locale)
        return self._pages.respond(
            "admin_form.html",
            locale=handshake.locale,
            status=status,
            origin_name=NAME,
            action="/channel/admin_ui/save",
            handshake=self._signer.sign_expiring(
                PURPOSE, {slot: getattr(handshake, slot) for slot in Handshake.__slots__}
            ),
            editing=handshake.editing,
            notice=notice,
            problem=problem,
            name=Field(
                name="name",
                label=_("Account name"),
                help=_("Shown to agents beside each ticket."),
                value=name,
                required=True,
                error=name_error,
                max_length=NAME_LIMIT,
            ),
            fields=fields,
        )

    def _refuse(self, locale: str, message: str, status: int) -> Response:
        _ = translator(locale)
        return self._pages.respond(
            "admin_refused.html", locale=locale, status=status, title=NAME, message=_(message)
        )


def _name_errors(name: str, _: Translate) -> dict[str, str]:
    if not name:
        return {"name": _("Fill in this field.")}
    if len(name) > NAME_LIMIT:
        return {"name": fill(_("Shorten this to {limit} characters or fewer."), limit=NAME_LIMIT)}
    return {}
