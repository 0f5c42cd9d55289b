"""The service in a process of its own, which ends and starts again without what is around it."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from urllib.parse import urlsplit

import click
import httpx2

from .live_reload import CODE

HOST = "127.0.0.1"
SECONDS_TO_START = 60
SECONDS_TO_STOP = 15


class ServiceProcess:
    def __init__(
        self,
        host: str,
        port: int,
        *,
        zendesk_url: str,
        origin_url: str | None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Tell the service who its neighbours are; without `origin_url` it has an origin of its own."""
        self.url = f"http://{HOST}:{port}"
        self._environment = {
            # These stay if the environment has them, be they empty: somebody leads a tunnel to the service, and lets
            # a real Zendesk in.
            "PUBLIC_URL": self.url,
            "ZENDESK_URL": zendesk_url,
            "PUSH_CLIENT_ID": "sandbox",
            **os.environ,
            "HOST": host,
            "PORT": str(port),
            **(_origin(origin_url) if origin_url else {}),
            **environment,
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Process]:
        command = (sys.executable, "-m", "sandbox.attended", _package(), "serve")
        process = await asyncio.create_subprocess_exec(*command, env=self._environment, stdin=PIPE)
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), SECONDS_TO_STOP)
            except TimeoutError:
                process.kill()
                await process.wait()

    async def is_ready(self, process: Process) -> bool:
        """Wait until the service answers; say no if it ends before that. Raises TimeoutError."""
        async with asyncio.timeout(SECONDS_TO_START), httpx2.AsyncClient(trust_env=False) as http:
            while process.returncode is None:
                with suppress(httpx2.TransportError):
                    if (await http.get(f"{self.url}/channel/healthcheck")).is_success:
                        return True
                await asyncio.sleep(0.1)
        return False


async def exit_code(process: Process) -> int:
    """Wait for the end; a signal that brought it counts as in a shell."""
    code = await process.wait()
    return code if code >= 0 else 128 - code


def _origin(url: str) -> dict[str, str]:
    # On this machine the origin has no public address, and the service calls no other unless it is named.
    hosts = filter(None, [os.environ.get("INNER_HOSTS"), urlsplit(url).netloc])
    return {"ORIGIN_URL": url, "INNER_HOSTS": ",".join(hosts)}


def _package() -> str:
    """The only one below src/ that can be run."""
    found = [file.parent.name for file in CODE.glob("*/__main__.py")]
    if len(found) != 1:
        raise click.ClickException(
            f"There are {len(found)} packages with a __main__.py below {CODE}/, and one of them has to be the service. "
            "Run this command in the project's own folder, or name a running service with --manifest."
        )
    return found[0]
