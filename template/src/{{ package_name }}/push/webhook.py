"""`POST /webhook/{account}`: the origin tells of new posts, which are stored before it is answered.

Any answer but 2xx means that nothing was kept, and that the origin should send the same again later.
"""

import hashlib
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..core.accounts import Account, Accounts, ConfigurationOutdatedError, UnknownAccountError
from ..core.conversion import Conversion, Converted, Quarantined
from ..core.jobs.runner import JobRunner
from ..core.messages import ExternalResource, parents_first
from ..core.metrics import Metrics
from ..core.security import UntrustedError
from ..origin_protocol import OriginProtocol, Webhook, WebhookRejectedError
from ..web.errors import RequestError
from .credentials import CredentialStore
from .outbox import Outbox
from .sender import Sender

BODY_LIMIT = 1024 * 1024
"""Bytes."""

logger = structlog.get_logger()


class WebhookEndpoint:
    def __init__(
        self,
        accounts: Accounts[Any],
        credential_store: CredentialStore,
        origin: OriginProtocol[Any],
        conversion: Conversion,
        outbox: Outbox,
        runner: JobRunner,
        metrics: Metrics,
    ) -> None:
        self._accounts = accounts
        self._credential_store = credential_store
        self._origin = origin
        self._conversion = conversion
        self._outbox = outbox
        self._runner = runner
        self._metrics = metrics

    def routes(self) -> list[Route]:
        return [Route("/webhook/{account:uuid}", self.respond, methods=["POST"], max_body_size=BODY_LIMIT)]

    async def respond(self, request: Request) -> Response:
        account_id = str(request.path_params["account"])
        try:
            return await self._accept(request, account_id)
        except SQLAlchemyError as error:
            # The lines behind the first hold what was to be stored.
            reason = str(error).partition("\n")[0]
            logger.error("webhook not kept", account=account_id, reason=reason)
            self._metrics.webhooks.labels("failed").inc()
            raise RequestError(
                503, "database_unavailable", "The service cannot keep anything just now", retry_after=30
            ) from None

    async def _accept(self, request: Request, account_id: str) -> Response:
        try:
            account = await self._accounts.by_id(account_id)
            credentials = await self._credential_store.of(account_id)
            configuration = self._accounts.configuration_of(account)
        except UnknownAccountError as error:
            raise RequestError(404, "unknown_account", str(error)) from None
        except (ConfigurationOutdatedError, UntrustedError) as error:
            raise RequestError(503, "configuration_outdated", str(error), retry_after=300) from None
        body = await request.body()
        secret = credentials.webhook_secret.get_secret_value()
        webhook = self._parsed(account_id, configuration, secret, request, body)
        resources, quarantined = self._converted(account, configuration, webhook)
        new = await self._outbox.accept(
            account_id, _fingerprint(webhook, body), parents_first(resources), quarantined
        )
        if new:
            await self._runner.wake(Sender.name, account_id)
        self._metrics.webhooks.labels("accepted" if new or not resources else "repeated").inc()
        logger.info(
            "webhook", account=account_id, posts=len(webhook.items), new=new, quarantined=len(quarantined)
        )
        return JSONResponse({"new": new, "quarantined": len(quarantined)}, status_code=202)

    def _parsed(
        self, account_id: str, configuration: Any, secret: str, request: Request, body: bytes
    ) -> Webhook:
        try:
            return self._origin.parse_webhook(configuration, secret, request.headers, body)
        except WebhookRejectedError as error:
            logger.warning("webhook rejected", account=account_id, reason=str(error))
            self._metrics.webhooks.labels("rejected").inc()
            raise RequestError(401, "webhook_rejected", str(error)) from None
        except Exception:
            logger.exception("webhook could not be read", account=account_id)
            self._metrics.webhooks.labels("failed").inc()
            raise RequestError(
                500, "internal_error", "The service failed while it read the webhook"
            ) from None

    def _converted(
        self, account: Account, configuration: Any, webhook: Webhook
    ) -> tuple[list[ExternalResource], list[Quarantined]]:
        resources: list[ExternalResource] = []
        quarantined: list[Quarantined] = []
        for item in webhook.items:
            match self._conversion.convert(account, configuration, item):
                case Quarantined() as entry:
                    quarantined.append(entry)
                case Converted(resource):
                    resources.append(resource)
        return resources, quarantined


def _fingerprint(webhook: Webhook, body: bytes) -> str:
    """The same for each repeat of a delivery, whatever the origin calls it; without a name its content counts."""
    named = webhook.delivery.encode(errors="backslashreplace")
    return hashlib.sha256(named or body).hexdigest()
