"""Runs inside a generated project: pulls 200 resources and validates them, in leases, and prints the seconds as JSON.

python measure_validation.py ROUNDS     measure
python measure_validation.py --origin PORT     serve the 200 reviews that are pulled
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import jsonschema_rs
import uvicorn
from acme_reviews.core.messages import ExternalResource
from acme_reviews.pull.messages import PullResponse
from acme_reviews.settings import new_operator_password, new_sealing_key, new_signing_key
from sandbox import wire
from sandbox.reviews import ReviewSite, create_app
from tests.zendesk_driver import ZendeskDriver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RESOURCES = 200
WARM_UP = 3
SECONDS_TO_START = 60
TEXT = "The flat white is the best in town, and they remember your name. Grüße aus Zürich! " * 5


def main(argument: str, *more: str) -> None:
    if argument == "--origin":
        serve_reviews(int(more[0]))
    else:
        json.dump(asyncio.run(measure(int(argument))), sys.stdout)


def serve_reviews(port: int) -> None:
    site = ReviewSite(seeded=False)
    business = site.businesses[0]
    for number in range(RESOURCES):
        photo = site.add_file(business, name=f"{number}.png", content_type="image/png", content=b"\x89PNG")
        site.add_review(
            business,
            customer=f"Customer {number}",
            rating=number % 5 + 1,
            title=f"Visit number {number}",
            text=f"{number}: {TEXT}",
            files=[photo],
        )
    uvicorn.run(create_app(site), port=port, log_level="warning", access_log=False)


async def measure(rounds: int) -> dict[str, list[float]]:
    """Give the seconds of each step in each round."""
    with tempfile.TemporaryDirectory() as folder, two_free_ports() as (service_port, origin_port):
        service, origin = f"http://127.0.0.1:{service_port}", f"http://127.0.0.1:{origin_port}"
        settings = {
            "ENVIRONMENT": "production",
            "PUBLIC_URL": "https://reviews.example",
            "DATABASE_URL": f"sqlite:///{folder}/service.db",
            "SIGNING_KEYS": new_signing_key(),
            "SEALING_KEYS": new_sealing_key(),
            "OPERATOR_PASSWORD": new_operator_password(),
            "ORIGIN_URL": origin,
            "INNER_HOSTS": "127.0.0.1",
        }
        with (
            running(__file__, "--origin", str(origin_port)),
            running("-m", "acme_reviews", "serve", "--port", str(service_port), **settings),
        ):
            async with httpx2.AsyncClient(base_url=service, timeout=60, trust_env=False) as http:
                await answers(http, f"{origin}/")
                await answers(http, "/channel/healthcheck")
                return await lock_account(ZendeskDriver(http), rounds)


async def lock_account(zendesk: ZendeskDriver, rounds: int) -> dict[str, list[float]]:
    form = await zendesk.open_admin_ui()
    typed = {"name": "Main", "business": "corner-cafe", "api_key": "demo-key"}
    metadata = (await zendesk.submit(form, **typed)).text.split('name="metadata" value="')[1].split('"')[0]
    seconds: dict[str, list[float]] = {}

    def clock(step: str, work: Callable[[Any], Any], message: object) -> None:
        started = time.perf_counter()
        work(message)
        seconds.setdefault(step, []).append(time.perf_counter() - started)

    compiled = wire.validator(wire.schema("pull-response"))
    native = native_validator()
    for _ in range(WARM_UP + rounds):
        started = time.perf_counter()
        response = await zendesk.service.post("/channel/pull", data={"metadata": metadata, "state": ""})
        content = response.content
        seconds.setdefault("pull", []).append(time.perf_counter() - started)
        document = json.loads(content)
        assert len(document["external_resources"]) == RESOURCES, content
        posts = [
            resource.model_dump(exclude_none=True) | {"created_at": resource.created_at}
            for resource in PullResponse.model_validate_json(content).external_resources
        ]
        clock("model", build, posts)
        clock("jsonschema", lambda message: list(compiled.iter_errors(message)), document)
        clock("jsonschema-rs", lambda message: list(native.iter_errors(message)), document)
    return {step: values[WARM_UP:] for step, values in seconds.items()}


def build(posts: list[dict[str, Any]]) -> PullResponse:
    """Do what the service does to be sure of its answer: each resource is checked, and written once as JSON."""
    resources = tuple(ExternalResource(**post) for post in posts)
    for resource in resources:
        resource.model_dump_json()
    return PullResponse(external_resources=resources, state="state")


def native_validator() -> jsonschema_rs.Draft202012Validator:
    registry = jsonschema_rs.Registry(
        [(contents["$id"], contents) for contents in map(wire.schema, wire.names())]
    )
    formats = {name: check for name, (check, _) in wire.FORMATS.checkers.items()}
    return jsonschema_rs.Draft202012Validator(
        wire.schema("pull-response"), registry=registry, formats=formats, validate_formats=True
    )


@contextmanager
def two_free_ports() -> Iterator[tuple[int, int]]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        ports = one.getsockname()[1], other.getsockname()[1]
    yield ports


@contextmanager
def running(*command: str, **settings: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, *command], env={**os.environ, **settings}, stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


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


if __name__ == "__main__":
    main(*sys.argv[1:])
