"""What an admin, a customer and an agent do with an integration that somebody else has written.

    python walk.py http://127.0.0.1:PORT --command

runs, with --command also as people start it, where the sandbox can be imported, and prints as JSON what came of it.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import urllib.request
from typing import Any

from sandbox.zendesk import Fault, HandshakeError, Sandbox, Settings, Upload


def call(url: str, body: str | None = None) -> Any:
    data = None if body is None else body.encode()
    with urllib.request.urlopen(url, data, timeout=30) as answer:  # noqa: S310 - this machine
        return json.load(answer)


def command(manifest: str) -> list[str]:
    """Start the sandbox as people do, and stop it; return what it says of the channel."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    options = ["--manifest", manifest, "--allow-http", "--zendesk-port", port]
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if "Ctrl-C" in line:
            process.terminate()
    return [*lines, f"exit code {process.wait(timeout=60)}"]


def walk(service: str) -> dict[str, Any]:
    """Install, add an account, pull, reply, click, push, edit the account, and remove it all."""
    settings = Settings(allow_loopback_http=True, channelback_retry_after=0, attachments_lead_to_sign_in=True)
    with Sandbox(f"{service}/manifest", settings=settings) as sandbox:
        try:
            told = walk_account(service, sandbox)
        except HandshakeError as error:
            told = {"error": str(error)}
        sandbox.run(sandbox.zendesk.uninstall)
        entries = sandbox.zendesk.log.entries
        remarks = [f"{entry.endpoint}: {remark}" for entry in entries for remark in entry.remarks]
    return told | {"remarks": remarks, "seen": call(f"{service}/seen")}


def walk_account(service: str, sandbox: Sandbox) -> dict[str, Any]:
    zendesk = sandbox.zendesk
    account = sandbox.add_account("Ada's square", key="town-key")
    if error := sandbox.pull(account).error:
        return {"error": error}
    shop, chat, *_ = sandbox.tickets
    zendesk.faults.add("channelback", Fault(dropped="after"))
    reply = shop.reply("From nine to five.", [Upload("map.txt", b"Left, then right", "text/plain")])
    clicked = sandbox.run(zendesk.click_through, shop.comments[0])
    pushed = [call(f"{service}/write", "Still there?")]
    sandbox.run(zendesk.edit_account, account, key="town-key")
    pushed += [call(f"{service}/write", "With a new token")]
    return {
        "error": None,
        "threads": [[comment.external_id for comment in ticket.comments] for ticket in (shop, chat)],
        "files": [file.content.decode() for file in shop.comments[0].files],
        "reply_error": reply.error,
        "clicked": clicked.status,
        "pushed": [entry["status"]["code"] for answer in pushed for entry in answer.get("results", [])],
    }


if __name__ == "__main__":
    address = sys.argv[1]
    told = {"command": command(f"{address}/manifest")} if "--command" in sys.argv else {}
    json.dump(told | walk(address), sys.stdout)
