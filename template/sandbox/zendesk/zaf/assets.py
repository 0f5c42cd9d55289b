"""An app's own files, on an origin that belongs to that app alone, as in production."""

import contextlib
import html
import mimetypes
import re
from pathlib import Path, PurePosixPath

from ...app.packaging import FOLDER, NotPackedError, files_without_logo
from ...validate.app_package import NoPackageError
from ..model import App

CLIENT = "/zaf_sdk.js"
"""Where the sandbox answers for the address below."""
PUBLIC = re.compile(
    r"(?:https?:)?//(?:static\.zdassets\.com/zendesk_app_framework_sdk|assets\.zendesk\.com/apps/sdk)/[\w./-]+\.js"
)
"""Addresses of the framework's client, in whatever version."""

_SCRIPT = re.compile(r"<script\b[^>]*>", re.IGNORECASE)
_BOUND_TO_BYTES = re.compile(
    r"""\s(?:integrity|crossorigin)(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+))?""", re.IGNORECASE
)
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".htm": "text/html; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class NoFileError(LookupError):
    """An app has no such file; the text says so, and what to do."""


def file_of(app: App, path: str) -> bytes:
    """Read a file by its path in the package. Raises NoFileError."""
    if not path.startswith("assets/"):
        raise NoFileError(
            f"{path} is not served: of an app's files Zendesk serves those below assets/ alone."
        )
    if ".." in PurePosixPath(path).parts or "\\" in path:
        raise NoFileError(f"{path} leads out of the app.")
    if not app.folder:
        if path in app.files:
            return app.files[path]
        raise NoFileError(f"{path} is not in the package of {app.name}. Add it, and upload the app again.")
    if Path(app.folder) == FOLDER.resolve() and not (FOLDER / path).exists():
        # What is added when this project's own app is packed is there as well.
        with contextlib.suppress(NotPackedError, NoPackageError):
            if content := files_without_logo(FOLDER, app.manifest_url or "").get(path):
                return content
    try:
        file = (Path(app.folder) / path).resolve(strict=True)
        if not file.is_relative_to(Path(app.folder).resolve()):
            raise NoFileError(f"{path} is a link that leads out of {app.folder}.")
        return file.read_bytes()
    except (OSError, ValueError):
        raise NoFileError(f"There is no file {path} in {app.folder}. Capitals count.") from None


def media_type(path: str) -> str:
    suffix = PurePosixPath(path).suffix.lower()
    return _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"


def with_own_client(content: bytes) -> bytes:
    """Let a page or a script load the framework's client from here; its bytes are others, so no digest fits."""
    text = content.decode("utf-8", "surrogateescape")

    def loosened(tag: re.Match[str]) -> str:
        return _BOUND_TO_BYTES.sub("", tag[0]) if PUBLIC.search(tag[0]) else tag[0]

    return PUBLIC.sub(CLIENT, _SCRIPT.sub(loosened, text)).encode("utf-8", "surrogateescape")


def in_words(title: str, text: str) -> bytes:
    """A page that stands in an app's frame where the app's own one cannot."""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">'
        f"<title>{html.escape(title)}</title><body style='font: 14px system-ui'>"
        f"<h1 style='font-size: 1em'>{html.escape(title)}</h1><p>{html.escape(text)}</p>"
    ).encode()
