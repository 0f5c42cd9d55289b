"""`/webhook/{account}` and paths below it: the origin tells of new posts, which are stored before it is answered.

Any answer but 2xx means that nothing was kept, and that the origin should send the same again later.
"""

import asyncio
import hashlib
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..core.accounts import Accounts, ConfigurationOutdatedError, UnknownAccountError
from ..core.conversion import Conversion, Converted, Quarantined
from ..core.jobs.runner import JobRunner
from ..core.messages import ExternalResource, parents_first
from ..core.metrics import Metrics
from ..core.origin_backoff import retry_after
from ..core.security import UntrustedError
from ..origin_protocol import (
    CredentialsRejectedError,
    OriginAccount,
    OriginError,
    OriginProtocol,
    OriginUnavailableError,
    Webhook,
    WebhookRejectedError,
    WebhookRequest,
)
from ..web.errors import RequestError
from .credentials import CredentialStore
from .outbox import Outbox
from .sender import Sender

ITEMS_LIMIT = 10_000

ITEMS_IN_A_ROW = 100
"""After as many posts other requests have their turn."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

logger = structlog.get_logger()


REASONS = {
    404: "There is no such webhook",
    405: "A webhook is not sent by this method",
    410: "The account is gone: the origin may stop telling of its posts",
    413: "The webhook is larger than WEBHOOK_SIZE_LIMIT allows",
}
LONGEST_LOGGED = 200
"""Characters of a path."""


def record_refusal(metrics: Metrics, request: Request, status: int) -> None:
    """Tell operators of a webhook that the origin's code never saw: an origin may stop sending after a few of these."""
    logger.warning(
        "webhook refused",
        account=str(request.path_params.get("account", "")),
        method=request.method,
        path=request.url.path[:LONGEST_LOGGED],
        status=status,
        reason=REASONS[status],
    )
    metrics.webhooks.labels("refused").inc()


class Refusal:
    """Takes every method, where a function would have a route refuse the others unseen."""

    def __init__(self, metrics: Metrics, status: int, error: str) -> None:
        self._metrics = metrics
        self._status = status
        self._error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        record_refusal(self._metrics, Request(scope), self._status)
        headers = {"Allow": ", ".join(METHODS)} if self._status == 405 else None
        body = {"error": self._error, "description": REASONS[self._status]}
        await JSONResponse(body, self._status, headers)(scope, receive, send)


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
        size_limit: int,
    ) -> None:
        self._accounts = accounts
        self._credential_store = credential_store
        self._origin = origin
        self._conversion = conversion
        self._outbox = outbox
        self._runner = runner
        self._metrics = metrics
        self._size_limit = size_limit

    def routes(self) -> list[Route]:
        # Origins deliver as they like: by PUT, to paths below the webhook's URL, or with a challenge by GET.
        path = "/webhook/{account:uuid}{path:path}"
        return [
            Route(path, self.respond, methods=METHODS, max_body_size=self._size_limit),
            Route(path, Refusal(self._metrics, 405, "method_not_allowed")),
            Route("/webhook{path:path}", Refusal(self._metrics, 404, "unknown_path")),
        ]

    async def respond(self, request: Request) -> Response:
        account_id, path = str(request.path_params["account"]), request.path_params["path"]
        if path and not path.startswith("/"):
            record_refusal(self._metrics, request, 404)
            raise RequestError(404, "unknown_path", REASONS[404])
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
        except UnknownAccountError as error:
            record_refusal(self._metrics, request, 410)
            raise RequestError(410, "unknown_account", str(error)) from None
        try:
            credentials = await self._credential_store.of(account_id)
            opened = self._accounts.opened(account)
        except (ConfigurationOutdatedError, UnknownAccountError, UntrustedError) as error:
            logger.warning("webhook not kept", account=account_id, reason=str(error))
            self._metrics.webhooks.labels("failed").inc()
            raise RequestError(503, "configuration_outdated", str(error), retry_after=300) from None
        received = WebhookRequest(
            method=request.method,
            path=request.path_params["path"],
            query=request.query_params,
            headers=request.headers,
            body=await self._body(request),
        )
        webhook = await self._parsed(opened, credentials.webhook_secret.get_secret_value(), received)
        if len(webhook.items) > ITEMS_LIMIT:
            raise RequestError(413, "too_many_posts", f"Send at most {ITEMS_LIMIT} posts at a time")
        resources, quarantined = await self._converted(opened, webhook)
        new = await self._outbox.accept(
            account_id, _fingerprint(webhook, received), parents_first(resources), quarantined
        )
        if new:
            await self._runner.wake(Sender.name, account_id)
        self._metrics.webhooks.labels("accepted" if new or not resources else "repeated").inc()
        logger.info(
            "webhook", account=account_id, posts=len(webhook.items), new=new, quarantined=len(quarantined)
        )
        if answer := webhook.answer:
            return Response(
                answer.content, answer.status, {"X-Content-Type-Options": "nosniff"}, answer.content_type
            )
        return JSONResponse({"new": new, "quarantined": len(quarantined)}, status_code=202)

    async def _body(self, request: Request) -> bytes:
        try:
            return await request.body()
        except HTTPException as error:
            record_refusal(self._metrics, request, error.status_code)
            raise

    async def _parsed(self, account: OriginAccount[Any], secret: str, request: WebhookRequest) -> Webhook:
        try:
            return await self._origin.parse_webhook(account, secret, request)
        except WebhookRejectedError as error:
            logger.warning("webhook rejected", account=account.id, reason=str(error))
            self._metrics.webhooks.labels("rejected").inc()
            raise RequestError(401, "webhook_rejected", str(error)) from None
        except OriginUnavailableError as error:
            raise self._unavailable(account, error) from None
        except Exception:
            logger.exception("webhook could not be read", account=account.id)
            self._metrics.webhooks.labels("failed").inc()
            raise RequestError(
                500, "internal_error", "The service failed while it read the webhook"
            ) from None

    async def _converted(
        self, account: OriginAccount[Any], webhook: Webhook
    ) -> tuple[list[ExternalResource], list[Quarantined]]:
        resources: list[ExternalResource] = []
        quarantined: list[Quarantined] = []
        try:
            for number, item in enumerate(webhook.items):
                if number % ITEMS_IN_A_ROW == 0:
                    await asyncio.sleep(0)
                match await self._conversion.convert(account, item):
                    case Quarantined() as entry:
                        quarantined.append(entry)
                    case Converted(resource):
                        resources.append(resource)
        except (CredentialsRejectedError, OriginUnavailableError) as error:
            raise self._unavailable(account, error) from None
        return resources, quarantined

    def _unavailable(self, account: OriginAccount[Any], error: OriginError) -> RequestError:
        logger.warning("webhook not kept", account=account.id, reason=str(error))
        self._metrics.webhooks.labels("failed").inc()
        return RequestError(503, "origin_unavailable", str(error), retry_after=retry_after(error, 30))


def _fingerprint(webhook: Webhook, request: WebhookRequest) -> str:
    """The same for each repeat of a delivery, whatever the origin calls it; without a name its content counts."""
    named = webhook.delivery.encode(errors="backslashreplace")
    whole = f"{request.method} {request.path}?{request.query}\n".encode() + request.body
    return hashlib.sha256(named or whole).hexdigest()
