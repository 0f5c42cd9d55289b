"""Actions: what `origin.py` lets an app beside the ticket do, typed on both sides."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from pydantic import ValidationError

from ..core.accounts import Account
from ..core.messages import validation_faults
from ..core.metrics import Metrics
from ..core.origin_backoff import OriginBackoff, retry_after
from ..core.outbound import Purpose, calling_for
from ..origin_protocol import (
    Action,
    ActionRejectedError,
    CredentialsRejectedError,
    OriginAccount,
    OriginError,
    OriginProtocol,
    UnknownPostError,
)
from ..web.errors import RequestError

DEADLINE = timedelta(seconds=25)
"""How long an action may take: an agent is waiting. When Zendesk gives up is documented nowhere."""

ANSWER_LIMIT = 1024 * 1024
"""Bytes of the origin's answer to an action."""

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class NamedAction:
    """One action, ready to be performed for an account."""

    name: str
    action: Action[Any, Any]
    backoff: OriginBackoff
    metrics: Metrics
    deadline: timedelta

    async def perform(self, account: Account, opened: OriginAccount[Any], client_data: str) -> str:
        """Give the action's answer as JSON. Raises RequestError."""
        try:
            answer = await self._run(account, opened, client_data)
        except RequestError as refusal:
            self.metrics.actions.labels(self.name, refusal.error).inc()
            logger.warning("action refused", action=self.name, account=account.id, reason=str(refusal))
            raise
        self.metrics.actions.labels(self.name, "done").inc()
        return answer

    async def _run(self, account: Account, opened: OriginAccount[Any], client_data: str) -> str:
        try:
            asked = self.action.takes.model_validate_json(client_data or "{}")
        except ValidationError as error:
            raise RequestError(400, "invalid_client_data", validation_faults(error)) from None
        purpose = Purpose("actions", ANSWER_LIMIT, self.deadline.total_seconds())
        try:
            async with asyncio.timeout(self.deadline.total_seconds()), self.backoff.calling(account):
                with calling_for(purpose):
                    answer = await self.action.run(opened, asked)
            return answer.model_dump_json()
        except Exception as error:
            raise _request_error(error, account) from error


class Actions:
    def __init__(
        self,
        origin: OriginProtocol[Any],
        backoff: OriginBackoff,
        metrics: Metrics,
        deadline: timedelta = DEADLINE,
    ) -> None:
        self._actions = {
            name: NamedAction(name, action, backoff, metrics, deadline)
            for name, action in origin.actions.items()
        }
        self._metrics = metrics

    def named(self, name: str) -> NamedAction:
        """Raises RequestError 404."""
        if name not in self._actions:
            # Callers can invent names, each of which would begin a time series of its own.
            self._metrics.actions.labels("other", "unknown_action").inc()
            known = ", ".join(self._actions) or "none"
            raise RequestError(404, "unknown_action", f"There is no such action; origin.py has {known}")
        return self._actions[name]


def _request_error(error: Exception, account: Account) -> RequestError:
    if isinstance(error, UnknownPostError):
        return RequestError(404, "unknown_post", str(error))
    if isinstance(error, ActionRejectedError):
        return RequestError(422, "action_rejected", str(error))
    if isinstance(error, CredentialsRejectedError):
        return RequestError(409, "origin_credentials", f"An admin must edit the account: {error}")
    if isinstance(error, OriginError):
        return RequestError(503, "origin_unavailable", str(error), retry_after=retry_after(error, 30))
    if isinstance(error, TimeoutError):
        return RequestError(503, "origin_too_slow", "The origin did not answer in time", retry_after=30)
    logger.error("action failed", account=account.id, exc_info=error)
    return RequestError(503, "action_failed", "The action failed; the service's log says why", retry_after=30)
