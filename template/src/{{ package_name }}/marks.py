"""Names that prove to whom they belong, short enough for a `request_id` (SVC-56)."""

import base64
import hmac
import secrets
import uuid
from collections.abc import Sequence

from .trust import UntrustedError


class Marks:
    """Makes names of 55 characters for one purpose; the newest key signs, every key verifies."""

    def __init__(self, keys: Sequence[str], purpose: str) -> None:
        """Take the keys newest first."""
        self._keys = [key.encode() for key in keys]
        self._purpose = purpose

    def make(self, account_id: str) -> str:
        """Name something that belongs to an account; each call gives another name."""
        subject = _text(uuid.UUID(account_id).bytes + secrets.token_bytes(6))
        return f"{subject}.{self._signature(self._keys[0], subject)}"

    def account_of(self, mark: str) -> str:
        """Give the account whose name this is; raise UntrustedError for a text that `make` never gave."""
        subject, _, signature = mark.partition(".")
        for key in self._keys:
            if hmac.compare_digest(
                self._signature(key, subject).encode(), signature.encode(errors="replace")
            ):
                return str(uuid.UUID(bytes=base64.urlsafe_b64decode(subject + "==")[:16]))
        raise UntrustedError("this service gave no such name")

    def _signature(self, key: bytes, subject: str) -> str:
        return _text(hmac.digest(key, f"{self._purpose}: {subject}".encode(errors="replace"), "sha256")[:18])


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
