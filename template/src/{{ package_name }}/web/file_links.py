"""File links: signed, expiring URLs of the files of posts (SVC-42, SVC-43)."""

from datetime import timedelta
from urllib.parse import quote

from ..core.security import Signer
from ..origin_protocol import FileUrlMaker

PURPOSE = "file"
URL_LIMIT = 511
NAME_LIMIT = 80
EXTENSION_LIMIT = 20


class FileLinks:
    """Makes and reads the links."""

    def __init__(self, signer: Signer, lifetime: timedelta) -> None:
        self._signer = signer
        self._lifetime = lifetime

    def maker(self, account_id: str) -> FileUrlMaker:
        """Give the function that turns a file of an account into a URL relative to the manifest's host."""

        def file_url(reference: str, name: str) -> str:
            """Raises ValueError if the reference is so long that the URL would pass 511 characters."""
            token = self._signer.sign_expiring(PURPOSE, {"account": account_id, "file": reference})
            url = f"/channel/files/{token}/{quote(_file_name(name), safe='')}"
            if len(url) > URL_LIMIT:
                raise ValueError(f"the URL of the file {reference[:40]!r}… passes {URL_LIMIT} characters")
            return url

        return file_url

    def read(self, token: str) -> tuple[str, str]:
        """Give account id and file reference; raises UntrustedError."""
        payload = self._signer.verify_expiring(PURPOSE, token, self._lifetime)
        return str(payload["account"]), str(payload["file"])


def _file_name(name: str) -> str:
    """A name that can end a path (SVC-43), short enough whatever script it is written in, its extension kept."""
    name = "".join(character for character in name if character.isprintable() and character not in '/\\"')
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem:
        stem, extension = name, ""
    if len(quote(extension, safe="")) > EXTENSION_LIMIT:
        stem, extension = name, ""
    while len(quote(f"{stem}.{extension}", safe="")) > NAME_LIMIT:
        stem = stem[:-1]
    return f"{stem or 'file'}.{extension}".rstrip(".") or "file"
