"""An integration service for Zendesk's Channel framework in Python's standard library, made from the protocol alone.

    PORT=8300 python service.py

WRONG names one of the mistakes that public integrations make.
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
import uuid
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

WRONG = os.environ.get("WRONG", "")
JSON, HTML = "application/json", "text/html; charset=utf-8"

accounts: dict[str, dict[str, str]] = {}
handshakes: dict[str, dict[str, str]] = {}
replies: dict[str, dict[str, str]] = {}
seen: dict[str, list[Any]] = {"files": [], "events": [], "pushed": []}

Form = dict[str, list[str]]
Answer = tuple[int, str, str]


def post(number: int, message: str, **more: Any) -> dict[str, Any]:
    external_id = f"square.example/post-{number}" if WRONG == "open redirect" else f"post-{number}"
    created_at = time.time() if WRONG == "time as a number" else f"2026-05-0{number}T09:00:00Z"
    return {
        "external_id": external_id,
        "message": message,
        "created_at": created_at,
        "author": {"external_id": "ada", "name": "Ada"},
        **more,
    }


POSTS = [
    post(1, "Is the shop open?", file_urls=["files/shop.txt"]),
    post(2, "" if WRONG == "empty message" else "Anybody there?", thread_id="chat-7"),
]
if WRONG == "too many posts":
    POSTS += [post(4, "One of many") | {"external_id": f"many-{number}"} for number in range(200)]


def done(value: Any, status: int = 200, kind: str = JSON) -> Answer:
    return status, kind, json.dumps(value)


def manifest(form: Form, text: str) -> Answer:
    urls = {
        "admin_ui": "./admin",
        "pull_url": "./pull",
        "channelback_url": "./channelback",
        "clickthrough_url": "./click",
        "event_callback_url": "./events",
    }
    told = {"name": "Village square", "id": "com.example.village", "version": "1", "urls": urls}
    return done(told | {"push_client_id": "zdg-village", "channelback_files": True})


def admin(form: Form, text: str) -> Answer:
    key = str(uuid.uuid4())
    handshakes[key] = {name: values[0] for name, values in form.items()}
    name = escape(form.get("name", [""])[0])
    return (
        200,
        HTML,
        (
            f'<form method="post" action="admin/save"><input type="hidden" name="handshake" value="{key}">'
            f'<input name="name" value="{name}"><input name="key" type="password"><button>Save</button></form>'
        ),
    )


def save(form: Form, text: str) -> Answer:
    opened, name = handshakes[form["handshake"][0]], form["name"][0]
    metadata = opened.get("metadata") or str(uuid.uuid4())
    account = accounts.setdefault(metadata, {"token": opened["zendesk_access_token"]})
    parts = urlsplit(opened["return_url"])
    account |= {"zendesk": f"{parts.scheme}://{parts.netloc}", "push": opened["instance_push_id"]}
    if WRONG != "old token":
        account["token"] = opened["zendesk_access_token"]
    written = name if WRONG == "unescaped name" else escape(name)
    return (
        200,
        HTML,
        (
            f"<form method='post' action='{opened['return_url']}'><input type='hidden' name='name' value='{written}'>"
            f"<input type='hidden' name='metadata' value='{metadata}'><button>Done</button></form>"
        ),
    )


def pull(form: Form, text: str) -> Answer:
    state = form.get("state", [""])[0]
    new = POSTS if not state else []
    kind = "text/plain" if WRONG == "undeclared JSON" else JSON
    return done(
        {"external_resources": new, "state": {"page": 2} if WRONG == "state as an object" else "2"}, kind=kind
    )


def channelback(form: Form, text: str) -> Answer:
    account = accounts[form["metadata"][0]]
    key = str(uuid.uuid4()) if WRONG == "reply sent twice" else form["request_unique_identifier"][0]
    if key not in replies:
        replies[key] = {"id": f"answer-{len(replies) + 1}", "message": form["message"][0]}
        for url in form.get("file_urls[]", []):
            seen["files"].append(fetched(url, account["token"]))
    if WRONG == "200 for a failure":
        return done({"error": "The origin was away."})
    return done({"external_id": replies[key]["id"]})


def click(form: Form, text: str) -> Answer:
    target = form["external_id"][0]
    if WRONG == "open redirect":
        return 302, f"https://{target}", ""
    return 200, HTML, f"<h1>{escape(target)}</h1>"


def events(form: Form, text: str) -> Answer:
    seen["events"] += [event["type_id"] for event in json.loads(text)["events"]]
    return done({}, 500 if WRONG == "events fail" else 200)


def write(form: Form, text: str) -> Answer:
    number = len(seen["pushed"]) + 1
    (account,) = accounts.values()
    live = post(3, text, thread_id="chat-7") | {"external_id": f"live-{number}"}
    pushed = {"instance_push_id": account["push"], "external_resources": [live]}
    kind = "text/plain" if WRONG == "undeclared push" else JSON
    headers = {"authorization": f"Bearer {account['token']}", "content-type": kind}
    url = f"{account['zendesk']}/api/v2/any_channel/push"
    request = urllib.request.Request(url, json.dumps(pushed).encode(), headers)  # noqa: S310 - Zendesk
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            seen["pushed"].append(json.load(answer))
    except urllib.error.HTTPError as error:
        seen["pushed"].append({"status": error.code})
    return done(seen["pushed"][-1])


def fetched(url: str, token: str) -> str:
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {token}"})  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        content: bytes = answer.read()
    return content.decode()


def shop(form: Form, text: str) -> Answer:
    return 200, "text/plain", "Open from nine to five."


def tell(form: Form, text: str) -> Answer:
    return done(seen | {"replies": list(replies.values())})


ROUTES = {
    "GET /manifest": manifest,
    "POST /admin": admin,
    "POST /admin/save": save,
    "POST /pull": pull,
    "POST /channelback": channelback,
    "GET /click": click,
    "POST /events": events,
    "POST /write": write,
    "GET /files/shop.txt": shop,
    "GET /seen": tell,
} | ({} if WRONG == "files by GET alone" else {"POST /files/shop.txt": shop})


class Handler(BaseHTTPRequestHandler):
    def answer(self) -> None:
        url = urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        route = ROUTES.get(f"{self.command} {url.path}")
        form = parse_qs(text if self.command == "POST" else url.query)
        status, kind, body = route(form, text) if route else (404, JSON, "{}")
        self.send_response(status)
        self.send_header("location" if status == 302 else "content-type", kind)
        if WRONG == "session cookie" and url.path == "/admin":
            self.send_header("set-cookie", "session=1")
        self.send_header("content-length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_POST = answer  # noqa: N815 - the library's names

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "0"))), Handler)
    print(server.server_port, flush=True)  # noqa: T201
    server.serve_forever()
