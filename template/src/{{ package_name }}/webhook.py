"""`POST /webhook/{account}`: the origin tells of new posts, which are kept before it is answered.

Any answer but 2xx means that nothing was kept, and that the origin should send the same again later.
"""

import hashlib
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .accounts import Account, Accounts, ConfigurationOutdatedError, UnknownAccountError
from .channel.files import FileLinks
from .channel.refusals import Refusal
from .connections import Connections
from .engine import Engine
from .messages import ExternalResource, parents_first
from .metrics import Metrics
from .origin_protocol import Item, OriginProtocol, Webhook, WebhookRejectedError
from .outbox import Outbox, Refused
from .trust import UntrustedError

BODY_LIMIT = 1024 * 1024
"""Bytes."""

logger = structlog.get_logger()


class WebhookEndpoint:
    def __init__(
        self,
        accounts: Accounts[Any],
        connections: Connections,
        origin: OriginProtocol[Any],
        outbox: Outbox,
        engine: Engine,
        links: FileLinks,
        metrics: Metrics,
    ) -> None:
        self._accounts = accounts
        self._connections = connections
        self._origin = origin
        self._outbox = outbox
        self._engine = engine
        self._links = links
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
            raise Refusal(
                503, "database_unavailable", "The service cannot keep anything just now", retry_after=30
            ) from None

    async def _accept(self, request: Request, account_id: str) -> Response:
        try:
            account = await self._accounts.by_id(account_id)
            connection = await self._connections.of(account_id)
            configuration = self._accounts.configuration_of(account)
        except UnknownAccountError as error:
            raise Refusal(404, "unknown_account", str(error)) from None
        except (ConfigurationOutdatedError, UntrustedError) as error:
            raise Refusal(503, "configuration_outdated", str(error), retry_after=300) from None
        body = await request.body()
        secret = connection.webhook_secret.get_secret_value()
        webhook = self._parsed(account_id, configuration, secret, request, body)
        resources, refused = self._converted(account, configuration, webhook)
        new = await self._outbox.accept(
            account_id, _fingerprint(webhook, body), parents_first(resources), refused
        )
        if new:
            await self._engine.wake("delivery", account_id)
        self._metrics.webhooks.labels("accepted" if new or not resources else "repeated").inc()
        logger.info(
            "webhook", account=account_id, posts=len(webhook.items), new=new, quarantined=len(refused)
        )
        return JSONResponse({"new": new, "quarantined": len(refused)}, status_code=202)

    def _parsed(
        self, account_id: str, configuration: Any, secret: str, request: Request, body: bytes
    ) -> Webhook:
        try:
            return self._origin.parse_webhook(configuration, secret, request.headers, body)
        except WebhookRejectedError as error:
            logger.warning("webhook rejected", account=account_id, reason=str(error))
            self._metrics.webhooks.labels("rejected").inc()
            raise Refusal(401, "webhook_rejected", str(error)) from None
        except Exception:
            logger.exception("webhook could not be read", account=account_id)
            self._metrics.webhooks.labels("failed").inc()
            raise Refusal(500, "internal_error", "The service failed while it read the webhook") from None

    def _converted(
        self, account: Account, configuration: Any, webhook: Webhook
    ) -> tuple[list[ExternalResource], list[Refused]]:
        resources: list[ExternalResource] = []
        refused: list[Refused] = []
        for item in webhook.items:
            # Whatever is wrong with one post must not hold up the others, and the conversion is people's own code.
            try:
                if resource := self._resource(account, configuration, item):
                    resources.append(resource)
            except Exception as error:  # noqa: BLE001
                reason = _reason(error)
                logger.warning("post quarantined", account=account.id, item=item.id, reason=reason)
                refused.append(Refused(str(item.id), reason))
        return resources, refused

    def _resource(self, account: Account, configuration: Any, item: Item) -> ExternalResource | None:
        resource = self._origin.to_resource(configuration, item, self._links.maker(account))
        if resource is not None:
            # Fields hold anything; what is no JSON has to show here, not when the message is stored.
            resource.model_dump_json()
        return resource


def _fingerprint(webhook: Webhook, body: bytes) -> str:
    """The same for each repeat of a delivery, whatever the origin calls it; without a name its content counts."""
    named = webhook.delivery.encode(errors="backslashreplace")
    return hashlib.sha256(named or body).hexdigest()


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
    return f"{type(error).__name__}: {error}"
