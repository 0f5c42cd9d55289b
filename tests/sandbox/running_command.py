"""`python -m sandbox` in a process of its own, and an integration beside it."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from commands import ROOT
from sandbox.serving import serving
from scripted_integration import ScriptedIntegration

TEMPLATE = ROOT / "template"
PATIENCE = 90

with_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends processes without a signal.")


class Command:
    """A running `python -m sandbox`, and what it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said = ""

    async def says(self, text: str) -> None:
        """Wait for a text behind those that were waited for before."""
        assert self.process.stdout is not None
        begin = len(self.said)
        async with asyncio.timeout(PATIENCE):
            while text not in self.said[begin:]:
                line = await self.process.stdout.readline()
                assert line, f"{text!r} was not said, but:\n{self.said}"
                self.said += line.decode()

    async def ends(self, by: signal.Signals | None = None) -> int:
        if by is not None:
            self.process.send_signal(by)
        async with asyncio.timeout(PATIENCE):
            rest, _ = await self.process.communicate()
        self.said += rest.decode()
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def running(*arguments: str, module: str = "sandbox", **settings: str) -> AsyncIterator[Command]:
    """The command in the test's own folder, and the service that may lie there; or another module's."""
    path = os.pathsep.join([str(Path.cwd() / "src"), str(TEMPLATE)])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        env=os.environ | {"PYTHONPATH": path} | settings,
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        yield Command(process)
    finally:
        # Given the chance to end its service, too.
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@asynccontextmanager
async def over_http(integration: ScriptedIntegration) -> AsyncIterator[str]:
    """An integration that somebody else runs, by the URL of its manifest."""
    listener = socket.create_server(("127.0.0.1", 0))
    async with serving(integration.app, listener):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/channel/manifest"


def free_ports() -> list[str]:
    """Options by which no two tests meet at a port."""
    with socket.socket() as one, socket.socket() as two, socket.socket() as three:
        options = []
        for probe, option in ((one, "--port"), (two, "--origin-port"), (three, "--zendesk-port")):
            probe.bind(("127.0.0.1", 0))
            options += [option, str(probe.getsockname()[1])]
    return options
