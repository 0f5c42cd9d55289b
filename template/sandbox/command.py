"""What `python -m sandbox` runs: started in order, stopped in the opposite one."""

import asyncio
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Any, NamedTuple

import click

from .installation import Installation, RefusedError
from .live_reload import watch
from .origins import Demonstration
from .service_process import HOST, SECONDS_TO_START, ServiceProcess, exit_code
from .serving import serving
from .terminal import printable
from .zendesk import Zendesk
from .zendesk.model import NotDoneError
from .zendesk.push import BASE


class Ports(NamedTuple):
    """Where to listen."""

    host: str
    service: int
    origin: int
    zendesk: int


async def run_all(
    zendesk: Zendesk,
    ports: Ports,
    apps: tuple[Path, ...],
    *,
    reload: bool,
    demonstration: Demonstration | None,
) -> int:
    """Run until a signal comes, or until the service ends and no change may start it again; answer the exit code."""
    service = ServiceProcess(
        ports.host,
        ports.service,
        zendesk_url=zendesk.settings.address,
        origin_url=f"http://{HOST}:{ports.origin}" if demonstration else None,
        environment=demonstration.environment if demonstration else {},
    )
    zendesk.links = {"Service": f"{service.url}/channel/manifest"}
    async with AsyncExitStack() as running:
        stop = running.enter_context(_stop_signal())
        if demonstration:
            zendesk.links = {demonstration.title: _url(ports.origin)} | zendesk.links
            zendesk.hints = demonstration.accounts
            origin = running.enter_context(_listen(ports.host, ports.origin, "--origin-port"))
            await running.enter_async_context(serving(demonstration.app, origin))
        door = running.enter_context(_listen(ports.host, ports.zendesk, "--zendesk-port"))
        _listen(ports.host, ports.service, "--port").close()
        await running.enter_async_context(_answering(zendesk, door))
        await _show(zendesk, apps)
        changed = asyncio.Event()
        zendesk.scheduler.paused = True
        code = await _until_first(
            _happened(stop),
            _serve(zendesk, service, changed, reload=reload),
            zendesk.scheduler.run(),
            *([watch(changed)] if reload else []),
        )
    return code or 0


async def run_zendesk(zendesk: Zendesk, ports: Ports, apps: tuple[Path, ...], manifest: str | Path) -> int:
    """Run Zendesk until a signal comes, for a service that somebody else runs."""

    async def run() -> None:
        try:
            await Installation(zendesk, manifest).follow()
        except RefusedError as error:
            raise click.ClickException(printable(str(error))) from None
        await _show(zendesk, apps)
        click.echo(printable(_welcome(zendesk, _interfaces(zendesk))))
        await zendesk.scheduler.run()

    async with AsyncExitStack() as running:
        stop = running.enter_context(_stop_signal())
        door = running.enter_context(_listen(ports.host, ports.zendesk, "--zendesk-port"))
        await running.enter_async_context(_answering(zendesk, door))
        await _until_first(_happened(stop), run())
    return 0


async def run_origin(demonstration: Demonstration, host: str, port: int) -> int:
    """Run the demonstration origin until a signal comes."""
    title = demonstration.title
    with _stop_signal() as stop, _listen(host, port, "--origin-port") as listener:
        async with serving(demonstration.app, listener):
            greeting = f"The {title.lower()} is running."
            click.echo(_greeting(greeting, {title: _url(port)}, demonstration.accounts))
            await stop.wait()
    return 0


async def _serve(zendesk: Zendesk, service: ServiceProcess, changed: asyncio.Event, *, reload: bool) -> int:
    """Run the service, and start it again after each change; answer its exit code if nothing is to do that."""
    installation = Installation(zendesk, f"{service.url}/channel/manifest")
    greeted = False
    while True:
        changed.clear()
        async with service.running() as process:
            if ready := await _is_ready(service, process):
                await _follow(installation)
                zendesk.scheduler.paused = False
            if ready or not greeted:
                click.echo("\n  The service runs again.\n" if greeted else printable(_welcome(zendesk)))
                greeted = True
            code = await _until_first(exit_code(process), _happened(changed))
            # What the service cannot answer while it starts again is no failed pull.
            zendesk.scheduler.paused = True
        if code is not None:
            click.echo(
                f"\n  The service ended by itself with exit code {code}. Its own lines above say why.",
                err=True,
            )
            if not reload:
                return code
            click.echo("  It starts again as soon as a file below src/ is saved.\n", err=True)
            await changed.wait()
        click.echo("\n  Its code has changed: the service starts again.\n")


async def _show(zendesk: Zendesk, apps: tuple[Path, ...]) -> None:
    for app in apps:
        try:
            await zendesk.install(app)
        except NotDoneError as error:
            raise click.ClickException(printable(str(error))) from None


async def _is_ready(service: ServiceProcess, process: Process) -> bool:
    try:
        return await service.is_ready(process)
    except TimeoutError:
        click.echo(f"\n  The service did not answer within {SECONDS_TO_START} seconds.", err=True)
        process.kill()
        return False


async def _follow(installation: Installation) -> None:
    try:
        await installation.follow()
        installation.show_own_app()
    except RefusedError as error:
        click.echo(printable(f"\n  {error}"), err=True)


@asynccontextmanager
async def _answering(zendesk: Zendesk, listener: socket.socket) -> AsyncIterator[None]:
    try:
        await zendesk.__aenter__()
    except OSError as error:
        raise click.ClickException(f"The file for Zendesk's state cannot be written: {error}.") from None
    async with AsyncExitStack() as ending:
        ending.push_async_exit(zendesk)
        async with zendesk.serving(listener):
            yield


def _interfaces(zendesk: Zendesk) -> dict[str, str]:
    """Where a service calls this Zendesk, whose address it can derive from no subdomain."""
    pushes = zendesk.state.installed.push_client_id
    return {"Form returns": zendesk.settings.return_url} | (
        {"Push": f"{zendesk.settings.address}{BASE}/push"} if pushes else {}
    )


def _url(port: int) -> str:
    return f"http://{HOST}:{port}/"


def _welcome(zendesk: Zendesk, interfaces: Mapping[str, str] = MappingProxyType({})) -> str:
    manifest = zendesk.state.manifest
    title = f"{manifest.name} is installed in Zendesk." if manifest else "Zendesk is running."
    addresses = {"Zendesk": f"{zendesk.settings.address}/  (begin here)", **zendesk.links, **interfaces}
    return _greeting(title, addresses, zendesk.hints)


def _greeting(title: str, addresses: dict[str, str], accounts: list[str]) -> str:
    lines = [f"{name:<12} {url}" for name, url in addresses.items()]
    lines += [f"{'Account':<12} {account}" for account in accounts]
    return "\n".join(
        ["", f"  {title}", "", *(f"  {line}" for line in lines), "", "  Press Ctrl-C to stop.", ""]
    )


@contextmanager
def _stop_signal() -> Iterator[asyncio.Event]:
    """An event that is set by Ctrl-C, or by the signal that asks a process to end."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def set_stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)

    signals = (signal.SIGINT, signal.SIGTERM)
    for each in signals:
        signal.signal(each, set_stop)
    try:
        yield stop
    finally:
        for each in signals:
            signal.signal(each, signal.SIG_DFL)


def _listen(host: str, port: int, option: str) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise click.ClickException(
            f"Port {port} of {host} cannot be used ({error.strerror}). "
            f"Stop the program that holds it, or choose another port with {option}."
        ) from None


async def _until_first(*works: Coroutine[Any, Any, int | None]) -> int | None:
    """Run works beside each other until one of them ends, or fails; answer what came of it."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task in done).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _happened(event: asyncio.Event) -> None:
    await event.wait()
