"""Pulling: what is new is asked for, checked and imported in order (ZEN-14 to ZEN-24)."""

import asyncio
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from .calls import Answer, Calls, NoAnswerError
from .context import Part
from .events import Events
from .imports import Imports, Resource, Result, resource_events
from .model import Account, NotDoneError
from .verdicts import Remark


class FeatureOffError(NotDoneError):
    """The manifest has no URL for what was asked (ZEN-04), or the account is not active."""


@dataclass
class Pull:
    """What came of one pull; with an `error` nothing was imported and nothing changed."""

    request_id: str
    error: str | None = None
    results: list[Result] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


@dataclass
class Pulls(Part):
    calls: Calls
    imports: Imports
    events: Events
    _locks: defaultdict[int, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    """By the account's id."""

    def due(self) -> list[Account]:
        manifest = self.state.manifest
        if manifest is None or "pull_url" not in manifest.urls:
            return []
        now = self.clock.now()
        return [account for account in self.state.accounts if account.active and account.next_pull <= now]

    async def pull(self, account: Account) -> Pull:
        """Pull once, as soon as no other pull of this account is under way. Raises FeatureOffError."""
        async with self._locks[account.id]:
            manifest = self.state.manifest
            url = manifest.urls.get("pull_url") if manifest else None
            if url is None or not account.active:
                raise FeatureOffError("This account is not pulled: it is inactive, or there is no pull_url.")
            account.next_pull = self.clock.now() + timedelta(seconds=self.settings.pull_interval)
            pull = await self._ask(account, url)
            if account in self.state.accounts:
                self._tell(account, url, pull)
                if pull.error:
                    self._count_failure(account, pull)
            await self.events.settle()
            return pull

    async def _ask(self, account: Account, url: str) -> Pull:
        pull = Pull(request_id=str(uuid.uuid4()))
        fields = {"metadata": account.metadata, "state": account.state}
        try:
            answer = await self.calls.post_form("pull", url, fields, self.settings.pull_timeout)
        except NoAnswerError as error:
            error.exchange.remarks.append(Remark("", str(error), ("SVC-30",)))
            pull.error, pull.remarks = str(error), error.exchange.remarks
            return pull
        document = self._checked(account, answer, pull)
        if document is not None:
            for number, resource in enumerate(document["external_resources"]):
                await self._take(account, resource, f"/external_resources/{number}", answer, pull)
            # Only now, so that a pull that is broken off loses nothing.
            self._keep(account, document)
        return pull

    async def _take(
        self, account: Account, resource: Resource, pointer: str, answer: Answer, pull: Pull
    ) -> None:
        """Import one resource, and remark on what is wrong with its place among the others."""
        parent, external_id = resource.get("parent_id"), resource["external_id"]
        if parent is not None and self.imports.find(account, parent) is None:
            answer.remark(
                Remark(f"{pointer}/parent_id", f"{parent} is not there", ("SVC-31",), refused=False)
            )
        if any(result.external_id == external_id for result in pull.results):
            again = f"{external_id} was there before, in the same answer"
            answer.remark(Remark(f"{pointer}/external_id", again, ("SVC-36",), refused=False))
        result = await self.imports.take(account, resource, pull.request_id, pushed=False)
        pull.results.append(result)
        if result.code == "processing_error":
            answer.remark(Remark(pointer, result.description or result.code, ("SVC-38",)))

    def activate(self, account: Account) -> None:
        account.active, account.failures = True, 0
        account.next_pull = self.clock.now()
        self.events.emit("activate_integration_instance", {"metadata": account.metadata})

    def deactivate(self, account: Account, by: Literal["error", "api"], error: str | None = None) -> None:
        account.active = False
        data = {"metadata": account.metadata, "deactivated_by": by}
        self.events.emit(
            "deactivate_integration_instance", data | ({"deactivating_error": error} if error else {})
        )

    def _checked(self, account: Account, answer: Answer, pull: Pull) -> dict[str, Any] | None:
        """The answer if it is one that Zendesk takes; else its fault is in `pull.error`."""
        pull.remarks = answer.exchange.remarks
        if not answer.is_success:
            pull.error = f"the pull was answered with {answer.status}"
            if answer.status < 400 or answer.status == 404:
                answer.remark(Remark("", pull.error, ("SVC-27",), "Answer 200 at the address itself."))
            account.needs_update = account.needs_update or answer.status == 401
            return None
        if answer.status != 200:
            answer.remark(Remark("", f"answered with {answer.status}, not 200", ("SVC-27",), refused=False))
        answer.must_be_json("SVC-27")
        found = answer.check("pull-response")
        if found.refusals:
            pull.error = str(found.refusals[0])
            return None
        value: dict[str, Any] = found.value
        return value

    def _keep(self, account: Account, document: dict[str, Any]) -> None:
        account.failures, account.last_error = 0, None
        account.state = document.get("state", account.state)
        account.metadata = document.get("metadata", account.metadata)
        account.needs_update = document.get("metadata_needs_update", False)
        self.log.hide(account.metadata)

    def _count_failure(self, account: Account, pull: Pull) -> None:
        account.failures += 1
        account.last_error = pull.error
        if account.active and 0 < self.settings.failures_before_deactivation <= account.failures:
            self.deactivate(account, "error", pull.error)

    def _tell(self, account: Account, url: str, pull: Pull) -> None:
        duplicates = [
            {
                "external_id": result.external_id,
                "request_id": result.comment.request_id or "",
                "ticket_id": result.comment.ticket_id,
                "comment_id": result.comment.id,
            }
            for result in pull.results
            if result.code == "already_imported" and result.comment
        ]
        data = {
            "integration_instance_name": account.name,
            "url": url,
            "request_id": pull.request_id,
            "duplicate_external_ids": duplicates,
        }
        self.events.emit("pull_request", data, error=pull.error)
        for created in resource_events(pull.results, pull.request_id):
            self.events.emit("resources_created_from_external_ids", created)
