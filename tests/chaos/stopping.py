"""Ends a service that has posts to send for very many accounts, and half a request: how long does that take?

    python stopping.py sqlite
    python stopping.py postgresql

It runs where a project that pushes can be imported, and prints what came of it as JSON.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import httpx2
from acme_reviews.core.accounts import Accounts, accounts_table
from acme_reviews.core.database import Database
from acme_reviews.core.messages import Author, ExternalResource
from acme_reviews.core.security import Sealer, Signer
from acme_reviews.origin import Configuration
from acme_reviews.push.credentials import Access, CredentialStore, PushToken, credentials_table
from acme_reviews.push.outbox import Outbox, outbox_table
from acme_reviews.settings import Settings, new_sealing_key, new_signing_key
from course import database
from pydantic import SecretStr
from sqlalchemy import insert, select
from storm_zendesk import StormZendesk

HALF_A_REQUEST = b"POST /channel/admin_ui HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na"


async def stop(number: int, database_url: str, folder: Path) -> dict[str, Any]:
    keys = {"SIGNING_KEYS": new_signing_key(), "SEALING_KEYS": new_sealing_key()}
    url = Settings.model_validate({"database_url": database_url}).database_url
    await _fill(url, keys, number)
    zendesk = StormZendesk(1, fair=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    async with zendesk.serving() as zendesk_url:
        environment = keys | {
            "DATABASE_URL": url,
            "ZENDESK_URL": zendesk_url,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "acme_reviews", "serve"),
            cwd=folder,
            env=os.environ | environment,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await _until_healthy(port)
            async with asyncio.timeout(60):
                while not zendesk.total:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            _, half = await asyncio.open_connection("127.0.0.1", port)
            half.write(HALF_A_REQUEST)
            await half.drain()
            begun, sent = time.monotonic(), zendesk.total
            process.send_signal(signal.SIGTERM)
            code = await process.wait()
            seconds = time.monotonic() - begun
            half.close()
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return {"seconds": round(seconds, 2), "code": code, "sent_before": sent, "sent": zendesk.total}


async def _fill(url: str, keys: dict[str, str], number: int) -> None:
    """Make one account with a post to send, and copy it."""
    store = Database(url)
    await store.migrate()
    sealer = Sealer([keys["SEALING_KEYS"]])
    accounts = Accounts(store, Signer([keys["SIGNING_KEYS"]]), sealer, Configuration)
    configuration = Configuration.model_validate({"business": "corner-cafe", "api_key": "right"})
    account = await accounts.create("acme", "Account", configuration)
    token = PushToken("push-1", SecretStr("token"))
    await CredentialStore(store, sealer).save(account.id, SecretStr("secret"), token, Access.valid)
    post = ExternalResource(
        external_id="post",
        message="A post",
        created_at=store.clock.now(),
        author=Author(external_id="ada"),
    )
    await Outbox(store).accept(account.id, "delivery", [post], [])
    copies = [str(uuid4()) for _ in range(number - 1)]
    async with store.writing() as connection:
        for table, key in (
            (accounts_table, "id"),
            (credentials_table, "account_id"),
            (outbox_table, "account_id"),
        ):
            columns = [column for column in table.c if column is not outbox_table.c.id]
            row = (await connection.execute(select(*columns))).one()._asdict()
            await connection.execute(insert(table), [row | {key: copy} for copy in copies])
    await store.close()


async def _until_healthy(port: int) -> None:
    async with asyncio.timeout(60), httpx2.AsyncClient(trust_env=False) as http:
        while True:
            with suppress(httpx2.TransportError):
                if (await http.get(f"http://127.0.0.1:{port}/channel/healthcheck")).is_success:
                    return
            await asyncio.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", choices=("sqlite", "postgresql"))
    parser.add_argument("--accounts", type=int, default=10_000)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder, database(arguments.database, Path(folder)) as url:
        print(json.dumps(asyncio.run(stop(arguments.accounts, url, Path(folder)))))  # noqa: T201


if __name__ == "__main__":
    main()
