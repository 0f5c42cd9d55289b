"""`/webhook/{account}` and paths below it: the origin tells of new posts, which are stored before it is answered.

Any answer but 2xx means that nothing was kept, and that the origin should send the same again later.
"""

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..core.accounts import Accounts, ConfigurationOutdatedError, UnknownAccountError
from ..core.clock import Clock
from ..core.jobs.runner import JobRunner
from ..core.metrics import Metrics
from ..core.origin_backoff import retry_after
from ..core.outbound import calling_for
from ..core.security import UntrustedError
from ..origin_protocol import (
    CredentialsRejectedError,
    OriginAccount,
    OriginProtocol,
    OriginUnavailableError,
    Webhook,
    WebhookAnswer,
    WebhookRejectedError,
    WebhookRequest,
)
from ..web.errors import RequestError
from .credentials import CredentialStore, NoCredentialsError, PushCredentials
from .intake import Intake, Taken
from .lookups import Lookups
from .refusals import NOBODY, Refusals

ITEMS_LIMIT = 10_000

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

    def __init__(self, refusals: Refusals, metrics: Metrics, status: int, error: str) -> None:
        self._refusals = refusals
        self._metrics = metrics
        self._status = status
        self._error = error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        record_refusal(self._metrics, request, self._status)
        await self._refusals.count(str(request.path_params.get("account", NOBODY)), self._status)
        headers = {"Allow": ", ".join(METHODS)} if self._status == 405 else None
        body = {"error": self._error, "description": REASONS[self._status]}
        await JSONResponse(body, self._status, headers)(scope, receive, send)


class WebhookEndpoint:
    def __init__(
        self,
        accounts: Accounts[Any],
        credential_store: CredentialStore,
        origin: OriginProtocol[Any],
        intake: Intake,
        lookups: Lookups,
        refusals: Refusals,
        runner: JobRunner,
        metrics: Metrics,
        clock: Clock,
        size_limit: int,
    ) -> None:
        self._accounts = accounts
        self._credential_store = credential_store
        self._origin = origin
        self._intake = intake
        self._lookups = lookups
        self._refusals = refusals
        self._runner = runner
        self._metrics = metrics
        self._clock = clock
        self._size_limit = size_limit

    def routes(self) -> list[Route]:
        # Origins deliver as they like: by PUT, to paths below the webhook's URL, or with a challenge by GET.
        shared = [
            Route(
                "/webhook{path:path}",
                self.respond_for_all,
                methods=METHODS,
                max_body_size=self._size_limit,
            )
        ]
        return [
            Route(
                "/webhook/{account:uuid}{path:path}",
                self.respond,
                methods=METHODS,
                max_body_size=self._size_limit,
            ),
            Route(
                "/webhook/{account:uuid}{path:path}",
                Refusal(self._refusals, self._metrics, 405, "method_not_allowed"),
            ),
            *(shared if _shares_webhook(self._origin) else ()),
            Route("/webhook{path:path}", Refusal(self._refusals, self._metrics, 404, "unknown_path")),
        ]

    async def respond(self, request: Request) -> Response:
        """Take a webhook of one account."""
        account_id = str(request.path_params["account"])
        async with self._refusals_counted(account_id):
            received = await self._received(request)
            with self._failures_counted(account_id), calling_for("webhooks"):
                account, credentials = await self._account(request, account_id)
                secret = credentials.webhook_secret.get_secret_value()
                webhook = await self._origin.parse_webhook(account, secret, received)
                may_push = credentials.usable_token is not None
                taken = await self._take(account, webhook, received, may_push=may_push)
        return _answer(webhook.answer, [taken])

    async def respond_for_all(self, request: Request) -> Response:
        """Take a webhook that the origin registers once for all accounts."""
        async with self._refusals_counted(NOBODY):
            received = await self._received(request)
            with self._failures_counted("all"), calling_for("webhooks"):
                shared = await self._origin.parse_shared_webhook(received)
                taken = []
                for key, account_id in await self._credential_store.accounts_by_key(shared.webhooks):
                    try:
                        account = self._accounts.opened(await self._accounts.by_id(account_id))
                    except (ConfigurationOutdatedError, UnknownAccountError) as error:
                        logger.warning("webhook not kept", account=account_id, reason=str(error))
                        await self._refusals.count(account_id, 503)
                    else:
                        taken.append(await self._take(account, shared.webhooks[key], received))
        return _answer(shared.answer, taken)

    @asynccontextmanager
    async def _refusals_counted(self, account_id: str) -> AsyncIterator[None]:
        try:
            yield
        except RequestError as error:
            await self._refusals.count(account_id, error.status)
            raise
        except HTTPException as error:
            await self._refusals.count(account_id, error.status_code)
            raise

    async def _received(self, request: Request) -> WebhookRequest:
        path = request.path_params["path"]
        if path and not path.startswith("/"):
            record_refusal(self._metrics, request, 404)
            raise RequestError(404, "unknown_path", REASONS[404])
        try:
            body = await request.body()
        except HTTPException as error:
            record_refusal(self._metrics, request, error.status_code)
            raise
        now = self._clock.now()
        return WebhookRequest(request.method, path, request.query_params, request.headers, body, now)

    async def _account(self, request: Request, account_id: str) -> tuple[OriginAccount[Any], PushCredentials]:
        try:
            account, credentials = await self._credential_store.with_account(account_id)
            return self._accounts.opened(account), credentials
        except (ConfigurationOutdatedError, NoCredentialsError, UntrustedError) as error:
            raise self._not_kept(
                account_id, 503, "configuration_outdated", str(error), retry_after=300
            ) from None
        except UnknownAccountError as error:
            # Of a removed account nothing is kept: one that never was is answered like it.
            record_refusal(self._metrics, request, 410)
            raise RequestError(410, "unknown_account", str(error)) from None

    async def _take(
        self,
        account: OriginAccount[Any],
        webhook: Webhook,
        request: WebhookRequest,
        *,
        may_push: bool = True,
    ) -> Taken:
        """Store what a webhook brings for an account."""
        if len(webhook.items) + len(webhook.lookups) > ITEMS_LIMIT:
            description = f"Send at most {ITEMS_LIMIT} posts at a time"
            raise self._not_kept(account.id, 413, "too_many_posts", description)
        taken = await self._intake.take(
            account, webhook.items, _fingerprint(webhook, request), may_push=may_push
        )
        if webhook.lookups:
            await self._lookups.add(account.id, webhook.lookups)
            await self._runner.wake(Lookups.name, account.id)
        self._metrics.webhooks.labels("accepted" if taken.new or not taken.valid else "repeated").inc()
        logger.info(
            "webhook",
            account=account.id,
            posts=len(webhook.items),
            new=taken.new,
            quarantined=taken.quarantined,
            lookups=len(webhook.lookups),
        )
        return taken

    @contextmanager
    def _failures_counted(self, account_id: str) -> Iterator[None]:
        """Answer whatever goes wrong so that the origin sends the same again, with its reason in the log."""
        try:
            yield
        except WebhookRejectedError as error:
            logger.warning("webhook rejected", account=account_id, reason=str(error))
            self._metrics.webhooks.labels("rejected").inc()
            raise RequestError(401, "webhook_rejected", str(error)) from None
        except (CredentialsRejectedError, OriginUnavailableError) as error:
            raise self._not_kept(
                account_id, 503, "origin_unavailable", str(error), retry_after=retry_after(error, 30)
            ) from None
        except SQLAlchemyError as error:
            # The lines behind the first hold what was to be stored.
            logger.error("webhook not kept", account=account_id, reason=str(error).partition("\n")[0])
            self._metrics.webhooks.labels("failed").inc()
            description = "The service cannot keep anything just now"
            raise RequestError(503, "database_unavailable", description, retry_after=30) from None
        except RequestError:
            raise
        except Exception:
            logger.exception("webhook could not be read", account=account_id)
            self._metrics.webhooks.labels("failed").inc()
            raise RequestError(
                500, "internal_error", "The service failed while it read the webhook"
            ) from None

    def _not_kept(
        self, account_id: str, status: int, error: str, description: str, *, retry_after: int | None = None
    ) -> RequestError:
        logger.warning("webhook not kept", account=account_id, reason=description)
        self._metrics.webhooks.labels("failed").inc()
        return RequestError(status, error, description, retry_after=retry_after)


def _shares_webhook(origin: OriginProtocol[Any]) -> bool:
    return type(origin).parse_shared_webhook is not OriginProtocol.parse_shared_webhook


def _answer(answer: WebhookAnswer | None, taken: Sequence[Taken]) -> Response:
    if answer is None:
        counts = {"new": sum(one.new for one in taken), "quarantined": sum(one.quarantined for one in taken)}
        return JSONResponse(counts, status_code=202)
    return Response(answer.content, answer.status, {"X-Content-Type-Options": "nosniff"}, answer.content_type)


def _fingerprint(webhook: Webhook, request: WebhookRequest) -> str:
    """The same for each repeat of a delivery, whatever the origin calls it; without a name its content counts."""
    # An origin may number its deliveries, or say by null that one has no name.
    named = str(webhook.delivery or "").encode(errors="backslashreplace")
    whole = f"{request.method} {request.path}?{request.query}\n".encode() + request.body
    return hashlib.sha256(named or whole).hexdigest()
