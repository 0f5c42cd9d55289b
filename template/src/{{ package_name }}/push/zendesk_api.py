"""Zendesk's push API: push, validate_token and report_error (SVC-56 to SVC-59)."""

import asyncio
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import ClassVar, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from ..core.clock import Clock
from ..core.messages import ExternalResource, Message
from ..core.security import ZendeskHosts
from .credentials import PushToken
from .messages import (
    DESCRIPTION_LIMIT,
    PushRequest,
    PushResponse,
    PushResult,
    ReportErrorRequest,
    ValidateTokenRequest,
)

TIMEOUT = httpx2.Timeout(15, connect=5)
DEADLINE = timedelta(seconds=20)
"""For a whole request: an answer whose every part comes in time may still never end."""

ANSWER_LIMIT = 4 * 1024 * 1024
"""Bytes; 200 results with their descriptions take less than a tenth."""

LONGEST_RETRY_AFTER = timedelta(hours=1)
TOKEN = re.compile(r"[!-~]+")

MessageT = TypeVar("MessageT", bound=BaseModel)


class ZendeskError(Exception):
    """Zendesk did not do what was asked; the message is shown to the people who run the service."""

    outcome: ClassVar[str]
    """One word for metrics."""

    retry_after: timedelta | None = None
    """How long Zendesk asks to wait, if it does."""


class AccessRejectedError(ZendeskError):
    """Zendesk refused the token (401, 403): an admin must open and save the account."""

    outcome = "rejected"


class BusyError(ZendeskError):
    """Zendesk asks to come back later (429, 503)."""

    outcome = "busy"

    def __init__(self, description: str, retry_after: timedelta | None) -> None:
        super().__init__(description)
        self.retry_after = retry_after


class RequestRefusedError(ZendeskError):
    """Zendesk will never take this request (400, 413, 422): something in it is wrong."""

    outcome = "refused"


class UnavailableError(ZendeskError):
    """Zendesk cannot be reached, is broken or answered what nobody can read; it may have done what was asked."""

    outcome = "unavailable"


@dataclass(frozen=True, slots=True)
class _Answer:
    response: httpx2.Response
    content: bytes


class ZendeskApi:
    def __init__(
        self,
        http: httpx2.AsyncClient,
        hosts: ZendeskHosts,
        clock: Clock,
        timeout: httpx2.Timeout = TIMEOUT,
        deadline: timedelta = DEADLINE,
    ) -> None:
        """`timeout` holds for each phase of a request, `deadline` for the whole of it."""
        self._http = http
        self._hosts = hosts
        self._clock = clock
        self._timeout = timeout
        self.deadline = deadline

    async def push(
        self,
        subdomain: str,
        token: PushToken,
        request_id: str,
        resources: tuple[ExternalResource, ...],
    ) -> tuple[PushResult, ...]:
        """Give one result per resource, in their order. Raises ZendeskError.

        Zendesk may have imported the resources although this raises UnavailableError (SVC-56, SVC-57).
        """
        request = PushRequest(
            instance_push_id=token.instance_push_id, request_id=request_id, external_resources=resources
        )
        answer = _read(PushResponse, await self._call(subdomain, token, "push", request))
        asked = [resource.external_id for resource in resources]
        answered = [result.external_resource_id for result in answer.results]
        if len(answered) != len(asked):
            raise UnavailableError(f"Zendesk gave {len(answered)} results for {len(asked)} posts")
        if answered != asked:
            raise UnavailableError("Zendesk's results are about other posts, or in another order")
        if answer.results and answer.results[0].status.code == "halted":
            raise UnavailableError("Zendesk halted every post and names none that failed")
        return answer.results

    async def validate_token(self, subdomain: str, token: PushToken, request_id: str) -> None:
        """Say nothing if Zendesk takes the token. Raises ZendeskError."""
        request = ValidateTokenRequest(instance_push_id=token.instance_push_id, request_id=request_id)
        await self._call(subdomain, token, "validate_token", request)

    async def report_error(
        self, subdomain: str, token: PushToken, request_id: str, external_id: str, description: str
    ) -> None:
        """Tell agents that the reply with this id was not posted. Raises ZendeskError."""
        request = ReportErrorRequest(
            instance_push_id=token.instance_push_id,
            external_id=external_id,
            description=description.encode(errors="replace").decode()[:DESCRIPTION_LIMIT],
            request_id=request_id,
        )
        await self._call(subdomain, token, "channelback/report_error", request)

    async def _call(self, subdomain: str, token: PushToken, endpoint: str, message: Message) -> bytes:
        secret = token.zendesk_access_token.get_secret_value()
        if not TOKEN.fullmatch(secret):
            # No header can hold it, and the library's exception would.
            raise AccessRejectedError("the token that Zendesk gave holds characters that no token can hold")
        url = f"{self._hosts.address(subdomain)}/api/v2/any_channel/{endpoint}"
        headers = {
            "Authorization": f"Bearer {secret}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        try:
            async with asyncio.timeout(self.deadline.total_seconds()):
                answer = await self._post(url, headers, message.model_dump_json(exclude_none=True))
        except TimeoutError:
            seconds = self.deadline.total_seconds()
            raise UnavailableError(f"Zendesk did not finish its answer within {seconds:g} seconds") from None
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            raise UnavailableError(f"Zendesk did not answer: {error!r}") from None
        self._require_success(answer, secret)
        return answer.content

    async def _post(self, url: str, headers: dict[str, str], body: str) -> _Answer:
        content = bytearray()
        async with self._http.stream(
            "POST", url, content=body, headers=headers, timeout=self._timeout, follow_redirects=False
        ) as response:
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > ANSWER_LIMIT:
                    raise UnavailableError("Zendesk's answer is too large to be one")
        return _Answer(response, bytes(content))

    def _require_success(self, answer: _Answer, secret: str) -> None:
        response = answer.response
        if response.is_success:
            return
        status = response.status_code
        explanation = _explanation(answer.content) or response.reason_phrase
        description = f"Zendesk answered {status}: {explanation.replace(secret, '***')}"
        if status in (401, 403):
            raise AccessRejectedError(description)
        if status in (429, 503):
            raise BusyError(
                description, retry_after(response.headers.get("retry-after", ""), self._clock.now())
            )
        if status in (400, 413, 422):
            raise RequestRefusedError(description)
        raise UnavailableError(description)


def retry_after(value: str, now: datetime) -> timedelta | None:
    """Read a Retry-After header, seconds or a date; None if it says nothing, at most an hour."""
    value = value.strip()
    try:
        if value.isascii() and value.isdigit():
            wait = timedelta(seconds=min(int(value), 10**6))
        else:
            moment = parsedate_to_datetime(value)
            wait = moment.replace(tzinfo=moment.tzinfo or UTC) - now
    except (ValueError, OverflowError):
        return None
    return min(max(wait, timedelta(0)), LONGEST_RETRY_AFTER)


def _explanation(content: bytes) -> str:
    """Zendesk's own words: `error`, `description` and `details`, each of which may be missing, or an object."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return content[:200].decode(errors="replace").strip()
    if not isinstance(document, dict):
        return str(document or "")[:200]
    parts = [_words(document.get(key)) for key in ("error", "description", "details")]
    return ": ".join(part for part in parts if part)


def _words(part: object) -> str:
    if isinstance(part, dict):
        part = part.get("message") or part.get("title") or part
    return str(part or "")[:200]


def _read(kind: type[MessageT], content: bytes) -> MessageT:
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"])) or "the whole of it"
        raise UnavailableError(f"Zendesk's answer cannot be read: {where}: {fault['msg']}") from None
