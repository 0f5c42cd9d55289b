"""The service, started on this machine from each hosting target's own command lines and environment."""

from __future__ import annotations

import json
import re
import signal
import tempfile
import urllib.error
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import command_lines
import pytest
from command_lines import CLOUD_RUN, Processes
from documents import manual
from hosting import COMPLETE
from machine import (
    SECONDS_TO_STOP,
    Machine,
    ask,
    free_port,
    running_origin,
    running_postgresql,
    started,
    wait_for,
    wait_until,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from conftest import Hosted
    from projects import Project

# Nothing that the service sends to itself leaves this machine.
PUBLIC_URL = CLOUD_RUN["PUBLIC_URL"]

# The API in front of a function on Lambda: what the stack's routes name becomes events. Says where they are asked for.
GATEWAY = """
import sys
from pathlib import Path
import httpx2, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from tests.deploy.aws_lambda_runtime import Gateway, runtime_api
from tests.deploy.aws_lambda_stack import Stack

async def pass_on(request):
    asked = httpx2.Request(
        request.method, str(request.url), headers=dict(request.headers), content=await request.body()
    )
    answer = await gateway.handle_async_request(asked)
    return Response(answer.content, answer.status_code, answer.headers)

stack = Stack(Path("deploy/aws_lambda"))
keys = [stack[name]["RouteKey"].split() for name in stack.of_kind("AWS::ApiGatewayV2::Route")]
routes = [
    Route(path.replace("{proxy+}", "{proxy:path}"), pass_on, methods=["GET", "POST"] if verb == "ANY" else [verb])
    for verb, path in keys
]
with runtime_api() as api:
    gateway = Gateway(api)
    print(api.address, flush=True)
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""


def sqlite(machine: Machine, processes: Processes) -> str:
    """Move the file that the target names into the folder."""
    (url,) = {process.environment["DATABASE_URL"] for process in processes.values()}
    assert url.startswith("sqlite:////")
    return f"sqlite:///{machine.folder / Path(url).name}"


def postgresql(machine: Machine, _processes: Processes) -> str:
    return machine.postgresql_url


def cloud_sql(machine: Machine, _processes: Processes) -> str:
    """Fill in the URL of docs/cloud_run.md; its socket lies in a folder that is named after the instance."""
    (url,) = re.findall(r'"(postgresql://[^"]+)" \|', manual(machine.project))
    for name, value in {"password": "secret", **CLOUD_RUN}.items():
        url = url.replace(f"${name}", value)
    host = url.partition("?host=")[2]
    socket_folder = machine.folder / host[1:]
    socket_folder.parent.mkdir()
    socket_folder.symlink_to(machine.folder / "postgresql")
    return str(url.replace(host, str(socket_folder)))


class Target(NamedTuple):
    hosting: str
    processes: Callable[[Project], Processes]
    database_url: Callable[[Machine, Processes], str]


TARGETS = {
    "compose": Target("compose", command_lines.compose, sqlite),
    "compose with PostgreSQL": Target("compose", command_lines.compose_postgresql, postgresql),
    "systemd": Target("systemd", command_lines.systemd, sqlite),
    "systemd with PostgreSQL": Target("systemd", command_lines.systemd_postgresql, postgresql),
    "fly": Target("fly", command_lines.fly("fly.toml"), sqlite),
    "fly with PostgreSQL": Target("fly", command_lines.fly("deploy/fly.postgresql.toml"), postgresql),
    "cloud_run": Target("cloud_run", command_lines.cloud_run, cloud_sql),
    "kubernetes": Target("kubernetes", command_lines.kubernetes("sqlite"), sqlite),
    "kubernetes with PostgreSQL": Target("kubernetes", command_lines.kubernetes("postgresql"), postgresql),
}
LAMBDA = Target("aws_lambda", command_lines.aws_lambda, postgresql)


@contextmanager
def running(
    machine: Machine, processes: Processes, **told: str
) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """Start every process, as the target would: an empty folder, its own environment, and what a person tells it."""
    port = free_port()
    empty = machine.folder / "empty"
    empty.mkdir()
    with ExitStack() as stack:
        popens = []
        for name, process in processes.items():
            environment = process.environment | told | {"PORT": str(port)}
            log = machine.folder / f"{name}.log"
            program = started(machine.command(process, port), empty, environment, log)
            popens.append(stack.enter_context(program))
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/ready", *popens)
        yield url, popens


@contextmanager
def running_function(machine: Machine, processes: Processes, **told: str) -> Iterator[str]:
    """Start the function as Lambda does, behind a gateway that brings it its events."""
    port = free_port()
    log = machine.folder / "gateway.log"
    command = [str(machine.programs / "python"), "-c", GATEWAY, str(port)]
    with started(command, machine.project.path, {}, log) as gateway:
        wait_until(lambda: "\n" in log.read_text(), "the gateway does not start", gateway)
        told["AWS_LAMBDA_RUNTIME_API"] = log.read_text().partition("\n")[0]
        (function,) = processes.values()
        python, *arguments = function.command
        with started(
            [str(machine.programs / python), *arguments],
            machine.folder,
            function.environment | told,
            machine.folder / "function.log",
        ) as process:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/ready", gateway, process)
            yield url


def add_account(url: str) -> str:
    """Go through the admin form as an admin does, and return the metadata that Zendesk would keep."""
    empty = dict.fromkeys(("name", "metadata", "state", "instance_push_id", "zendesk_access_token"), "")
    page = ask(
        f"{url}/channel/admin_ui",
        {
            **empty,
            "locale": "en-US",
            "subdomain": "acme",
            "return_url": "https://acme.zendesk.com/zendesk/channels/integration_service_instances/editor_finalizer",
        },
    )
    (handshake,) = re.findall(r'name="handshake" value="([^"]+)"', page)
    typed = {"name": "Corner Café", "business": "corner-cafe", "api_key": "demo-key", "reviews": "all"}
    returned = ask(f"{url}/channel/admin_ui/save", {"handshake": handshake, **typed})
    (metadata,) = re.findall(r'name="metadata" value="([^"]+)"', returned)
    return str(metadata)


class Synced(Protocol):
    def __call__(self, hosting: str, folder: Path) -> Machine: ...


@pytest.fixture(scope="session")
def synced(hosted: Hosted, tmp_path_factory: pytest.TempPathFactory) -> Synced:
    """A machine with a project for a target, which all share: never write into it."""
    copies: dict[str, Project] = {}

    def make(hosting: str, folder: Path) -> Machine:
        if hosting not in copies:
            # Accounts have a key and are added in one step.
            capabilities = [
                name for name in COMPLETE[hosting]["capabilities"] if name not in ("oauth", "choices")
            ]
            project = hosted(hosting, capabilities=capabilities)
            copies[hosting] = project.copied(tmp_path_factory.mktemp("synced") / "project")
        return Machine.with_programs_of(copies[hosting], folder)

    return make


@pytest.fixture(scope="session")
def told(synced: Synced) -> Iterator[dict[str, str]]:
    """What a person tells every target: the service's address and keys, and an origin, which runs meanwhile."""
    with tempfile.TemporaryDirectory(prefix="origin-") as temporary:
        machine = synced("compose", Path(temporary))
        with running_origin(machine) as origin_url:
            yield {
                "PUBLIC_URL": PUBLIC_URL,
                "ORIGIN_URL": origin_url,
                "INNER_HOSTS": "127.0.0.1",
                **machine.new_keys(),
            }


@contextmanager
def prepared(target: Target, synced: Synced) -> Iterator[tuple[Machine, Processes, str]]:
    """A machine with the target's processes and its database, and the database's address."""
    with tempfile.TemporaryDirectory(prefix="target-") as temporary, ExitStack() as stack:
        machine = synced(target.hosting, Path(temporary))
        processes = target.processes(machine.project)
        database_url = target.database_url(machine, processes)
        if database_url.startswith("postgresql"):
            stack.enter_context(running_postgresql(machine))
        yield machine, processes, database_url


def converse(name: str, url: str, origin_url: str) -> None:
    """Read the manifest, add an account, pull its posts and reply to the first, as Zendesk does."""
    manifest = json.loads(ask(f"{url}/channel/manifest"))
    assert manifest["urls"]["pull_url"] == f"{PUBLIC_URL}/channel/pull"
    metadata = add_account(url)
    pulled = json.loads(ask(f"{url}/channel/pull", {"metadata": metadata, "state": ""}))
    first = pulled["external_resources"][0]
    reply = {
        "metadata": metadata,
        "message": f"Thank you for your review, says {name}!",
        "parent_id": first["external_id"],
        "thread_id": first["external_id"],
        "recipient_id": "",
        "request_unique_identifier": "reply-1",
    }
    assert json.loads(ask(f"{url}/channel/channelback", reply))["external_id"]
    assert reply["message"] in ask(f"{origin_url}/posts/{first['external_id']}")


@pytest.mark.gate
@pytest.mark.parametrize("name", TARGETS)
def test_the_service_answers_when_started_as_the_target_does(
    name: str, synced: Synced, told: dict[str, str]
) -> None:
    with (
        prepared(TARGETS[name], synced) as (machine, processes, database_url),
        running(machine, processes, DATABASE_URL=database_url, **told) as (url, popens),
    ):
        converse(name, url, told["ORIGIN_URL"])
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(f"{url}/metrics")

        for process in popens:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(SECONDS_TO_STOP) for process in popens] == [0] * len(processes)


@pytest.mark.gate
def test_the_function_answers_when_started_as_lambda_does(synced: Synced, told: dict[str, str]) -> None:
    with (
        prepared(LAMBDA, synced) as (machine, processes, database_url),
        running_function(machine, processes, DATABASE_URL=database_url, **told) as url,
    ):
        converse("Lambda", url, told["ORIGIN_URL"])
        with pytest.raises(urllib.error.HTTPError, match="404"):
            ask(f"{url}/metrics")


def test_the_variants_with_postgresql_have_workers_where_the_targets_do(hosted: Hosted) -> None:
    names = {name: set(target.processes(hosted(target.hosting))) for name, target in TARGETS.items()}
    working = {name for name in names if names[name] == {"web", "worker"}}
    assert working == {name for name in TARGETS if name.endswith("with PostgreSQL")}
    assert {tuple(names[name]) for name in names.keys() - working} == {("web",)}
