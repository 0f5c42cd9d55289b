"""Request ids: a signed `request_id` proves to which account a push belonged (SVC-56)."""

import base64
import hmac
import re
import secrets
import uuid
from collections.abc import Sequence

from .security import UntrustedError

FORM = re.compile(r"[\w-]{30}\.[\w-]{24}", re.ASCII)


class RequestIds:
    """Makes ids of 55 characters for one purpose; the newest key signs, every key verifies."""

    def __init__(self, keys: Sequence[str], purpose: str) -> None:
        """Take the keys newest first."""
        self._keys = [key.encode() for key in keys]
        self._purpose = purpose

    def make(self, account_id: str) -> str:
        """Give a new id for a request of an account."""
        subject = _text(uuid.UUID(account_id).bytes + secrets.token_bytes(6))
        return f"{subject}.{self._signature(self._keys[0], subject)}"

    def may_have_made(self, request_id: str) -> bool:
        """Whether an id has the form of ours. Requests that Zendesk began itself carry ids of another form."""
        return FORM.fullmatch(request_id) is not None

    def account_of(self, request_id: str) -> str:
        """Give the account whose request this was; raises UntrustedError for an id that `make` never gave."""
        subject, _, signature = request_id.partition(".")
        for key in self._keys:
            if hmac.compare_digest(
                self._signature(key, subject).encode(), signature.encode(errors="replace")
            ):
                return str(uuid.UUID(bytes=base64.urlsafe_b64decode(subject + "==")[:16]))
        raise UntrustedError("this service made no such request id")

    def _signature(self, key: bytes, subject: str) -> str:
        return _text(hmac.digest(key, f"{self._purpose}: {subject}".encode(errors="replace"), "sha256")[:18])


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
