"""What Zendesk does by itself as time goes by: polls of the manifest, and pulls."""

import asyncio
import contextlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .clock import FakeClock
from .context import Part
from .integration_services import IntegrationServices
from .manifest import ManifestRefusedError, Manifests
from .model import Account, UnknownError
from .pulls import FeatureOffError, Pull, Pulls


@dataclass
class Scheduler(Part):
    manifests: Manifests
    pulls: Pulls
    zis: IntegrationServices
    paused: bool = False
    """Nothing is begun, because the service is away for a moment."""

    async def run_due(self) -> list[Pull]:
        """Do what is due now; accounts are pulled beside each other, as Zendesk does. Flows run on by themselves."""
        self.zis.start_due()
        manifest = self.state.manifest
        poll = timedelta(seconds=self.settings.manifest_poll_interval)
        if manifest and manifest.fetched_at + poll <= self.clock.now():
            await self.refresh()
        pulls = await asyncio.gather(*map(self._pull, self.pulls.due()))
        return [pull for pull in pulls if pull]

    async def _pull(self, account: Account) -> Pull | None:
        with contextlib.suppress(FeatureOffError):
            return await self.pulls.pull(account)
        return None

    async def refresh(self) -> bool:
        """Read the manifest again; whatever is wrong with it, the copy is kept (ZEN-03). Tell if it is a new one."""
        known = self.state.installed
        known.fetched_at = self.clock.now()
        if self.faults.stale_manifest:
            return False
        try:
            fresh = await self.manifests.fetch(known.url, known)
        except ManifestRefusedError:
            return False
        if self.state.manifest is known:
            self.state.manifest = fresh
        return replace(fresh, fetched_at=known.fetched_at) != known

    async def advance(self, seconds: float) -> list[Pull]:
        """Move a fake clock, and do on the way what becomes due, at its time."""
        if not isinstance(self.clock, FakeClock):
            raise TypeError("Only a FakeClock can be advanced.")
        end = self.clock.now() + timedelta(seconds=seconds)
        pulls = await self._run_all()
        while (moment := self._next()) is not None and moment <= end:
            self.clock.advance(max(0, (moment - self.clock.now()).total_seconds()))
            pulls += await self._run_all()
        if (rest := (end - self.clock.now()).total_seconds()) > 0:
            self.clock.advance(rest)
        return pulls

    async def _run_all(self) -> list[Pull]:
        pulls = await self.run_due()
        await self.zis.settle()
        return pulls

    async def run(self, pause: float = 0.5) -> None:
        """Do what is due for ever."""
        while True:
            # Somebody may remove what is just being pulled.
            with contextlib.suppress(FeatureOffError, UnknownError):
                if not self.paused:
                    await self.run_due()
            await self.clock.sleep(pause)

    def _next(self) -> datetime | None:
        moments = [account.next_pull for account in self.state.accounts if account.active]
        if self.state.manifest:
            poll = timedelta(seconds=self.settings.manifest_poll_interval)
            moments = moments if "pull_url" in self.state.manifest.urls else []
            moments.append(self.state.manifest.fetched_at + poll)
        moments += [self.zis.next_due] if self.zis.next_due else []
        return min(moments, default=None)
