"""Runs inside a generated project: CPU time that each kind of request takes of a service, beside bare ones.

python measure_requests.py ROUNDS EACH     measure; prints milliseconds as JSON
python measure_requests.py --origin PORT     serve the reviews that are pulled
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "chaos"))
sys.path.insert(0, str(Path.cwd()))

import httpx2
import uvicorn
from acme_reviews.core.accounts import Accounts
from acme_reviews.core.database import Database
from acme_reviews.core.security import Sealer, Signer
from acme_reviews.origin import Configuration
from acme_reviews.push.credentials import Access, CredentialStore, PushToken
from acme_reviews.settings import Settings, new_operator_password, new_sealing_key, new_signing_key
from bare_service import TABLES
from pydantic import SecretStr
from sandbox.reviews import ReviewSite, create_app
from storm_zendesk import StormZendesk
from told_review import told_review

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

BARE = {
    "bare": "bare_service.py",
    "FastAPI": "fastapi_service.py",
    "FastAPI, SQLAlchemy": "sqlalchemy_service.py",
}
RESOURCES = 200
PUSHING = "webhook to Zendesk, one post"
PUBLIC_URL = "https://reviews.example"
SECRET = "the origin's"  # noqa: S105
SECONDS_TO_START = 60
WARM_UP = 10
SETTLED = 0.05
"""Seconds without a change of the CPU time, after which background work counts as done."""

BUSINESS = ReviewSite().businesses[0]
TEXT = "The flat white is the best in town, and they remember your name. " * 6


def serve_reviews(port: int) -> None:
    site = ReviewSite(seeded=False)
    for number in range(RESOURCES):
        site.add_review(
            site.businesses[0],
            customer=f"Customer {number}",
            rating=number % 5 + 1,
            title=f"Visit number {number}",
            text=f"{number}: {TEXT}",
        )
    uvicorn.run(create_app(site), port=port, log_level="warning", access_log=False)


@dataclass
class Service:
    """One of the services that are compared, in a process of its own."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    silent: str
    """Metadata of an account that may not push, and its id."""
    silent_id: str
    pushing_id: str
    states: dict[str, str] = field(default_factory=dict)
    last_reply: str = ""

    def cpu(self) -> float:
        """Milliseconds that all its threads have run."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e6

    async def settled(self) -> float:
        """Give the CPU time once nothing runs any more."""
        spent = self.cpu()
        while True:
            await asyncio.sleep(SETTLED)
            if (now := self.cpu()) - spent < SETTLED:
                return now
            spent = now


@dataclass(frozen=True)
class Scene:
    """What every service is given."""

    stack: ExitStack
    http: httpx2.AsyncClient
    folder: Path
    origin: str
    zendesk: str


class Load:
    """What Zendesk, an origin and a browser send."""

    def __init__(self, http: httpx2.AsyncClient, zendesk: StormZendesk, review: str) -> None:
        self._http = http
        self._zendesk = zendesk
        self._review = review
        self._told = 0

    @property
    def kinds(self) -> dict[str, Callable[[Service], Awaitable[None]]]:
        return {
            "manifest": self._manifest,
            "pull, nothing new": self._pull_nothing,
            f"pull of {RESOURCES}": self._pull_all,
            "channelback": self._reply,
            "channelback, repeated": self._repeat,
            "click-through": self._click,
            "admin form": self._form,
            "webhook, one post": self._tell,
            PUSHING: self._tell_zendesk,
        }

    async def _manifest(self, service: Service) -> None:
        await self._sent("GET", f"{service.url}/channel/manifest")

    async def _pull_nothing(self, service: Service) -> None:
        while (answer := await self._pull(service, service.states.get("nothing", "")))["external_resources"]:
            service.states["nothing"] = answer["state"]

    async def _pull_all(self, service: Service) -> None:
        found = len((await self._pull(service, ""))["external_resources"])
        if found != RESOURCES:
            raise AssertionError(f"a pull found {found} posts, not {RESOURCES}")

    async def _pull(self, service: Service, state: str) -> dict[str, Any]:
        request = {"metadata": service.silent, "state": state}
        answer: dict[str, Any] = (
            await self._sent("POST", f"{service.url}/channel/pull", data=request)
        ).json()
        return answer

    async def _reply(self, service: Service) -> None:
        service.last_reply = str(uuid.uuid4())
        await self._repeat(service)

    async def _repeat(self, service: Service) -> None:
        fields = {
            "metadata": service.silent,
            "message": "Thank you for your review!",
            "parent_id": self._review,
            "thread_id": self._review,
            "recipient_id": "customer-1",
            "request_unique_identifier": service.last_reply,
        }
        await self._sent("POST", f"{service.url}/channel/channelback", data=fields)

    async def _click(self, service: Service) -> None:
        query = {"external_id": self._review}
        await self._sent("GET", f"{service.url}/channel/clickthrough", params=query)

    async def _form(self, service: Service) -> None:
        fields = {
            "name": "",
            "metadata": "",
            "state": "",
            "return_url": "https://acme.zendesk.com/zendesk/channels/integration_service_instances/editor_finalizer",
            "subdomain": "acme",
            "instance_push_id": str(uuid.uuid4()),
            "zendesk_access_token": "token",
            "locale": "en-US",
        }
        await self._sent("POST", f"{service.url}/channel/admin_ui", data=fields)

    async def _tell(self, service: Service) -> None:
        await self._webhook(service, service.silent_id)

    async def _tell_zendesk(self, service: Service) -> None:
        before = self._zendesk.total
        await self._webhook(service, service.pushing_id)
        async with asyncio.timeout(10):
            while self._zendesk.total == before:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    async def _webhook(self, service: Service, account_id: str) -> None:
        self._told += 1
        await self._sent("POST", f"{service.url}/webhook/{account_id}", **told_review(SECRET, TEXT))

    async def _sent(self, method: str, url: str, **request: Any) -> httpx2.Response:
        response = await self._http.request(method, url, follow_redirects=False, **request)
        if response.status_code >= 400:
            raise AssertionError(f"{method} {url}: {response.status_code} {response.text[:300]}")
        return response


async def measure(rounds: int, each: int) -> dict[str, dict[str, list[float]]]:
    """Give the milliseconds of CPU time that one request took, by kind and service, in each round."""
    zendesk = StormZendesk(1, fair=True)
    spent: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        async with zendesk.serving() as zendesk_url, httpx2.AsyncClient(timeout=60, trust_env=False) as http:
            origin = f"http://127.0.0.1:{(port := free_port())}"
            stack.enter_context(running(__file__, "--origin", str(port)))
            await answers(http, f"{origin}/")
            scene = Scene(stack, http, Path(folder), origin, zendesk_url)
            services = [await generated(scene, pushing=False), *[await bare(scene, name) for name in BARE]]
            posts = (
                await http.get(f"{origin}/api/businesses/{BUSINESS.id}/posts", headers=AUTHORISED)
            ).json()
            pushing = await generated(scene, pushing=True)
            load = Load(http, zendesk, posts["posts"][0]["id"])
            # Replies are posts, too: what counts posts comes before what writes them.
            for kind, send in load.kinds.items():
                if kind == PUSHING:
                    services[0] = pushing
                spent[kind] = {service.name: [] for service in services}
                for number in range(rounds + 1):
                    for service in services:
                        for _ in range(WARM_UP if number == 0 else 1):
                            await send(service)
                        before = await service.settled()
                        for _ in range(each if number else 0):
                            await send(service)
                        if number:
                            spent[kind][service.name].append((await service.settled() - before) / each)
    return spent


AUTHORISED = {"Authorization": f"Bearer {BUSINESS.api_key}"}


async def generated(scene: Scene, *, pushing: bool) -> Service:
    keys = {
        "SIGNING_KEYS": new_signing_key(),
        "SEALING_KEYS": new_sealing_key(),
        "OPERATOR_PASSWORD": new_operator_password(),
    }
    environment = {
        "DATABASE_URL": f"sqlite:///{scene.folder}/service-{pushing}.db",
        "ORIGIN_URL": scene.origin,
        "INNER_HOSTS": "127.0.0.1",
        "PUSH_REQUESTS_PER_MINUTE": "1000000",
        **keys,
    }
    # Production goes to zendesk.com itself, and writes its log as it does where it is deployed.
    environment |= (
        {"ZENDESK_URL": scene.zendesk} if pushing else {"ENVIRONMENT": "production", "PUBLIC_URL": PUBLIC_URL}
    )
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = scene.stack.enter_context(
        running("-m", "acme_reviews", "serve", "--port", str(port), **environment)
    )
    await answers(scene.http, f"{url}/channel/healthcheck")
    settings = Settings.model_validate({name.lower(): value for name, value in environment.items()})
    database = Database(settings.database_url)
    sealer = Sealer([key.get_secret_value() for key in settings.sealing_keys])
    accounts = Accounts(
        database, Signer([key.get_secret_value() for key in settings.signing_keys]), sealer, Configuration
    )
    configuration = Configuration(business=BUSINESS.id, api_key=SecretStr(BUSINESS.api_key))
    made = []
    for access in (Access.absent, Access.valid):
        account = await accounts.create("acme", access, configuration)
        token = PushToken(f"push-{access}", SecretStr("token"))
        await CredentialStore(database, sealer).save(account.id, SecretStr(SECRET), token, access)
        made.append(account)
    await database.close()
    silent, pushing = made
    return Service("service", url, process, accounts.metadata(silent), silent.id, pushing.id)


async def bare(scene: Scene, name: str) -> Service:
    path = scene.folder / f"{name}.db"
    database = sqlite3.connect(path)
    database.executescript(TABLES)
    for account, push_id in (("silent", ""), ("pushing", f"push-{name}")):
        row = (account, BUSINESS.id, BUSINESS.api_key, SECRET, push_id)
        database.execute("INSERT INTO accounts VALUES (?, ?, ?, ?, ?)", row)
    database.commit()
    database.close()
    environment = {
        "DATABASE": str(path),
        "ORIGIN_URL": scene.origin,
        "ZENDESK_URL": scene.zendesk,
        "SIGNING_KEY": SECRET,
    }
    script = str(Path(__file__).with_name(BARE[name]))
    port = free_port()
    process = scene.stack.enter_context(running(script, str(port), **environment))
    url = f"http://127.0.0.1:{port}"
    await answers(scene.http, f"{url}/channel/manifest")
    metadata = f"silent.{hmac.digest(SECRET.encode(), b'silent', 'sha256').hex()}"
    return Service(name, url, process, metadata, "silent", "pushing")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def running(*command: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
    ) as process:
        os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
        try:
            yield process
        finally:
            process.terminate()


async def answers(http: httpx2.AsyncClient, url: str) -> None:
    """Wait until the server is up."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        try:
            if (await http.get(url)).is_success:
                return
        except httpx2.TransportError:
            await asyncio.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within {SECONDS_TO_START} seconds")


def main(argument: str, more: str) -> None:
    if argument == "--origin":
        serve_reviews(int(more))
    else:
        json.dump(asyncio.run(measure(int(argument), int(more))), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
