"""A real homeserver on this machine: Synapse on SQLite, in a virtual environment of its own."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

import httpx2
import pytest
from commands import environment, uv_binary

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "1.163.2"
SERVER = "hs.test"
SECRET = "registration"  # noqa: S105
AS_TOKEN = "the-token-of-the-application-service"  # noqa: S105
HS_TOKEN = "the-token-of-the-homeserver"  # noqa: S105
SECONDS_TO_INSTALL = 300
SECONDS_TO_START = 60
CLIENT = "/_matrix/client/v3"


def lacking(reason: str) -> NoReturn:
    """Skip where there is no Synapse to be had; fail where MATRIX_TESTS says that it is required."""
    if os.environ.get("MATRIX_TESTS") == "required":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def installed() -> Path:
    """The Python that has Synapse; it is installed once for all runs of this machine's user."""
    if sys.platform == "win32":
        lacking("Synapse does not run on Windows.")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "copier-zendesk-channel"
    folder = cache / f"synapse-{VERSION}-{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin/python"
    cache.mkdir(parents=True, exist_ok=True)
    with Path(f"{folder}.lock").open("w", encoding="utf-8") as lock:
        # Several processes run these tests.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            for arguments in (
                ("venv", "--quiet", "--python", sys.executable, str(folder)),
                ("pip", "install", "--quiet", "--python", str(python), f"matrix-synapse=={VERSION}"),
            ):
                try:
                    subprocess.run(
                        [uv_binary(), *arguments],
                        check=True,
                        capture_output=True,
                        timeout=SECONDS_TO_INSTALL,
                        env=environment(),
                    )
                except (subprocess.SubprocessError, OSError) as error:
                    said = getattr(error, "stderr", b"") or b""
                    lacking(f"Synapse cannot be installed: {error} {said.decode(errors='replace')[-500:]}")
            (folder / "complete").touch()
    return python


class Synapse:
    """One homeserver. It can be killed, and started again on the same data at the same port."""

    def __init__(self, folder: Path, webhook: str | None = None, **settings: Any) -> None:
        self._folder = folder
        self._python = installed()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        service = {
            "id": "zendesk",
            "url": webhook,
            "as_token": AS_TOKEN,
            "hs_token": HS_TOKEN,
            "sender_localpart": "zendesk",
            "rate_limited": False,
            "namespaces": {
                "users": [
                    {"exclusive": False, "regex": f"@support:{SERVER}"},
                    {"exclusive": True, "regex": "@bridge_.*"},
                ],
                "rooms": [],
                "aliases": [],
            },
        }
        generous = {"per_second": 10000, "burst_count": 10000}
        listener = {
            "port": self.port,
            "type": "http",
            "tls": False,
            "bind_addresses": ["127.0.0.1"],
            "resources": [{"names": ["client", "media"]}],
        }
        # JSON is YAML, too.
        (folder / "service.yaml").write_text(json.dumps(service), "utf-8")
        configuration = {
            "server_name": SERVER,
            "pid_file": f"{folder}/pid",
            "listeners": [listener],
            "database": {"name": "sqlite3", "args": {"database": f"{folder}/homeserver.db"}},
            "media_store_path": f"{folder}/media",
            "signing_key_path": f"{folder}/signing.key",
            "registration_shared_secret": SECRET,
            "macaroon_secret_key": "macaroons",
            "form_secret": "forms",
            "report_stats": False,
            "trusted_key_servers": [],
            "federation_domain_whitelist": [],
            "app_service_config_files": [f"{folder}/service.yaml"],
            "rc_message": generous,
            "rc_joins": {"local": generous, "remote": generous},
            "rc_invites": {"per_room": generous, "per_user": generous, "per_issuer": generous},
            "rc_room_creation": generous,
            "rc_registration": generous,
            **settings,
        }
        (folder / "homeserver.yaml").write_text(json.dumps(configuration), "utf-8")

    def start(self) -> None:
        command = [str(self._python), "-m", "synapse.app.homeserver", "-c", "homeserver.yaml"]
        if not (self._folder / "signing.key").exists():
            subprocess.run(
                [*command, "--generate-keys"], cwd=self._folder, check=True, capture_output=True, timeout=60
            )
        with (self._folder / "said").open("ab") as said:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=said, stderr=said)

    def wait(self) -> None:
        """Wait until it answers."""
        end = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < end:
            try:
                if httpx2.get(f"{self.url}/_matrix/client/versions", trust_env=False, timeout=5).is_success:
                    return
            except httpx2.TransportError:
                assert self._process is not None
                if self._process.poll() is not None:
                    break
            time.sleep(0.1)
        raise AssertionError((self._folder / "said").read_text("utf-8", "replace")[-3000:])

    def kill(self) -> None:
        """As a power cut would."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def register(self, name: str) -> Person:
        """Make a user, by the secret that only this machine knows."""
        path = f"{self.url}/_synapse/admin/v1/register"
        with httpx2.Client(trust_env=False, timeout=30) as http:
            nonce = http.get(path).json()["nonce"]
            parts = (nonce, name, "password", "notadmin")
            mac = hmac.new(SECRET.encode(), "\0".join(parts).encode(), hashlib.sha1).hexdigest()
            body = {"nonce": nonce, "username": name, "password": "password", "mac": mac}
            made = http.post(path, json=body).raise_for_status().json()
        return Person(self.url, made["access_token"], made["user_id"])

    def bridge(self) -> Person:
        """Make a user of the application service, which says itself when something was sent."""
        service = Person(self.url, AS_TOKEN, f"@bridge_bob:{SERVER}")
        body = {"type": "m.login.application_service", "username": "bridge_bob"}
        service.call("POST", "/register", body)
        return Person(self.url, AS_TOKEN, service.id, user_id=service.id)


def running(**settings: Any) -> Iterator[Synapse]:
    with tempfile.TemporaryDirectory(prefix="synapse-", ignore_cleanup_errors=True) as folder:
        synapse = Synapse(Path(folder), **settings)
        synapse.start()
        try:
            synapse.wait()
            yield synapse
        finally:
            synapse.kill()


class Person:
    """A user of the homeserver, as a client."""

    def __init__(self, url: str, token: str, name: str, **query: str) -> None:
        self.id = name
        self.token = token
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx2.Client(base_url=url, headers=headers, params=query, trust_env=False, timeout=30)

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = self._http.request(method, f"{CLIENT}{path}", json=body or {}, params=query)
        return answer.raise_for_status().json()

    def open_room(self, name: str, *invited: str, **more: Any) -> str:
        body = {"name": name, "invite": list(invited), "preset": "private_chat"} | more
        return str(self.call("POST", "/createRoom", body)["room_id"])

    def say(self, room: str, body: str, transaction: str = "", content: Any = None, **query: Any) -> str:
        path = f"/rooms/{quote(room)}/send/m.room.message/{transaction or body}"
        message = {"msgtype": "m.text", "body": body} | (content or {})
        return str(self.call("PUT", path, message, **query)["event_id"])

    def redact(self, room: str, event_id: str, reason: str) -> str:
        path = f"/rooms/{quote(room)}/redact/{quote(event_id, safe='')}/{reason}"
        return str(self.call("PUT", path, {"reason": reason})["event_id"])

    def upload(self, name: str, content: bytes, content_type: str) -> str:
        answer = self._http.post(
            "/_matrix/media/v3/upload",
            params={"filename": name},
            content=content,
            headers={"Content-Type": content_type},
        )
        return str(answer.raise_for_status().json()["content_uri"])

    def download(self, mxc: str) -> bytes:
        path = f"/_matrix/client/v1/media/download/{mxc.removeprefix('mxc://')}"
        return self._http.get(path).raise_for_status().content

    def messages(self, room: str) -> list[dict[str, Any]]:
        """All messages of a room, the oldest first."""
        found: list[dict[str, Any]] = []
        query = {"dir": "b", "limit": 1000}
        while True:
            answer = self.call("GET", f"/rooms/{quote(room)}/messages", **query)
            found += [event for event in answer["chunk"] if event["type"] == "m.room.message"]
            if not answer.get("end") or not answer["chunk"]:
                return found[::-1]
            query["from"] = answer["end"]
